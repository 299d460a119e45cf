"""Mosquitto behind the same interface as the embedded broker, from the configuration we ship."""

import base64
import contextlib
import getpass
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from backend.brokers.broker import BrokerError, EmbeddedBroker, check_port_free, end_with_parent

TOOLS = Path(__file__).resolve().parent
SECONDS = 30.0

_HASH_ROUNDS = 101
_PORTS = range(10000, 32000)  # Linux gives from 32768 on, macOS from 49152 on


def free_port() -> int:
    """A port of the loopback nobody uses at the moment.

    None of those the system gives to outgoing connections: one of them might take it while its
    broker is away, or even connect to itself there.
    """
    while True:
        port = secrets.choice(_PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def mosquitto_binary() -> str | None:
    """The path of Mosquitto, or None: it comes from the system's package manager."""
    return shutil.which(
        "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/opt/homebrew/sbin"
    )


class MosquittoBroker:
    """See EmbeddedBroker. `tls`: (port, certificate, key) of a second listener."""

    host = "127.0.0.1"

    def __init__(self, directory: Path, port: int, users: Mapping[str, str]) -> None:
        self.directory, self.port = directory, port
        self._users = dict(users)
        self._process: subprocess.Popen[str] | None = None
        self._ready, self._reloaded = threading.Event(), threading.Event()
        self._last_words = ""
        self.tls: tuple[int, Path, Path] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        check_port_free(self.host, self.port)
        binary = mosquitto_binary()
        assert binary is not None
        self._write_configuration()
        self._ready = threading.Event()  # who still reads of the one before has its own
        self._process = subprocess.Popen(
            [binary, "-c", str(self.directory / "mosquitto.conf")],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )
        threading.Thread(
            target=self._read_log, args=(self._process, self._ready), daemon=True
        ).start()
        if not self._ready.wait(SECONDS) or self._process.poll() is not None:
            self.stop()
            raise BrokerError(f"the broker did not start: {self._last_words}")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def set_users(self, users: Mapping[str, str]) -> None:
        self._users = dict(users)
        self._write_configuration()
        if self._process is None:
            return
        self._reloaded.clear()
        self._process.send_signal(signal.SIGHUP)
        if not self._reloaded.wait(SECONDS):
            raise BrokerError("the broker did not take the new users")

    def _end(self, signal_number: int) -> None:
        process, self._process = self._process, None
        while process is not None and process.poll() is None:
            process.send_signal(signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)  # Mosquitto forgets a signal that comes while it starts

    def _write_configuration(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        places = {
            "listener": f"{self.port} {self.host}",
            "password_file": str(self.directory / "passwd"),
            "acl_file": str(TOOLS / "mosquitto.acl"),
            "persistence_location": f"{self.directory}/",
        }
        lines = (TOOLS / "mosquitto.conf").read_text().splitlines()
        settings = [_moved(line, places) for line in lines]
        assert not places, f"tools/mosquitto.conf does not set {list(places)}"
        extra = [f"user {getpass.getuser()}", "log_dest stderr"]
        if self.tls:
            port, certificate, key = self.tls
            extra += [f"listener {port} {self.host}", f"certfile {certificate}", f"keyfile {key}"]
            extra += ["use_username_as_clientid true"]
        (self.directory / "mosquitto.conf").write_text("\n".join([*settings, *extra]) + "\n")
        entries = [f"{name}:{_hashed(password)}\n" for name, password in self._users.items()]
        (self.directory / "passwd").write_text("".join(entries))

    def _read_log(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._last_words = line.strip()
            if " running" in line:
                ready.set()
            elif "Reloading config" in line:
                self._reloaded.set()
        process.wait()
        ready.set()


Broker = EmbeddedBroker | MosquittoBroker


def _moved(line: str, places: dict[str, str]) -> str:
    """A line of the shipped configuration, its paths and port replaced by a test's own."""
    name = line.split(" ")[0]
    return f"{name} {places.pop(name)}" if name in places else line


def _hashed(password: str) -> str:
    """As mosquitto_passwd writes it: PBKDF2 with HMAC-SHA-512."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    texts = [base64.b64encode(part).decode() for part in (salt, digest)]
    return f"$7${_HASH_ROUNDS}${texts[0]}${texts[1]}"
