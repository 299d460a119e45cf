"""A whole installation to be cruel to: broker, backend and boards, every one a real process.

    with Site(folder, {"pond-1": {"feeder1": {...}}}) as site:
        site.api.post("key 1", "pond-1", "feed", target="feeder1", parameters={"amount": 10})

Boards reach the broker through `proxy`, the backend directly. All of it ends with the program
that made it, whatever that dies of.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from backend.brokers.broker import BACKEND_USER, EmbeddedBroker, end_with_parent
from backend.delivery.writer import now_ms
from backend.fleet import boards as known
from backend.people.accounts import ADMIN, Accounts
from backend.schema import open_database
from tools import stage
from tools.brokers import Broker, free_port
from tools.chaos_http import PATIENCE, Api, until
from tools.emulator import Board
from tools.fleet import BoardSpec, Fleet
from tools.proxy import Proxy

PASSWORD = "backend"
Actuators = Mapping[str, Mapping[str, Any]]


class MakeBroker(Protocol):
    """Makes a broker with its data in `directory` and {name: password}."""

    __name__: str

    def __call__(
        self, directory: Path, port: int, users: Mapping[str, str], *rights: Any
    ) -> Broker: ...


class BackendProcess:
    """The backend with these environment variables; its log goes to a file."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self._environment = {**os.environ, **settings}
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def start(self, *module: str) -> bool:
        """Run `python -m backend`, or another module; False where it ended before it served.

        To be called from a thread that lives as long as the program.
        """
        with self._log.open("a") as log:
            self._process = self._python(module or ("backend",), log)
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(self._process, said), daemon=True).start()
        while line := said.get(timeout=PATIENCE):
            if line.startswith("Answerback: "):
                return True
        return False

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def run(self, *arguments: str) -> str:
        """What `python -m backend ARGUMENTS` prints. Raises CalledProcessError."""
        command = [sys.executable, "-m", "backend", *arguments]
        return subprocess.check_output(command, cwd=stage.ROOT, env=self._environment, text=True)

    def wait(self, seconds: float = PATIENCE) -> int:
        """The exit code, -9 after SIGKILL. Raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def _end(self, signal_number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _python(self, module: tuple[str, ...], log: IO[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=stage.ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )


def _read(process: subprocess.Popen[str], said: "queue.SimpleQueue[str]") -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            said.put(line)
    said.put("")


class Site:
    """`boards` is {id: its actuators}; all are on and known to the backend once it is entered.

    `backend` is the module that runs as the backend, with its arguments; `more`: further settings
    of it. `files` are more files for each board's flash; `made` goes to Board. `museum`: boards
    that are enrolled and not started, {id: {target: topic}}, as users of the broker in `logins`;
    `rooms`: beyond theirs, topics of which backend and museum boards use (embedded broker only).
    """

    def __init__(
        self,
        folder: Path,
        boards: Mapping[str, Actuators],
        make_broker: MakeBroker = EmbeddedBroker,
        seed: int = 0,
        backend: tuple[str, ...] = (),
        files: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
        museum: Mapping[str, Mapping[str, str]] | None = None,
        rooms: tuple[str, ...] = (),
        **made: Any,
    ) -> None:
        port, self.folder = free_port(), folder
        self.port = free_port()
        settings = {
            "BROKER_URL": f"mqtt://{BACKEND_USER}:{PASSWORD}@127.0.0.1:{port}",
            "DATABASE_URL": f"sqlite:///{folder / 'chaos.db'}",
            "DATA_DIR": str(folder),
            "HTTP_PORT": str(self.port),
            **(more or {}),
        }
        self.backend = BackendProcess(settings, folder / "backend.log")
        with contextlib.closing(open_database(settings["DATABASE_URL"])):
            self._token = _token()
            self._specs = [self._enroll(name, actuators) for name, actuators in boards.items()]
            self.logins = {name: _museum(name, one) for name, one in (museum or {}).items()}
        users = {spec.board_id: spec.password for spec in self._specs}
        patterns = [f"{room}/#" for room in rooms]
        rights = [dict.fromkeys((BACKEND_USER, *self.logins), patterns)] if rooms else []
        everybody = {BACKEND_USER: PASSWORD, **users, **self.logins}
        self.broker = make_broker(folder / "broker", port, everybody, *rights)
        self.proxy = Proxy("127.0.0.1", port, seed=seed)
        self._module = backend
        self._files, self._made = files or {}, made

    def __enter__(self) -> "Site":
        with contextlib.ExitStack() as stack:
            self.broker.start()
            stack.callback(self.broker.stop)
            stack.callback(self.backend.stop)
            self.start_backend()
            self.api = Api(self.port, self._token)
            stack.enter_context(self.proxy)
            address = ("127.0.0.1", self.proxy.port)
            firmware = {**stage.files(), **{k: v.encode() for k, v in self._files.items()}}
            self.fleet = Fleet(
                self._specs, self.folder / "boards", address, firmware=firmware, **self._made
            )
            stack.enter_context(self.fleet)
            until(lambda: all(self.is_online(name) for name in self.fleet.boards))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start_backend(self) -> bool:
        """Start the backend, in a thread that lives on; False where it ended before it served."""
        return self.backend.start(*self._module)

    def board(self, board_id: str) -> Board:
        """An emulated board."""
        return self.fleet.boards[board_id]

    def key(self, board_id: str) -> str:
        """A board's key, 64 hexadecimal digits."""
        return next(spec.key for spec in self._specs if spec.board_id == board_id)

    def seen(self, board_id: str) -> Any:
        """The board as the backend sees it."""
        return self.api.get(f"boards/{board_id}")

    def is_online(self, board_id: str) -> bool:
        """Whether the backend hears it."""
        return bool(self.seen(board_id)["online"])

    def settle(self, board_id: str, seconds: float = PATIENCE) -> list[Any]:
        """Wait until no command of a board is open any more: all of them, with histories.

        One that is UNKNOWN because power was cut stays so, and is not waited for.
        """

        def over() -> list[Any]:
            found = self.api.commands(board_id)
            return found if all(has_ended(one) for one in found) else []

        return [self.api.command(one["id"]) for one in until(over, seconds)]

    def _enroll(self, board_id: str, actuators: Actuators) -> BoardSpec:
        return BoardSpec(**known.enroll(board_id, now_ms()), actuators=actuators)


def _token() -> str:
    """For the API, in the name of the administrator."""
    accounts = Accounts()
    accounts.ensure_admin()
    return accounts.create_token(ADMIN, "chaos")


def _museum(board_id: str, targets: Mapping[str, str]) -> str:
    """Enrolls such a board; its password."""
    spoken: Any = {"dialect": "museum", "options": {"targets": targets}}
    return known.enroll(board_id, now_ms(), **spoken)["password"]


def has_ended(command: Any) -> bool:
    """Whether nothing more is to come: it has a result, or is an honest UNKNOWN."""
    if command["status"] == "UNKNOWN":
        return bool(command["error"] == "interrupted")
    return command["status"] not in ("PENDING", "SENT", "ACKNOWLEDGED")
