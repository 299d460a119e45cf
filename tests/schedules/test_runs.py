"""The same command to many boards: each once, at its pace, called off where it was not sent."""

import random
from typing import Any

import pytest

from backend.delivery import commands
from backend.delivery.core import Core
from backend.errors import Conflict, Invalid
from backend.fleet import boards
from backend.fleet.provisioning import Mapping, Retirement
from backend.schedules import records
from backend.schedules.rules import Steering
from tests.backend.conftest import START, Desk
from tests.backend.fleet import done, refusal, site
from tests.schedules.conftest import (
    MINUTE,
    bulk,
    made,
    one_command_each,
    runs,
    schedule,
    until,
)

COUNT = 12
TEN: dict[str, Any] = {"site": "lake", "per_minute": 10}


@pytest.fixture
def fleet(desk: Desk) -> Desk:
    """A dozen boards at the lake, b00 to b11, none of them heard."""
    site()
    for number in range(COUNT):
        boards.enroll(f"b{number:02}", START)
        done(desk, Mapping(f"b{number:02}", "lake", "ann"))
    for board in desk.core.roster.all():
        board.actuators = {"feeder1": {"kind": "feeder"}}
    return desk


def counts(run_id: int) -> dict[str, int]:
    found: dict[str, int] = records.run(run_id)["counts"]
    return found


def test_all_at_once_or_at_a_pace(fleet: Desk) -> None:
    run_id = bulk(fleet, site="lake")
    assert counts(run_id) == {"PENDING": COUNT}
    slow = bulk(fleet, **TEN)
    assert counts(slow) == {"PENDING": 1, "WAITING": COUNT - 1}
    for seconds, posted in ((5, 1), (6, 2), (11, 2), (12, 3), (30, 6)):
        until(fleet, START + seconds * 1000)
        assert counts(slow)["PENDING"] == posted, seconds
    assert {(row["user"], row["priority"]) for row in made()} == {("ann", 1000)}
    one_command_each()


def test_what_was_late_is_not_made_up_for_and_a_clock_set_holds_nothing_up(fleet: Desk) -> None:
    run_id = bulk(fleet, **TEN)
    fleet.at(30).restart()
    until(fleet, START + 35_000)
    assert counts(run_id)["PENDING"] == 2
    fleet.at(-3600)
    fleet.core.clock_set(-3_635_000, fleet.now)
    until(fleet, fleet.now + 6_000)
    assert counts(run_id)["PENDING"] == 3
    one_command_each()


def test_a_restart_in_the_middle_neither_loses_nor_doubles(fleet: Desk) -> None:
    run_id, choice = bulk(fleet, **TEN, expires_in=3600), random.Random(1)
    cores = [fleet.core, Core(random.Random(2))]
    while counts(run_id).get("WAITING"):
        fleet.now += choice.randrange(3_000)
        fleet.core = choice.choice(cores)
        fleet.tick()
        if choice.random() < 0.3:
            fleet.restart()
            cores[choice.randrange(2)] = fleet.core
        one_command_each()
    assert counts(run_id) == {"PENDING": COUNT}


def test_pause_and_cancel_the_rest(fleet: Desk) -> None:
    run_id = bulk(fleet, **TEN, expires_in=3600)
    until(fleet, START + 13_000)
    done(fleet, Steering(run_id, "pause", "bob"))
    until(fleet, START + 60_000)
    assert counts(run_id)["PENDING"] == 3 and records.run(run_id)["state"] == "paused"
    done(fleet, Steering(run_id, "resume", "bob"))
    assert counts(run_id)["PENDING"] == 4
    first = records.boards_of(run_id, 1)[0]["command_id"]
    done(fleet, Steering(run_id, "cancel", "bob"))
    assert sum(counts(run_id).values()) == COUNT
    assert counts(run_id) == {"CANCELLED": 4, "CALLED_OFF": COUNT - 4}
    assert records.run(run_id)["state"] == "cancelled" and records.run(run_id)["ended_at"]
    assert commands.get(first)["history"][-1]["actor"] == "bob"
    for what in ("cancel", "pause", "resume"):
        assert refusal(fleet, Steering(run_id, what, "bob")) == ("ended", "run_id")
    assert refusal(fleet, Steering(99, "cancel", "bob")) == ("unknown_run", "run_id")


def test_what_was_sent_goes_on_when_the_rest_is_called_off(desk: Desk) -> None:
    desk.startup()
    boards.enroll("away", START)
    away = boards.presence("away")
    away.actuators = {"feeder1": {"kind": "feeder"}}
    desk.core.roster.add(away)
    run_id = bulk(desk, boards=["pond", "away"])
    assert counts(run_id) == {"SENT": 1, "PENDING": 1}
    done(desk, Steering(run_id, "cancel", "bob"))
    assert counts(run_id) == {"SENT": 1, "CANCELLED": 1}
    assert records.run(run_id)["ended_at"] is None
    desk.ack(made()[0], "completed")
    desk.tick()
    assert counts(run_id) == {"COMPLETED": 1, "CANCELLED": 1}
    assert records.run(run_id)["ended_at"] is not None


def test_one_that_cannot_be_asked_is_refused_and_says_why(fleet: Desk) -> None:
    board = fleet.core.roster.get("b01")
    assert board is not None
    board.actuators = {"valve1": {"kind": "valve"}}
    run_id = bulk(fleet, **TEN)
    done(fleet, Retirement("b02", "bob"))
    site("river")
    done(fleet, Mapping("b03", "river", "bob"))
    until(fleet, START + 30_000)
    rows = {row["board_id"]: row for row in records.boards_of(run_id, 10)}
    assert rows["b01"]["status"] == rows["b02"]["status"] == rows["b03"]["status"] == "REFUSED"
    assert "target" in rows["b01"]["error"] and "retired" in rows["b02"]["error"]
    assert "left the site" in rows["b03"]["error"]


def test_the_same_key_is_one_run(fleet: Desk) -> None:
    run_id = bulk(fleet, "k1", site="lake")
    assert bulk(fleet, "k1", site="lake") == run_id
    assert isinstance(bulk(fleet, "k1", site="lake", per_minute=3), Conflict)
    assert bulk(fleet, "k2", site="lake") != run_id
    assert isinstance(bulk(fleet, "a key", site="lake"), Invalid)
    assert isinstance(bulk(fleet, boards=["moon"]), Invalid)
    assert isinstance(bulk(fleet, label="none"), Invalid)


def test_a_schedule_goes_to_those_who_are_there_when_it_is_due(fleet: Desk) -> None:
    number = schedule(fleet, site="lake")
    done(fleet, Retirement("b00", "bob"))
    until(fleet, START + 5 * MINUTE)
    assert records.schedule(number)["last_run"]["total"] == COUNT - 1


def test_a_large_fleet_is_posted_in_pieces(desk: Desk) -> None:
    site()
    for number in range(250):
        boards.insert(f"b{number:03}", START, name="x", key="ab" * 32, password="", site="lake",
                      actuators='{"feeder1": {"kind": "feeder"}}')  # fmt: skip
    desk.restart()
    run_id: Any = bulk(desk, site="lake")
    assert counts(run_id) == {"PENDING": 50, "WAITING": 200}
    until(desk, START)
    assert counts(run_id) == {"PENDING": 250}
    one_command_each()


def test_a_board_waits_while_its_target_is_somebody_elses(fleet: Desk) -> None:
    mine = fleet.post(board_id="b00", expires_in=3600)
    rule = schedule(fleet, site="lake", expires_in=20)
    until(fleet, START + 5 * MINUTE)
    [run] = runs(rule)
    assert counts(run["id"]) == {"WAITING": 1, "PENDING": COUNT - 1}
    [held] = [one for one in records.boards_of(run["id"], 20) if one["status"] == "WAITING"]
    assert (held["board_id"], "is held by" in held["error"]) == ("b00", True)
    fleet.restart()
    fleet.cancel(mine)
    until(fleet, fleet.now + 1_000)
    assert counts(run["id"]) == {"PENDING": COUNT}
    one_command_each()


def test_a_board_waits_for_its_target_no_longer_than_its_command_lives(fleet: Desk) -> None:
    fleet.post(board_id="b00", expires_in=3600)
    rule = schedule(fleet, boards=["b00"], expires_in=20)
    until(fleet, START + 5 * MINUTE + 19_000)
    [run] = runs(rule)
    assert counts(run["id"]) == {"WAITING": 1}
    until(fleet, fleet.now + 2_000)
    assert (counts(run["id"]), records.run(run["id"])["state"]) == ({"REFUSED": 1}, "done")
