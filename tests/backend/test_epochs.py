"""Sessions and boots as epochs: what comes late takes no board back to where it was."""

import pytest

from backend.fleet.presence import Presence
from tests.backend.conftest import Desk

SILENCE = 35  # seconds


def pond(desk: Desk) -> Presence:
    board = desk.core.roster.get("pond")
    assert board is not None
    return board


def test_a_late_heartbeat_of_an_older_session_changes_nothing(desk: Desk) -> None:
    desk.startup("b1", 4)
    desk.startup("b1", 5)
    desk.heartbeat("b1", 4)
    assert pond(desk).session == 5
    desk.status("offline", "b1", 4)
    assert desk.core.roster.is_online("pond")


def test_the_will_of_a_later_session_than_was_heard_counts(desk: Desk) -> None:
    desk.startup("b1", 4)
    desk.status("offline", "b1", 5)
    assert pond(desk).online is False
    desk.heartbeat("b1", 4)
    assert pond(desk).online is False


def test_a_late_startup_does_not_bring_back_the_actuators_of_then(desk: Desk) -> None:
    desk.startup("b1", 4)
    desk.startup("b2", 1)
    pond(desk).firmware = "newer"
    out = desk.startup("b1", 4)
    assert (pond(desk).boot, pond(desk).firmware) == ("b2", "newer")
    assert out.publish[0][1]["parameters"] == {"boot": "b1", "session": 4}  # told all the same


@pytest.mark.parametrize("sign", ["heartbeat", "status"])
def test_a_new_boot_whose_startup_was_lost_is_asked_what_it_knows(desk: Desk, sign: str) -> None:
    desk.startup("b1")
    row = desk.post()
    desk.ack(row, "accepted", within=600)
    desk.heartbeat("b2") if sign == "heartbeat" else desk.status("online", "b2")
    assert desk.stands(row) == "UNKNOWN"
    assert desk.sent() == [("query", row["id"])]
    desk.restart()
    assert pond(desk).boot == "b2"


def test_a_late_word_of_an_older_boot_is_no_reboot(desk: Desk) -> None:
    desk.startup("b1")
    desk.startup("b2")
    row = desk.post()
    desk.ack(row, "accepted", boot="b2", within=600)
    desk.heartbeat("b1")
    desk.heartbeat("b2")
    desk.status("online", "b1")
    assert (pond(desk).boot, desk.stands(row)) == ("b2", "ACKNOWLEDGED")


def test_who_took_a_late_boot_for_the_newest_is_put_right(desk: Desk) -> None:
    desk.startup("b2")
    desk.startup("b1")  # sent before, never heard, and held back by the broker until now
    desk.at(10).heartbeat("b2")
    assert pond(desk).boot == "b1"
    desk.at(20).heartbeat("b2")
    assert pond(desk).boot == "b2"
    desk.at(20 + SILENCE - 1).tick()
    assert desk.core.roster.is_online("pond")


def test_an_old_boot_comes_back_with_no_older_session(desk: Desk) -> None:
    desk.startup("b1", 7)
    desk.startup("b2")
    for _ in range(3):
        desk.startup("b1", 6)
    assert pond(desk).boot == "b2"


def test_what_was_heard_before_the_link_was_lost_is_known_no_more(desk: Desk) -> None:
    desk.startup()
    desk.core.roster.listen(desk.now)  # connected anew, without a word of the end before
    assert pond(desk).online is None
