"""The backend: the real core and the real writer on a real database, without threads.

It can be killed at any of its steps: at every statement, before and after every commit, before
and after every publish, acknowledgement and answer. What is left is the database.
"""

from collections.abc import Callable
from typing import Any

from peewee import OperationalError

from backend import schema
from backend.brokers.mqtt import Receipt
from backend.database.models import Board as BoardRow
from backend.delivery import commands
from backend.delivery.core import Core
from backend.delivery.events import Hub
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Outcome
from backend.delivery.writer import Writer
from backend.errors import Refusal
from backend.fleet.presence import Presence
from tests.simulation.backend_link import BackendClient, Port
from tests.simulation.broker import Broker
from tests.simulation.life import Killed, Life
from tests.simulation.world import World

OnAnswer = Callable[[Any], None]
Watch = Callable[[Outcome, list[Presence]], None]

SLOWEST_TURN_MS = 8  # until what has come in is taken in


def open_database(life: Life) -> Any:
    """A database in memory whose every statement and commit is a step of that life."""
    database: Any = schema.open_database("sqlite://")
    execute, commit, begin = database.execute_sql, database.commit, database.begin

    def locked_begin(*args: Any) -> None:
        if life.locked:
            life.locked -= 1
            raise OperationalError("database is locked")
        begin(*args)

    def mortal_execute(*args: Any, **kwargs: Any) -> Any:
        life.step("statement")
        return execute(*args, **kwargs)

    def mortal_commit() -> None:
        life.step("commit")
        commit()

    database.execute_sql, database.commit = mortal_execute, mortal_commit
    database.begin = locked_begin
    return database


class Answer:
    """A caller who waits for the answer to a request; the page's and the API's Future."""

    def __init__(self, life: Life, on_answer: OnAnswer) -> None:
        self._life, self._on_answer = life, on_answer

    def set_running_or_notify_cancel(self) -> bool:
        """Whoever asked still waits."""
        return True

    def set_result(self, result: tuple[dict[str, Any], bool]) -> None:
        """202."""
        self._life.step("answer")
        self._on_answer(result)

    def set_exception(self, why: Refusal) -> None:
        """4xx."""
        self._life.step("answer")
        self._on_answer(why)


class SimulatedWriter(Writer):
    """The writer, one turn at a time; `watch(outcome, boards)` hears of every commit."""

    life: Life
    watch: Watch

    def _wait(self) -> float:
        return 0.0

    def _settle(self, outcome: Outcome, receipts: list[Receipt]) -> None:
        self.watch(outcome, self._core.roster.all())
        self.life.step("committed")
        super()._settle(outcome, receipts)

    def turn(self) -> int | None:
        """One transaction. Returns when the next is due, or None. Raises Killed."""
        self._turn()
        return self._next_due

    def ask(self, wanted: Any, answer: Answer) -> None:
        """`submit` of the real writer, with an answer of our own."""
        self._queue.put(("ask", wanted, answer))


class Backend:
    """The process; `watch(outcome, boards)` hears of every commit."""

    def __init__(self, world: World, broker: Broker, life: Life, watch: Watch) -> None:
        self._world, self._broker, self._life, self._watch = world, broker, life, watch
        self.up = False
        self._turn_at: int | None = None
        self.start()

    def start(self) -> None:
        """From the database alone."""
        try:
            self.core = Core(self._world.rng)
        except Killed:
            self._world.fault("backend_killed_at_start")
            return self._world.after(1_000, self.start)
        self.up = True
        clock = self._world.clock
        self.writer = SimulatedWriter(self.core, Hub(), _show, _ended, clock, clock)
        self.writer.life, self.writer.watch = self._life, self._watch
        self.client = BackendClient(self._world, self._broker, self._life, self.wake)
        self.client.writer = self.writer
        self.writer.links = Port(self.client)  # type: ignore[assignment]
        self._turn_at = None
        self.client.start()
        return self.wake()

    def kill(self, down_ms: int) -> None:
        """SIGKILL; it is started again in `down_ms`."""
        if self.up:
            self.up = False
            self._life.ends_in = None
            self.client.kill(power=False)
            self._world.after(down_ms, self.start)

    def ask(self, wanted: Any, on_answer: OnAnswer) -> bool:
        """Post or cancel, as the API does. False where nobody is there. Raises Refusal."""
        if not self.up:
            return False
        if isinstance(wanted, NewCommand):
            commands.check(wanted, self.core.roster)
        self.writer.ask(wanted, Answer(self._life, on_answer))
        self.wake()
        return True

    def wake(self) -> None:
        """There is something to do."""
        self._plan(self._world.now + self._world.between(0, SLOWEST_TURN_MS))

    def _plan(self, when: int) -> None:
        if self._turn_at is None or when < self._turn_at:
            self._turn_at = when
            self._world.at(when, self._turn, self.writer, when)

    def _turn(self, writer: SimulatedWriter, when: int) -> None:
        if not self.up or writer is not self.writer or when != self._turn_at:
            return
        self._turn_at = None
        try:
            due = writer.turn()
        except Killed:
            self._world.fault("backend_killed_at_" + self._life.last_step)
            self.kill(self._world.between(0, 20_000))
            return
        if writer.waiting:
            self.wake()
        if due is not None:
            self._plan(max(due, self._world.now + 1))


def enroll(board_id: str, key: bytes) -> None:
    """Make a board known, with a key of our own."""
    row = {"id": board_id, "name": board_id, "key": key.hex(), "password": "", "created_at": 0}
    BoardRow.insert(row).execute()


def _show(board: Presence) -> dict[str, Any]:
    return {}


def _ended(why: BaseException | None) -> None:
    pass
