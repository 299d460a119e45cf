"""What is measured: broker, backend and light boards, each as a process of its own.

The backend is `python -m backend` with its own database, as anybody would run it. After every
part its database is read: each command must be COMPLETED, by exactly the steps it has to take.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.delivery.writer import now_ms
from backend.fleet import boards
from backend.people.accounts import Accounts
from backend.schema import open_database
from tools.bench_boards import TARGETS, LightBoards, LightSpec
from tools.bench_load import Plan, Times, perform
from tools.bench_mqtt import Login
from tools.brokers import Broker, MosquittoBroker, free_port
from tools.chaos_http import Api, until
from tools.chaos_site import PASSWORD, BackendProcess

BOARDS = 20
PATH = "PENDING SENT ACKNOWLEDGED COMPLETED"
_PATHS = """
    SELECT path, COUNT(*) FROM (
        SELECT command_seq, group_concat(to_status, ' ') AS path
        FROM (SELECT command_seq, to_status FROM history ORDER BY id) GROUP BY command_seq
    ) GROUP BY path
"""


def make_broker(kind: str, directory: Path, port: int, users: dict[str, str]) -> Broker:
    """`embedded` (NATS, what `make run` uses) or `mosquitto`, with the configuration we ship."""
    if kind == "embedded":
        return EmbeddedBroker(directory, port, users)
    return MosquittoBroker(directory, port, users)


@dataclass
class Used:
    """What the light boards have done and cost, once they have stopped."""

    ran: int = 0
    again: int = 0
    boards_cpu_us: float = 0.0  # for each command


class Site:
    """A broker with users for the backend and BOARDS boards; `token` is for the API."""

    def __init__(self, folder: Path, broker: str = "embedded", prefix: str = "light") -> None:
        self.folder, self.token, self.http_port = folder, "", free_port()
        self._port, self._posted = free_port(), 0
        self.database = folder / "bench.db"
        self.keys = self._enroll(prefix)
        users = {name: told["password"] for name, told in self.keys.items()}
        self.broker = make_broker(
            broker, folder / "broker", self._port, {BACKEND_USER: PASSWORD, **users}
        )

    @property
    def address(self) -> tuple[str, int]:
        """The broker's."""
        return "127.0.0.1", self._port

    @property
    def api(self) -> Api:
        """The backend's API."""
        return Api(self.http_port, self.token)

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Every (board, actuator), in an order that spreads over the boards."""
        return [(board, target) for target in TARGETS for board in self.keys]

    def login(self, user: str) -> Login:
        """How a user reaches the broker."""
        password = PASSWORD if user == BACKEND_USER else self.keys[user]["password"]
        return Login(*self.address, user, password)

    def _enroll(self, prefix: str) -> dict[str, dict[str, str]]:
        database = open_database(f"sqlite:///{self.database}")
        accounts = Accounts()
        accounts.ensure_admin()
        self.token = accounts.create_token("admin", "bench")
        names = [f"{prefix}-{number:02}" for number in range(1, BOARDS + 1)]
        keys = {name: boards.enroll(name, now_ms()) for name in names}
        database.close()
        return keys

    @property
    def settings(self) -> dict[str, str]:
        """The backend's environment."""
        return {
            "BROKER_URL": f"mqtt://{BACKEND_USER}:{PASSWORD}@127.0.0.1:{self._port}",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "DATA_DIR": str(self.folder),
            "HTTP_PORT": str(self.http_port),
            "LOG_LEVEL": "WARNING",
        }

    @contextlib.contextmanager
    def backend(self, *module: str) -> Iterator[BackendProcess]:
        """The backend while it runs; `module` stands in for `backend`."""
        process = BackendProcess(self.settings, self.folder / "backend.log")
        try:
            if not process.start(*module):
                log = (self.folder / "backend.log").read_text()[-2000:]
                raise RuntimeError(f"the backend did not start: {log}")
            yield process
        finally:
            process.stop()

    @contextlib.contextmanager
    def light_boards(self) -> Iterator[LightBoards]:
        """The light boards, all online, while they run."""
        lights = LightBoards([LightSpec(self.login(n), t["key"]) for n, t in self.keys.items()])
        try:
            until(self.all_online)
            yield lights
        finally:
            lights.kill()

    @contextlib.contextmanager
    def serving(self, *module: str) -> Iterator[Used]:
        """Backend and light boards while they run."""
        used = Used()
        with self.backend(*module), self.light_boards() as lights:
            yield used
            used.ran, used.again, cpu = lights.stop()
            used.boards_cpu_us = cpu / max(used.ran, 1) * 1e6

    def load(
        self,
        seconds: float,
        rate: float = 0,
        outstanding: int = 0,
        targets: list[tuple[str, str]] | None = None,
    ) -> Times:
        """Clicks from a process of its own, over all targets; see `bench_load.Plan`.

        Raises RuntimeError where a click was refused, or did not end in time.
        """
        where = targets or self.targets
        plan = Plan(
            self.http_port, self.token, where, seconds, rate, outstanding, first=self._posted
        )
        times = perform(plan)
        self._posted += len(times.due)
        lost = sum(not at for at in times.completed)
        if times.refused or lost:
            raise RuntimeError(f"{lost} clicks did not come to an end; {dict(times.refused)}")
        return times

    def all_online(self) -> bool:
        """Whether the backend hears all of its boards."""
        found = {board["id"]: board["online"] for board in self.api.get("boards")["boards"]}
        return all(found[name] for name in self.keys)

    def check(self) -> list[str]:
        """What is wrong with the commands in the database: all that were posted, COMPLETED."""
        expected = self._posted
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
            states = dict(db.execute("SELECT status, COUNT(*) FROM command GROUP BY status"))
            paths = dict(db.execute(_PATHS))
        wrong = []
        if states != {"COMPLETED": expected}:
            wrong.append(f"{expected} commands were promised, the database has {states}")
        if paths != {PATH: expected}:
            wrong.append(f"histories are not all {PATH}: {paths}")
        return wrong


@contextlib.contextmanager
def running(broker: str = "embedded", prefix: str = "light") -> Iterator[Site]:
    """A site whose broker runs, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        site = Site(Path(folder), broker, prefix)
        site.broker.start()
        try:
            yield site
        finally:
            site.broker.stop()
