"""Several want one target: who wins, and what the loser's record says."""

from typing import Any

from backend.delivery import commands
from backend.delivery.priorities import ALL_STOPS
from tests.automations.garden import DRAIN, FILL, OFF, ON, Garden

HOT: dict[str, Any] = {"name": "Hot", "sensor": "temperature1", "comparison": "above", "at": 30.0}


def history(command_id: str) -> list[tuple[str, dict[str, Any]]]:
    return [(step["event"], step["detail"]) for step in commands.get(command_id)["history"]]


def test_the_higher_priority_ends_what_runs(garden: Garden) -> None:
    low = garden.rule(action=FILL, clear_action=None, priority=400)
    high = garden.rule(**HOT, action=DRAIN, clear_action=None, priority=500)
    garden.read(3)
    first = garden.commands()[0]
    garden.desk.ack(first, "accepted", within=31)
    garden.at(2).read(31, "temperature1")
    second = garden.commands()[1]
    assert ("cancel", first["id"]) in garden.desk.sent()
    assert garden.desk.stands(second) == "PENDING", "it waits until the valve is free"
    garden.desk.ack(first, "failed", "stopped", ran_ms=2000)
    assert ("water", second["id"]) in garden.desk.sent()
    assert garden.told(low) == [("crossed", "FAILED", "outranked")]
    detail = garden.last(low)["detail"]
    assert detail == {"outranked_by": second["id"], "cause": second["cause"], "priority": 500}
    assert ("cancel", detail) in history(first["id"])
    assert garden.told(high) == [("crossed", "EXECUTING", None)]


def test_what_came_to_its_end_before_it_was_called_off_is_completed(garden: Garden) -> None:
    low = garden.rule(action=FILL, clear_action=None, priority=400)
    garden.rule(**HOT, action=DRAIN, clear_action=None, priority=500)
    garden.read(3)
    garden.desk.ack(garden.commands()[0], "accepted", within=31)
    garden.at(2).read(31, "temperature1")
    garden.desk.ack(garden.commands()[0], "completed", ran_ms=30_000)
    assert garden.told(low) == [("crossed", "COMPLETED", None)]


def test_the_lower_priority_is_refused_once_and_comes_when_the_target_is_free(
    garden: Garden,
) -> None:
    high = garden.rule(name="High", priority=500)
    low = garden.rule(**HOT, action=OFF, clear_action=None, priority=400)
    garden.read(3)
    garden.done(seconds=600)
    garden.at(1).read(31, "temperature1")
    assert garden.told(low) == [("crossed", "FAILED", "outranked")]
    assert garden.last(low)["detail"]["outranked_by"] == f"automation/{high}"
    garden.at(400)
    assert len(garden.told(low)) == 1, "it is not told of again and again"
    garden.read(6)
    garden.done()
    garden.at(465)
    assert garden.told(low)[1:] == [("crossed", "EXECUTING", None)]


def test_among_equals_who_was_first_holds_the_target(garden: Garden) -> None:
    first = garden.rule(name="First")
    second = garden.rule(name="Second", action=OFF, clear_action=ON)
    garden.read(3)  # both at once: the older rule
    assert garden.told(first) == [("crossed", "EXECUTING", None)]
    assert garden.told(second) == [("crossed", "FAILED", "outranked")]


def test_a_person_ends_what_a_rule_does_and_is_left_alone_afterwards(garden: Garden) -> None:
    rule = garden.rule(manual_hold_s=100, cooldown_s=0)
    garden.leave()
    garden.read(3)
    mine = garden.desk.post("switch", "light1", parameters={"state": "on", "seconds": 50})
    assert garden.told(rule) == [("crossed", "FAILED", "outranked")]
    assert garden.last()["detail"]["outranked_by"] == mine["id"]
    garden.come()
    garden.desk.ack(mine, "completed", seconds=50)
    garden.at(10).read(6)
    garden.at(11).read(3)
    assert garden.told(rule)[1:] == [("crossed", "FAILED", "outranked")]
    garden.at(149)
    assert len(garden.told(rule)) == 2, "what was set stays on for 50 s, and the hold is 100 s"
    garden.at(151)
    assert garden.told(rule)[2:] == [("crossed", "EXECUTING", None)]


def test_what_a_person_undoes_is_done_anew_after_the_hold(garden: Garden) -> None:
    rule = garden.rule(manual_hold_s=100)
    garden.read(3)
    garden.done(seconds=600)
    off = garden.desk.post("switch", "light1", parameters={"state": "off"})
    garden.desk.ack(off, "completed")
    garden.at(99)
    assert len(garden.told(rule)) == 1
    garden.at(101)
    assert garden.told(rule)[1:] == [("crossed", "EXECUTING", None)]


def test_a_stop_comes_first_and_the_record_names_it(garden: Garden) -> None:
    assert ALL_STOPS == ("stop", "emergency_stop")
    rule = garden.rule(action=FILL, clear_action=None)
    garden.read(3)
    garden.done("accepted", within=31)
    stop = garden.desk.post("stop", "")
    garden.desk.ack(stop, "completed")
    garden.done("failed", "stopped", ran_ms=100)
    assert garden.told(rule) == [("crossed", "FAILED", "stopped")]
    assert garden.last()["detail"] == {"stopped_by": stop["id"]}


def test_an_off_of_a_rule_waits_for_nobody_but_outranks_nobody_either(garden: Garden) -> None:
    rule = garden.rule(name="Off", action=OFF, clear_action=None)
    mine = garden.desk.post("switch", "light1", parameters={"state": "on", "seconds": 50})
    garden.read(3)
    assert garden.told(rule) == [("crossed", "FAILED", "outranked")]
    assert garden.desk.stands(mine) == "SENT"


def test_people_queue_as_ever(garden: Garden) -> None:
    first, second = garden.desk.post(), garden.desk.post()
    assert [garden.desk.stands(one) for one in (first, second)] == ["SENT", "PENDING"]
