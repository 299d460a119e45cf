"""Online and offline: from heartbeats, with the will as a hint, and sessions as epochs."""

import pytest

from backend.delivery import commands
from backend.delivery.wishes import NewCommand
from backend.errors import Invalid
from backend.fleet.presence import Presence, Roster
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
    desk.at(1).heartbeat()
    desk.at(7).tick()  # its topic is noted
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


def test_each_link_hears_its_own_boards_alone() -> None:
    roster = Roster(frozenset({"garda", "como"}))
    boards = [Presence("g", b"", site="garda"), Presence("c", b"", site="como")]
    boards += [Presence("e", b"", site="elba"), Presence("n", b"")]
    for board in boards:
        roster.add(board)
    assert [roster.link_of(board) for board in boards] == ["garda", "como", "", ""]
    for link in ("", "garda", "como"):
        roster.listen(0, link)
    for board in boards:
        roster.heard(board, 1_000)
    assert roster.listen(None, "como") == boards[1:2]
    assert [board.online for board in boards] == [True, None, True, True]
    assert [roster.may_hear(name) for name in "gcen"] == [True, False, True, True]
    for name in "gen":
        roster.heard(boards["gcen".index(name)], 30_000)
    roster.listen(40_000, "como")
    assert roster.silent(60_000) == [] and roster.next_due() == 65_000
    assert {board.board_id for board in roster.silent(75_000)} == set("gcen")


def test_a_site_that_gets_a_link_takes_its_boards_along_and_back() -> None:
    roster = Roster()
    garda, other = Presence("g", b"", site="garda"), Presence("o", b"", site="como")
    for board in (garda, other):
        roster.add(board)
    roster.listen(0)
    for board in (garda, other):
        roster.heard(board, 1_000)
    assert roster.route(frozenset({"garda"}), 2_000) == [garda]
    assert (garda.online, other.online) == (None, True)
    assert not roster.may_hear("g") and roster.silent(35_999) == []
    assert roster.route(frozenset(), 10_000) == [garda]
    roster.heard(other, 20_000)
    assert roster.silent(44_999) == [] and roster.silent(45_000) == [garda]
