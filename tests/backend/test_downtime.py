"""Downtimes: when a board was away and why, and what is none; the silence a board is given."""

import random
from typing import Any

import pytest

from backend.database.models import Board
from backend.delivery.core import Batch
from backend.fleet import boards, downtime
from backend.fleet.downtime import Downtime
from backend.fleet.presence import Presence
from backend.fleet.silence import LONGEST_MS, SHORTEST_MS, Deadlines, Pace
from tests.backend.conftest import START, Desk

Times = list[tuple[float, float | None, str]]


def pond(desk: Desk) -> Presence:
    board = desk.core.roster.get("pond")
    assert board is not None
    return board


def times(board_id: str = "pond") -> Times:
    """(from, until, why) of a board's downtimes, oldest first, in seconds since the start."""

    def since_start(ms: Any) -> float | None:
        return None if ms is None else (ms - START) / 1000

    rows = downtime.find(board_id, 100)[::-1]
    return [(since_start(r["from_at"]) or 0, since_start(r["until_at"]), r["why"]) for r in rows]


def test_silence_is_a_downtime_from_when_the_board_was_last_heard(desk: Desk) -> None:
    desk.startup()
    desk.at(20).heartbeat()
    desk.at(54).tick()
    assert times() == []
    desk.at(55).tick()
    desk.at(90).tick()
    assert times() == [(20, None, "silent")]
    desk.at(100.5).heartbeat()
    desk.at(110.5).heartbeat()
    assert times() == [(20, 100.5, "silent")]


def test_a_will_is_one_and_what_follows_is_the_same(desk: Desk) -> None:
    desk.startup()
    desk.at(7).status("offline")
    desk.at(60).tick()
    desk.status("offline")
    assert times() == [(0, None, "will")]
    desk.at(61).startup(session=2)
    desk.status("offline")  # of the session before
    assert times() == [(0, 61, "will")]


def test_coming_and_going_in_one_transaction_is_told_in_order(desk: Desk) -> None:
    desk.startup()
    desk.status("offline")
    heard = []
    for session, status in ((2, "online"), (2, "offline"), (3, "online"), (3, "offline")):
        said = {"status": status, "boot": "b1", "session": session, "until": 0}
        heard.append(desk.core.ingest.read("devices/pond/status", desk.signed("status", said)))
    desk.at(5).hear(heard)
    assert times() == [(0, 5, "will"), (5, 5, "will"), (5, None, "will")]


@pytest.mark.parametrize("away", [5, 3600])
def test_a_restart_of_the_backend_opens_none_and_closes_none(desk: Desk, away: int) -> None:
    desk.startup()
    boards.enroll("other", START)
    desk.at(away).restart()
    desk.at(away + 34).tick()
    desk.heartbeat()
    desk.at(away + 60).tick()
    assert times() == [] == times("other")  # that one was never there
    desk.at(away + 90).tick()
    assert times() == [(away + 34, None, "silent")]
    desk.restart()
    desk.at(away + 200).tick()
    assert times() == [(away + 34, None, "silent")]
    desk.heartbeat()
    assert times() == [(away + 34, away + 200, "silent")]


def test_who_left_while_nobody_listened_is_missed_from_when_somebody_did(desk: Desk) -> None:
    desk.startup()
    desk.at(600).restart()
    desk.at(635).tick()
    assert times() == [(600, None, "silent")]


def test_an_outage_of_the_broker_is_none(desk: Desk) -> None:
    desk.startup()
    desk.at(30)
    desk.core.roster.listen(None)
    desk.at(3_000).tick()
    desk.core.roster.listen(desk.now)
    desk.at(3_020).heartbeat()
    desk.at(3_040).tick()
    assert times() == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_sleeper_is_missed_when_it_should_have_woken(desk: Desk, restarted: bool) -> None:
    desk.startup()
    desk.at(10).status("asleep", until=START // 1000 + 600)
    if restarted:
        desk.at(100).restart()
    desk.at(659).tick()
    assert (times(), pond(desk).asleep_until) == ([], START + 600_000)
    desk.at(660).tick()
    assert times() == [(600, None, "asleep-overdue")]
    desk.at(700).startup("b2")
    assert times() == [(600, 700, "asleep-overdue")]
    assert Board.get_by_id("pond").asleep_until is None


def test_only_active_boards_are_missed(desk: Desk) -> None:
    desk.startup()
    pond(desk).state = "retired"
    desk.at(100).tick()
    assert (times(), pond(desk).online) == ([], False)


def test_there_is_one_open_downtime_of_a_board_whatever_happens(desk: Desk) -> None:
    with desk.database.atomic():
        Downtime.insert(board_id="pond", from_at=1, why="silent").execute()
    with pytest.raises(Exception, match="UNIQUE"), desk.database.atomic():
        Downtime.insert(board_id="pond", from_at=2, why="will").execute()


@pytest.mark.parametrize(("every", "limit"), [(60, 185), (10, 35), (2, 15)])
def test_the_silence_a_board_is_given_follows_its_beat(desk: Desk, every: int, limit: int) -> None:
    desk.startup()
    for beat in range(1, 120):
        desk.at(beat * every).heartbeat()
    assert desk.core.roster.is_online("pond")
    assert boards.public(pond(desk))["silence_s"] == pytest.approx(limit, abs=1.5)
    desk.at(119 * every + limit - 2).tick()
    assert desk.core.roster.is_online("pond")
    desk.at(119 * every + limit + 2).tick()
    assert not desk.core.roster.is_online("pond")


def test_what_lies_between_sessions_is_no_beat(desk: Desk) -> None:
    desk.startup()
    for beat in range(10):
        desk.at(beat * 100).heartbeat(session=beat + 1)
    assert pond(desk).pace.every_ms == 10_000


def test_the_limit_stays_within_its_bounds() -> None:
    slow, fast = Pace(), Pace()
    for beat in range(1, 300):
        slow.beat(beat * 180_000)
        fast.beat(beat)
    assert (slow.limit_ms, fast.limit_ms) == (545_000, SHORTEST_MS)
    assert Pace(every_ms=1e9).limit_ms == LONGEST_MS


def test_deadlines_are_what_a_list_of_them_would_be(seed: int) -> None:
    rng, real, plain = random.Random(seed), Deadlines(), dict[str, int]()
    for now in range(2_000):
        name, at = rng.choice("abcdef"), now + rng.randrange(1, 50)
        if rng.random() < 0.5:
            real.set(name, at)
            plain[name] = at
        elif rng.random() < 0.3:
            real.pop(name)
            plain.pop(name, None)
        elif rng.random() < 0.05:
            real.shift(7)
            plain = {one: due + 7 for one, due in plain.items()}
        due = {one for one, at in plain.items() if at <= now}
        assert set(real.over(now)) == due
        plain = {one: at for one, at in plain.items() if one not in due}
        first = real.next()
        assert not plain or (first is not None and first <= min(plain.values()))
        assert len(real._heap) < 100


def test_a_board_that_is_moved_to_another_link_is_given_the_time_to_come(desk: Desk) -> None:
    desk.at(59).startup()
    desk.core.roster.route(frozenset({"far"}), desk.now)
    desk.core.roster.listen(desk.now, "far")
    Board.update(site="far", revision=boards.revision() + 1).where(Board.id == "pond").execute()
    desk.core.apply(Batch([], [], [], look=True), desk.at(60).now)
    assert (pond(desk).online, times()) == (None, [])
    desk.at(94).tick()
    assert pond(desk).online is None
    desk.at(95).tick()
    assert (pond(desk).online, times()) == (False, [(59, None, "silent")])
