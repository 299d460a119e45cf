"""Limits that boards watch, and what they do of it by themselves."""

from typing import Any

import pytest

from backend.automations import rules
from backend.delivery import commands
from backend.errors import Invalid
from backend.fleet import boards
from tests.automations.garden import FILL, OFF, ON, Garden

DO = '{"command_type":"switch","target":"light1","parameters":{"state":"on"}}'


def told(garden: Garden) -> list[dict[str, Any]]:
    """The parameters of each update_config that was just published."""
    return [message["parameters"] for _, message in garden.desk.out.publish
            if message["command_type"] == "update_config"]  # fmt: skip


def cross(garden: Garden, name: str, state: str) -> None:
    message = {"boot": "b1", "sensor": "oxygen1", "limit": name, "state": state,
               "value": 3.5, "unit": "mg/l", "timestamp": garden.desk.now // 1000}  # fmt: skip
    garden.desk.say("threshold", "threshold", message)


def newest(garden: Garden) -> dict[str, Any]:
    return config(garden)[0]


def config(garden: Garden) -> list[dict[str, Any]]:
    """Newest first."""
    return commands.find(command_type="update_config")


def test_a_board_is_told_and_judges_once_it_has_it(garden: Garden) -> None:
    rule = garden.rule(push="limit", for_s=5)
    [limit] = told(garden)
    name = f"limits-a{rule}_1-"
    assert limit == {name + "sensor": "oxygen1", name + "below": 4.0, name + "hysteresis": 1.0,
                     name + "for_s": 5}  # fmt: skip
    garden.read(3)
    assert garden.row(rule).phase == "beyond", "till then the backend judges"
    garden.desk.ack(newest(garden), "completed", limits=1)
    assert rules.find()[0]["pushed"]
    garden.at(10).read(3)
    assert garden.told(rule) == []
    cross(garden, f"a{rule}_1", "crossed")
    assert garden.told(rule) == [("crossed", "EXECUTING", None)]
    garden.desk.restart()
    assert rules.find()[0]["pushed"]


def test_a_new_boot_is_told_again_and_another_revision_too(garden: Garden) -> None:
    rule = garden.rule(push="limit")
    garden.desk.ack(newest(garden), "completed", limits=1)
    garden.come()
    assert told(garden) == []
    garden.desk.startup(boot="b2")
    assert len(told(garden)) == 1
    garden.perform(rules.Change(rule, {"at": 3}))
    garden.desk.ack(newest(garden), "completed", boot="b2")
    garden.at(1)
    asked = {tuple(row["parameters"]) for row in config(garden)}
    assert (f"limits-a{rule}_1",) in asked and f"limits-a{rule}_2-below" in str(asked)


def test_where_the_board_acts_the_backend_does_not_and_keeps_what_it_did(garden: Garden) -> None:
    rule = garden.rule(push="action", repeat_s=60)
    [limit] = told(garden)
    assert limit[f"limits-a{rule}_1-do"] == DO
    assert limit[f"limits-a{rule}_1-every_s"] == 60
    garden.read(3)
    garden.desk.ack(newest(garden), "completed", limits=1)
    cross(garden, f"a{rule}_1", "crossed")
    assert garden.told(rule) == []
    local = {"id": f"a{rule}_1-do-b1-12345"}
    for _ in range(2):
        garden.desk.ack(local, "completed", seconds=600)
    assert garden.told(rule) == [("crossed", "COMPLETED", None)]
    assert (garden.last()["local_id"], garden.last()["command_id"]) == (local["id"], None)
    undo = {"id": f"a{rule}_1-undo-b1-22345"}
    garden.desk.ack(undo, "accepted", within=5)
    garden.desk.ack({"id": f"a{rule}_1-do-b1-32345"}, "accepted", within=5)
    assert garden.told(rule)[1:] == [
        ("cleared", "FAILED", "unknown"),
        ("crossed", "EXECUTING", None),
    ]
    garden.desk.ack(undo, "completed")
    assert garden.told(rule)[1] == ("cleared", "COMPLETED", None)


def test_a_limit_nobody_wants_is_taken_away(garden: Garden) -> None:
    cross(garden, "a77_3", "crossed")
    assert told(garden) == [{"limits-a77_3": ""}]
    cross(garden, "low", "crossed")
    assert told(garden) == [], "it is the board's own"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"action": {**FILL, "target": "valve1", "board_id": "other"}}, "action.board_id"),
        ({"action": {**ON, "target": "", "command_type": "ping", "parameters": {}}},
         "action.board_id"),
    ],
)  # fmt: skip
def test_a_board_acts_on_its_own_actuators_only(
    garden: Garden, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as why:
        garden.rule(push="action", clear_action=OFF, **values)
    assert why.value.field == field


def test_a_board_that_still_acts_beside_the_backend_ends_nothing(garden: Garden) -> None:
    rule = garden.rule(push="action")
    garden.perform(rules.Change(rule, {"push": ""}))
    garden.at(2).read(3)
    assert garden.told(rule) == [("crossed", "EXECUTING", None)]
    garden.desk.ack({"id": f"a{rule}_1-do-b1-12345"}, "accepted", within=5)
    garden.desk.ack({"id": f"a{rule}_1-do-b1-12345"}, "completed")
    garden.done()
    assert garden.told(rule) == [("crossed", "COMPLETED", None)] * 2


def test_a_board_of_another_dialect_watches_nothing(garden: Garden) -> None:
    board_id = boards.enroll("a1:b2:c3:d4:e5:f6", 1, dialect="esp32cam")["board_id"]
    garden.desk.core.roster.add(boards.presence(board_id))
    with pytest.raises(Invalid) as why:
        garden.rule(board_id=board_id, push="action")
    assert why.value.field == "push"
