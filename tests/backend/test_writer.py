"""The writer when something is not as it should be: time, order, other processes, bugs."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from protocol import encode

from backend import schema
from backend.database.store import Locked
from backend.delivery import answering, commands
from backend.delivery.events import Hub
from backend.delivery.wishes import NewCommand
from backend.delivery.writer import Writer
from backend.errors import Busy, Slow
from backend.fleet import boards
from backend.fleet.presence import Presence
from backend.service import Backend
from tests.backend.conftest import Desk
from tests.backend.running import eventually
from tools.brokers import free_port

PING = NewCommand("pond", "ping", "", {}, None, "ann")
HOUR = 3_600_000
RECEIPT = (1, 1, 1, "")


class Unhurried(Writer):
    """One that waits for nothing."""

    def _wait(self) -> float:
        return 0.0


class Turns:
    """A writer without its thread, and two clocks; `turn()` is one transaction of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.passed, self.set_by = desk, 0, 0
        self.hub = Hub()
        self.writer = Unhurried(
            desk.core, self.hub, boards.public, print, self.wall, lambda: 5_000 + self.passed
        )
        self.turn = self.writer._turn

    def wall(self) -> int:
        return self.desk.now + self.passed + self.set_by

    def say(self, kind: str, message: dict[str, Any]) -> None:
        data = encode(kind, message, self.board.key)
        leaf = "status" if kind == "status" else f"data/{kind}"
        self.writer.message(f"devices/pond/{leaf}", data, RECEIPT)

    @property
    def board(self) -> Presence:
        board = self.desk.core.roster.get("pond")
        assert board is not None
        return board

    def online(self, session: int = 1) -> None:
        self.say("status", {"status": "online", "boot": "b1", "session": session, "until": 0})


@pytest.fixture
def turns(desk: Desk) -> Turns:
    return Turns(desk)


def test_what_was_heard_before_the_link_went_is_of_before(turns: Turns) -> None:
    turns.online()
    turns.writer.link_changed("", False)
    turns.turn()
    assert turns.board.online is None
    turns.writer.link_changed("", True)
    turns.online()
    turns.turn()
    assert turns.writer.waiting == 1
    turns.turn()
    assert turns.board.online is True


def test_who_watches_hears_that_nothing_is_known_any_more(turns: Turns) -> None:
    turns.online()
    turns.turn()
    with turns.hub.subscribe(None) as events:
        turns.writer.link_changed("", False)
        turns.turn()
        ((_, kind, shown),) = next(iter(events))
    assert (kind, shown["id"], shown["online"]) == ("board", "pond", None)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_setting_the_clock_makes_nobody_silent(turns: Turns, jump: int) -> None:
    turns.online()
    turns.turn()
    turns.set_by = jump
    turns.passed = 34_000
    turns.turn()
    assert turns.board.online is True
    assert turns.board.last_seen == turns.wall() - 34_000
    turns.passed = 35_000
    turns.turn()
    assert turns.board.online is False


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_setting_the_clock_holds_up_no_retry(turns: Turns, jump: int) -> None:
    turns.online()
    wanted = NewCommand("pond", "ping", "", {}, 7_200, "ann")
    answer = turns.writer.submit(wanted)
    turns.turn()
    command_id = answer.result(0)[0]["id"]
    turns.set_by = jump
    turns.passed = 13_000
    turns.online()
    turns.turn()
    assert commands.get(command_id)["attempt"] == 2


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_setting_the_clock_makes_no_result_overdue(turns: Turns, jump: int) -> None:
    turns.desk.startup()
    row = turns.desk.post(expires_in=7_200)
    turns.desk.ack(row, "accepted", within=20)
    turns.set_by = jump
    for passed in (10_000, 24_900):
        turns.passed = passed
        turns.turn()
        assert turns.desk.stands(row) == "ACKNOWLEDGED"
    turns.passed = 25_000
    turns.turn()
    assert turns.desk.stands(row) == "UNKNOWN"


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process writes, and takes its time."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("COMMIT")
    other.close()


def test_a_transaction_that_could_not_begin_has_changed_nothing(desk: Desk) -> None:
    desk.database.pragma("busy_timeout", 10)
    with held(desk.path), pytest.raises(Locked):
        desk.heartbeat()
    assert desk.core.roster.all()[0].online is None
    desk.heartbeat()
    assert desk.core.roster.is_online("pond")


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """One whose broker is away, and that does not wait for other processes for long."""
    database = schema.open_database(f"sqlite:///{tmp_path / 'test.db'}")
    database.pragma("busy_timeout", 10, permanent=True)
    boards.enroll("pond", 1)
    backend = Backend(f"mqtt://127.0.0.1:{free_port()}")
    yield backend
    backend.stop()
    database.close()


def test_a_database_held_by_others_is_waited_for(
    backend: Backend,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend.start()
    backend.post(PING)
    with held(tmp_path / "test.db"):
        monkeypatch.setattr(answering, "ANSWER_SECONDS", 0.2)
        with pytest.raises(Slow) as why:
            backend.post(PING)
        assert why.value.retry_after > 0
    eventually(lambda: len(backend.commands()) == 2)
    assert not backend.failed.is_set()
    warnings = [one for one in caplog.records if "holds the database" in one.getMessage()]
    assert len(warnings) == 1


def test_what_nobody_waits_for_any_more_is_not_done(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Busy):
        patch.setattr(answering, "ANSWER_SECONDS", 0.1)
        backend.post(PING)  # the writer has not begun
    backend.start()
    posted, _ = backend.post(PING)
    assert [command["id"] for command in backend.commands()] == [posted["id"]]
