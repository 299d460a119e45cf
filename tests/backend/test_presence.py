"""Online and offline: from heartbeats, with the will as a hint, and sessions as epochs."""

import pytest

from backend import commands
from backend.commands import NewCommand
from backend.errors import Invalid
from backend.presence import Presence, Roster
from tests.backend.conftest import Desk


def test_unknown_until_heard_then_online_then_offline_by_silence(desk: Desk) -> None:
    board = desk.core.roster.get("pond")
    assert board is not None
    assert board.online is None
    desk.heartbeat()
    assert board.online is True
    desk.at(34).tick()
    assert board.online is True
    desk.at(35).tick()
    assert board.online is False


def test_a_board_that_never_speaks_is_offline_after_a_while(desk: Desk) -> None:
    assert desk.core.next_due() == desk.now + 35_000
    desk.at(35).tick()
    board = desk.core.roster.get("pond")
    assert board is not None
    assert board.online is False
    assert desk.core.roster.next_due() is None


def test_a_will_of_an_older_session_is_ignored(desk: Desk) -> None:
    desk.startup("b1", 2)
    desk.status("offline", "b1", 1)
    desk.status("offline", "b0", 2)
    assert desk.core.roster.is_online("pond")
    desk.status("offline", "b1", 2)
    assert not desk.core.roster.is_online("pond")


def test_losing_the_broker_is_no_outage_of_the_boards(desk: Desk) -> None:
    desk.startup()
    desk.core.roster.listen(None)
    desk.at(600).tick()
    board = desk.core.roster.get("pond")
    assert board is not None
    assert board.online is None
    desk.core.roster.listen(desk.now)
    desk.at(610).heartbeat()
    assert desk.core.roster.is_online("pond")


def test_the_database_hears_only_of_changes(desk: Desk) -> None:
    def changes() -> int:
        return int(desk.database.connection().total_changes)

    desk.startup()
    before = changes()
    for second in range(10, 100, 10):
        desk.at(second).heartbeat()
    assert changes() == before


def test_a_board_never_heard_may_be_asked_what_needs_no_actuator_and_only_that() -> None:
    roster = Roster()
    roster.add(Presence("new", b"k" * 32))
    commands.check(NewCommand("new", "ping", "", {}, None, "ann"), roster)
    commands.check(NewCommand("new", "feed", "feeder1", {"amount": 5}, None, "ann"), roster)
    with pytest.raises(Invalid, match="must be empty for ping"):
        commands.check(NewCommand("new", "ping", "feeder1", {}, None, "ann"), roster)


def test_a_board_that_sleeps_is_offline_until_it_is_heard(desk: Desk) -> None:
    desk.startup("b1", 2)
    desk.status("asleep", "b1", 2, until=1_800_003_600)
    board = desk.core.roster.get("pond")
    assert board is not None
    assert (board.online, board.asleep_until) == (False, 1_800_003_600_000)
    desk.status("asleep", "b1", 1, until=1_800_007_200)  # a late one
    assert board.asleep_until == 1_800_003_600_000
    desk.status("offline", "b1", 2)
    assert board.asleep_until is None
    desk.startup("b2", 1)
    assert (board.online, board.asleep_until) == (True, None)
