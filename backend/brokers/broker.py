"""The private broker: a `nats-server` of our own that lives and dies with this process.

Rules of this file:
- it listens on the loopback only, and knows nobody but the users it was given;
- each board may use `devices/{its id}/...` and nothing else; the backend may use `devices/...`;
- nobody starts it again by itself: `ended` says when that is needed, `start` does it;
- the configuration holds passwords, so only its owner can read it (mode 0600);
- on Linux the kernel ends the broker with the thread that called `start`, so call it from one
  that lives as long as the program. Elsewhere only `stop` (or the end of the interpreter) does:
  a program that was killed there leaves its broker behind, and the next start says so.
"""

import atexit
import ctypes
import errno
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from protocol.topics import PREFIX, is_id

BACKEND_USER = "answerback"

_START_SECONDS = 30.0
_STOP_SECONDS = 1.5  # SIGKILL is as safe: what it has confirmed is on disk
_PR_SET_PDEATHSIG = 1
_log = logging.getLogger("answerback.broker")
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class BrokerError(RuntimeError):
    """The broker can't do what was asked; the text is one line that says what to do."""


def end_with_parent(signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """A `preexec_fn`: the child gets the signal when the thread that started it ends (Linux)."""

    def tell_kernel() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal_number))

    return tell_kernel


def check_port_free(host: str, port: int, setting: str = "BROKER_PORT") -> None:
    """Raises BrokerError, which names the setting, where something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                why = f"nobody can listen on {host}:{port}: {error.strerror}"
                raise BrokerError(why) from error
            raise BrokerError(
                f"port {port} on {host} is taken: "
                f"end the program that uses it, or set {setting} to another one"
            ) from error


Rights = Mapping[str, Sequence[str]]


class EmbeddedBroker:
    """A nats-server with its configuration and JetStream data under `directory`.

    `users` is {name: password}; the name BACKEND_USER has the backend's rights, any other is a
    board's id. `rights`: {name: topic patterns} that one may use beyond its own.
    After `start` it accepts MQTT 3.1.1 at `host`:`port`.
    """

    host = "127.0.0.1"

    def __init__(
        self, directory: Path, port: int, users: Mapping[str, str], rights: Rights | None = None
    ) -> None:
        self.directory, self.port = Path(directory), port
        self._users, self._rights = dict(users), dict(rights or {})
        self._process: subprocess.Popen[str] | None = None
        self._reloaded = threading.Event()
        self._last_words = ""

    @property
    def url(self) -> str:
        """Where clients connect, without user and password."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid if self._process and not self.ended else None

    @property
    def ended(self) -> bool:
        """True where it has ended by itself, or did not come up; `start` tries (again)."""
        process = self._process
        return process is not None and process.poll() is not None

    def start(self) -> None:
        """Returns once MQTT clients can connect. Raises BrokerError (port taken, no binary)."""
        check_port_free(self.host, self.port)
        self._write_configuration()
        ready = threading.Event()
        self._process = subprocess.Popen(
            [_binary(), "-c", str(self._configuration_path)],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for the program, which then ends the broker
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
        atexit.register(self.stop)
        reader = threading.Thread(target=self._read_log, args=(self._process, ready), daemon=True)
        reader.start()
        if not ready.wait(_START_SECONDS) or self.ended:
            _terminate(self._process)
            raise BrokerError(f"the broker did not start: {self._last_words or 'it said nothing'}")

    def stop(self) -> None:
        """Ends it in good order; does nothing where it does not run."""
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is not None:
            _terminate(process)

    def kill(self) -> None:
        """Ends it as a power cut would, for tests; `start` brings it back with its data."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def set_users(self, users: Mapping[str, str], rights: Rights | None = None) -> None:
        """Replaces {name: password} and rights; clients whose user is gone or changed are cut off.

        Returns once the running broker has taken it over. Raises BrokerError where it has not.
        One that does not run takes it over with `start`.
        """
        self._users, self._rights = dict(users), dict(rights or {})
        self._write_configuration()
        process = self._process
        if process is None or self.ended:
            return
        self._reloaded.clear()
        process.send_signal(signal.SIGHUP)
        if not self._reloaded.wait(_START_SECONDS):
            raise BrokerError(f"the broker did not take the new users: {self._last_words}")

    @property
    def _configuration_path(self) -> Path:
        return self.directory / "nats.conf"

    def _write_configuration(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        fresh = self._configuration_path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._configuration())
        fresh.replace(self._configuration_path)

    def _configuration(self) -> str:
        """JSON, which nats-server reads as well as its own notation."""
        more = self._rights
        users = [
            _user(name, password, more.get(name, ())) for name, password in self._users.items()
        ]
        settings = {
            "server_name": "answerback",
            "listen": f"{self.host}:-1",  # NATS' own protocol: any port, the same users
            "max_payload": 2 * 1024 * 1024,
            "jetstream": {
                "store_dir": str(self.directory / "jetstream"),
                "limits": {"default_max_consumers": -1},
            },
            "mqtt": {
                "listen": f"{self.host}:{self.port}",
                "ack_wait": "5s",
                # A session with more than one subscription stalls for ack_wait each time a
                # consumer reaches this many unconfirmed messages (measured on 2.15.1: 4,000
                # messages took 14 s with 100, 0.3 s with 8,000). The sum over a session's
                # subscriptions may not pass 65,535.
                "max_ack_pending": 8000,
            },
            "authorization": {"users": users},
        }
        return json.dumps(settings, indent=1)

    def _read_log(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if "Server is ready" in line:
                ready.set()
            elif "Reloaded server configuration" in line:
                self._reloaded.set()
            elif "[FTL]" in line or "[ERR]" in line:
                self._last_words = line.split("] ", 2)[-1].strip()
                _log.warning("%s", self._last_words)
        process.wait()
        ready.set()  # it ended: let nobody wait for it
        self._reloaded.set()


def _terminate(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _user(name: str, password: str, more: Sequence[str]) -> dict[str, object]:
    """One user with its rights. NATS writes `/` as `.`, and `>` for what MQTT calls `#`."""
    if not is_id(name):
        raise BrokerError(f"{name!r} can't be a user of the broker: use A-Z a-z 0-9 _ -")
    base = PREFIX if name == BACKEND_USER else f"{PREFIX}.{name}"
    own = [base, f"{base}.>", *(one for pattern in more for one in _subjects(pattern))]
    rights = {"publish": own, "subscribe": [*own, "$MQTT.sub.>"]}
    return {"user": name, "password": password, "permissions": rights}


def _subjects(pattern: str) -> list[str]:
    """A topic pattern as NATS has it: `.` becomes `//`, `/` becomes `.`; `a/#` includes `a`.

    None where there is no such thing in NATS: it would not start with such a right.
    """
    if set(pattern) & set(" *>") or not all(pattern.split("/")):
        return []
    levels = {"+": "*", "#": ">"}
    subject = ".".join(levels.get(one, one.replace(".", "//")) for one in pattern.split("/"))
    return [subject, subject.removesuffix(".>")] if subject.endswith(".>") else [subject]


def _binary() -> str:
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise BrokerError("nats-server is missing: install the dependencies again (make setup)")
    return found
