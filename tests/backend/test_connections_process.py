"""The backend as a process: killed in the middle of connecting, and silent about passwords."""

import contextlib
import json
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.brokers.broker import BACKEND_USER
from tests.backend.installation import Installation
from tests.backend.running import eventually
from tools.brokers import MosquittoBroker

SECRET = "hush-4711"
GARDA = "sites/garda/connection"


class Garda(Installation):
    """An installation with a site, `garda`; `heard` is all that it has ever said."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environment |= {"RETRY_CAP": "1", "LOOK_EVERY": "1", "LOG_LEVEL": "DEBUG"}
        self.token = self.run("token", "tests").stdout.strip()
        self._log, self.answers = folder / "log", b""
        data = Path(self.environment["DATA_DIR"]) / "answerback.db"
        with contextlib.closing(sqlite3.connect(data)) as db:
            names = "id, name, owner, programme, timezone, wake_cron"
            names += ", private, created_at, settings"
            values = "'garda', 'G', '', '', 'UTC', '', 0, 1, '{}'"
            db.execute(f"INSERT INTO site ({names}) VALUES ({values})")
            db.commit()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """The backend, until it is killed."""
        with (
            open(self._log, "a") as log,
            subprocess.Popen(
                [sys.executable, "-m", "backend", "serve"],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Answerback: http://")
            try:
                yield
            finally:
                process.kill()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers."""
        request = urllib.request.Request(
            f"http://{self.host}:{self.http}/api/v1/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = response.read()
        self.answers += answer
        return json.loads(answer)

    def until(self, status: str) -> None:
        """Wait until the connection has this status."""
        eventually(lambda: self.call("GET", GARDA)["status"] == status)

    @property
    def heard(self) -> str:
        return self._log.read_text() + self.answers.decode()


def test_killed_while_it_connects_it_gets_there_and_tells_no_password(tmp_path: Path) -> None:
    garda = Garda(tmp_path)
    wanted = {"host": "127.0.0.1", "username": BACKEND_USER, "password": SECRET}
    with socket.create_server(("127.0.0.1", 0)) as hole:  # takes what comes, and answers nothing
        hole.settimeout(15)
        port = hole.getsockname()[1]
        with garda.serving():
            garda.call("PUT", GARDA, {**wanted, "port": port})
            assert garda.call("POST", f"{GARDA}/start")["is_active"] is True
            taken, _ = hole.accept()
            assert SECRET.encode() in taken.recv(1_000)
            garda.until("connecting")
        taken.close()
    broker = MosquittoBroker(tmp_path / "broker", port, {BACKEND_USER: "another"})
    broker.start()
    with garda.serving():
        garda.until("error")
        assert "correct user and password" in garda.call("GET", GARDA)["error"]
        broker.set_users({BACKEND_USER: SECRET})
        garda.until("connected")
        for path in ("connections", "health", "openapi.json", f"{GARDA}/log?limit=200"):
            garda.call("GET", path)
    broker.stop()
    assert garda.heard.count("correct user and password in the connection of the site garda") > 1
    assert SECRET not in garda.heard
