"""Automations over HTTP: what is refused, and how."""

from typing import Any

import pytest

from tests.web.pond import Pond
from tests.web.site import Client

ON = {"board_id": "pond", "command_type": "switch", "target": "light1",
      "parameters": {"state": "on"}}  # fmt: skip
RULE = {"name": "Aerator", "board_id": "pond", "sensor": "oxygen1", "action": ON}


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"at": "4"}, 400, "at"),
        ({"at": 1e300}, 400, "at"),
        ({"for_s": 1.5}, 400, "for_s"),
        ({"for_s": 86401}, 400, "for_s"),
        ({"comparison": "equal"}, 400, "comparison"),
        ({"push": True}, 400, "push"),
        ({"action": []}, 400, "action"),
        ({"action": {**ON, "target": "motor1"}}, 400, "action.target"),
        ({"phase": "crossed"}, 400, "phase"),
        ({"board_id": "nowhere"}, 404, "board_id"),
    ],
)
def test_what_is_wrong_is_named(
    pond: Pond, program: Client, values: dict[str, Any], status: int, field: str
) -> None:
    reply = program.call("POST", "automations", {**RULE, **values})
    assert (reply.status, reply.json["field"]) == (status, field), reply.json
    assert program.call("GET", "automations").json == {"automations": []}


def test_a_change_that_is_wrong_changes_nothing(pond: Pond, program: Client) -> None:
    made = program.call("POST", "automations", RULE)
    address = made.headers["Location"]
    assert program.call("PATCH", address, {"priority": 1000}).json["field"] == "priority"
    assert program.call("PATCH", address, {"action": None}).json["field"] == "action"
    assert program.call("GET", address).json == made.json
    assert program.call("PATCH", address, {"priority": 7}).json["priority"] == 7
    for gone in ("automations/0", "automations/x", "automations/99999999999999999999"):
        assert program.call("GET", gone).json["error"] == "unknown_automation"
    assert program.call("DELETE", address).status == 204
    assert program.call("DELETE", address).status == 404


def test_executions_are_asked_for_by_kind(program: Client) -> None:
    for query in ("type=OTHER", "status=SENT", "limit=0", "type=MANUAL_COMMAND&automation_id=1"):
        assert program.call("GET", f"executions?{query}").status == 400, query
    for number in (1, 2, 3):
        program.feed(amount=number)
    first = program.call("GET", "executions?type=MANUAL_COMMAND&limit=2").json
    assert [one["type"] for one in first["executions"]] == ["MANUAL_COMMAND"] * 2
    rest = program.call("GET", f"executions?type=MANUAL_COMMAND&before={first['before']}").json
    assert (len(rest["executions"]), rest["before"]) == (1, None)
