"""A data folder of its own, and the command line as processes on it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.brokers import free_port


class Installation:
    """A data folder with ports of its own."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.http, self.port = free_port(), free_port()
        self.folder = folder / "new" / "data"
        ports = {"HTTP_PORT": str(self.http), "BROKER_PORT": str(self.port)}
        self.environment = {**os.environ, **ports, "DATA_DIR": str(self.folder)}

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "backend", *words],
            env={**self.environment, **variables},
            capture_output=True,
            input="a long enough one\n",
            text=True,
            timeout=60,
        )

    def get(self, path: str, token: str) -> Any:
        """What the API says."""
        url = f"http://{self.host}:{self.http}/api/v1/{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    @contextlib.contextmanager
    def running(self, *words: str, module: str = "backend") -> Iterator[subprocess.Popen[str]]:
        """A command that stays, once it has said that it is ready; ended with SIGTERM."""
        with subprocess.Popen(
            [sys.executable, "-m", module, *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                said = next((line for line in process.stdout if line.startswith("Answerback")), "")
                assert said, "it ended without being ready"
                yield process
                process.send_signal(signal.SIGTERM)
                process.wait(10)
            finally:
                process.kill()
