"""Conditions over HTTP: checked by field, sent with the command, and told in words."""

from typing import Any

import pytest

from tests.backend.running import eventually
from tests.web.pond import Pond
from tests.web.site import FEED, Client, Site

LOW = {"sensor": "oxygen1", "below": 4.5, "max_age_s": 60}
DARK = {"output": "light1", "is": "off"}
BODY: dict[str, Any] = {**FEED, "parameters": {"amount": 20}, "conditions": [LOW, DARK]}


@pytest.fixture
def known(pond: Pond) -> Pond:
    """A board that knows conditions."""
    pond.arrive(has="conditions")
    return pond


def test_it_is_sent_with_them_and_says_which_did_not_hold(known: Pond, program: Client) -> None:
    posted = program.call("POST", "commands", BODY)
    assert (posted.status, posted.json["conditions"]) == (202, [LOW, DARK])
    command = known.next_command()
    assert command["command_type"] == "feed_if" and command["conditions"] == [LOW, DARK]
    known.say(command, "failed", "condition", condition=0, found=6.25)
    path = f"commands/{posted.json['id']}"
    eventually(lambda: program.call("GET", path).json["status"] == "FAILED")
    shown = program.call("GET", path).json
    assert shown["message"] == "oxygen1 must be below 4.5, and it was 6.25"
    assert (shown["command_type"], shown["conditions"]) == ("feed", [LOW, DARK])


def test_a_key_is_for_the_same_conditions(known: Pond, program: Client) -> None:
    first = program.call("POST", "commands", BODY, Idempotency_Key="if")
    again = program.call("POST", "commands", BODY, Idempotency_Key="if")
    other = program.call("POST", "commands", {**BODY, "conditions": [LOW]}, Idempotency_Key="if")
    assert first.json["id"] == again.json["id"]
    assert (other.status, other.json["field"]) == (409, "Idempotency-Key")
    program.call("POST", f"commands/{first.json['id']}/cancel")


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        (LOW, "conditions"),
        (["light1"], "conditions"),
        ([LOW] * 5, "conditions"),
        ([{"sensor": "oxygen1", "below": "4", "max_age_s": 9}], "conditions[0].below"),
        ([DARK, {"sensor": "oxygen1", "below": 4}], "conditions[1].max_age_s"),
        ([DARK, {**DARK, "output": "light9"}], "conditions[1].output"),
        ([{**DARK, "is": "dark"}], "conditions[0].is"),
        ([{**DARK, "not": True}], "conditions[0].not"),
    ],
)
def test_wrong_ones_are_refused_by_field(
    known: Pond, program: Client, conditions: Any, field: str
) -> None:
    reply = program.call("POST", "commands", {**BODY, "conditions": conditions})
    assert (reply.status, reply.json["field"]) == (400, field)


def test_what_is_too_long_for_a_message_is_refused(known: Pond, program: Client) -> None:
    settings = {f"x{number}": "é" * 190 for number in range(10)}
    body = {"board_id": "pond", "command_type": "update_config", "parameters": settings}
    reply = program.call("POST", "commands", {**body, "conditions": [DARK]})
    assert (reply.status, reply.json["error"]) == (400, "too_large")
    assert reply.json["field"] == "conditions"


def test_a_stop_has_none(known: Pond, program: Client) -> None:
    stop = {"board_id": "pond", "command_type": "stop", "conditions": [DARK]}
    reply = program.call("POST", "commands", stop)
    assert (reply.status, reply.json["field"]) == (400, "conditions")
    assert "a stop depends on nothing" in reply.json["message"]


def test_a_board_that_knows_none_is_given_none(pond: Pond, program: Client, site: Site) -> None:
    reply = program.call("POST", "commands", BODY)
    assert (reply.status, reply.json["error"]) == (409, "no_conditions")
    assert "update it first" in reply.json["message"]
    site.station.backend.enroll("hall", dialect="museum", options={"targets": {"l": "r1/light"}})
    body = {"board_id": "hall", "command_type": "switch", "target": "l",
            "parameters": {"state": "on"}, "conditions": [DARK]}  # fmt: skip
    reply = program.call("POST", "commands", body)
    assert (reply.status, reply.json["field"]) == (400, "conditions")
    assert (
        reply.json["message"] == "conditions must not be there: museum boards know no conditions"
    )


def test_what_nobody_has_heard_of_is_left_to_the_board(site: Site, program: Client) -> None:
    site.station.backend.enroll("well")
    posted = program.call("POST", "commands", {**BODY, "board_id": "well"})
    assert posted.status == 202
    program.call("POST", f"commands/{posted.json['id']}/cancel")
