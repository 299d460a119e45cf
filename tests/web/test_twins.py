"""Dry runs over HTTP: a real twin answers, and nothing else has heard of it."""

import queue
import time
from typing import Any

import pytest
from protocol.topics import SENSORS

from backend.database.models import Command, History
from backend.delivery.wishes import NewCommand
from backend.errors import Busy, Missing
from backend.fleet.twins import AT_ONCE, Twins
from backend.settings import Settings
from tests.backend.running import eventually
from tests.web.pond import ACTUATORS, Pond
from tests.web.site import FEED, Client, Site
from tests.web.test_openapi import validator
from tools import stage, twin

PINS = {
    "feeder1": {"pin": 16, "grams_per_second": 10},
    "valve1": {"fill_pin": 17, "drain_pin": 18},
    "motor1": {"pin": 19},
    "light1": {"pin": 21},
}
FULL = {name: {**about, **PINS[name]} for name, about in ACTUATORS.items()}
LOW = {"sensor": "oxygen1", "below": 4.5, "max_age_s": 60}
TRY: dict[str, Any] = {**FEED, "parameters": {"amount": 20}, "dry_run": True}


@pytest.fixture
def known(pond: Pond) -> Pond:
    """A board that has said all of itself."""
    complete(pond)
    return pond


def complete(pond: Pond) -> None:
    """Have the board say all of itself; its twin's flash is made, so that a try is quick."""
    twin.image()
    version = stage.version({"app/__init__.mpy": b""})
    pond.arrive(firmware=version, has="conditions sensors", actuators=FULL)


def counts() -> tuple[int, int]:
    return Command.select().count(), History.select().count()


def test_a_twin_answers_and_nothing_else_hears_of_it(known: Pond, program: Client) -> None:
    before = counts()
    key = {"Idempotency_Key": "a-try"}
    reply = program.call("POST", "commands", TRY, **key)
    assert reply.status == 200, reply.json
    did = reply.json
    validator("DryRun").validate(did)
    assert (did["status"], did["result"]) == ("COMPLETED", {"grams": 20, "ran_ms": 2000})
    assert did["took_ms"] == 2000 and did["twin"]["firmware"] in did["twin"]["same"][0]
    (feeder,) = [one for one in did["pins"] if one["output"] == "feeder1"]
    assert feeder["changes"] == [{"ms": 0, "percent": 100}, {"ms": 2000, "percent": 0}]
    assert counts() == before
    posted = program.call("POST", "commands", {**TRY, "dry_run": False}, **key)  # the key is free
    assert posted.status == 202
    assert known.next_command()["command_id"] == posted.json["id"]  # the first that was sent
    program.call("POST", f"commands/{posted.json['id']}/cancel")
    with pytest.raises(queue.Empty):
        while known.station.board.receive(0.2):
            pass


def test_it_is_fed_with_what_the_board_said_last(known: Pond, program: Client) -> None:
    body = {**TRY, "conditions": [LOW, {"output": "light1", "is": "off"}]}
    did = program.call("POST", "commands", body).json
    assert (did["status"], did["error"]) == ("FAILED", "condition")
    assert did["message"] == "oxygen1 must be below 4.5, and it is not known"
    reading = {"sensor": "oxygen1", "value": 3.5, "unit": "mg/l", "timestamp": int(time.time())}
    said = {"boot": "b1", "readings": [reading], "failed": {}}
    known.say_as(SENSORS, "sensors", said)
    eventually(lambda: program.call("GET", "boards/pond").json["sensors"])
    did = program.call("POST", "commands", body).json
    assert did["status"] == "COMPLETED"
    assert any(said.startswith("oxygen1 reads 3.5") for said in did["twin"]["same"])
    known.beat(light1="somebodys")
    eventually(lambda: program.call("GET", "boards/pond").json["running"])
    did = program.call("POST", "commands", body).json
    assert did["message"] == "light1 must be off, and it was on"
    known.beat()


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"dry_run": 1}, 400, "dry_run"),
        ({"command_type": "ping", "target": "", "parameters": {}}, 400, "dry_run"),
        ({"parameters": {"amount": 0}}, 400, "parameters.amount"),
        ({"target": "feeder9"}, 400, "target"),
        ({"conditions": [{"output": "x", "is": "on"}]}, 400, "conditions[0].output"),
        ({"board_id": "nowhere"}, 404, "board_id"),
    ],
)
def test_what_can_not_be_tried_is_refused_by_field(
    known: Pond, program: Client, change: dict[str, Any], status: int, field: str
) -> None:
    reply = program.call("POST", "commands", {**TRY, **change})
    assert (reply.status, reply.json["field"]) == (status, field)


def test_a_twin_that_would_differ_is_refused(pond: Pond, program: Client) -> None:
    pond.arrive(firmware="0.0.9", has="conditions", actuators=FULL)
    reply = program.call("POST", "commands", TRY)
    assert reply.status == 409
    assert reply.json["message"].startswith("the board runs 0.0.9, and the twin would run ")
    pond.arrive()  # older firmware, which says nothing of pins
    reply = program.call("POST", "commands", TRY)
    assert (reply.status, reply.json["error"]) == (409, "no_twin")


def test_where_none_can_run_it_says_what_to_do(known: Pond, site: Site) -> None:
    new = NewCommand("pond", "feed", "feeder1", {"amount": 20}, None, "ann")
    board = site.station.backend.board("pond")
    for command, words in (
        ("off", "TWIN_COMMAND"),
        ("/nowhere/twin", "No such file"),
        ("/bin/echo no JSON", "it said nothing"),
    ):
        with pytest.raises(Missing, match=words):
            Twins(command).try_out(new, board, 0)
    full = Twins(Settings().twin_command)
    for _ in range(AT_ONCE):
        full._places.acquire()
    with pytest.raises(Busy, match="run already"):
        full.try_out(new, board, 0)
