"""A twin does what its board would: the same pins at the same times, told by the same firmware."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from protocol import topics

from tests.link.site import FEEDER, GRAMS_PER_SECOND, LATE_MS, LIGHT, USERS, site
from tests.support.brokers import running
from tools import stage, twin
from tools.fleet import ACTUATORS

FILL = 17
POND = json.loads((ACTUATORS / "pond.json").read_text())["actuators"]
MUSEUM = json.loads((ACTUATORS / "museum.json").read_text())["actuators"]
LOW = {"sensor": "oxygen1", "below": 4.5, "max_age_s": 60}


def asked(
    verb: str, target: str, only_if: list[dict[str, Any]] | None = None, **given: Any
) -> dict[str, Any]:
    """A request about a pond's board that rests."""
    return {
        "firmware": stage.version({"app/__init__.mpy": b""}),
        "actuators": POND,
        "sensors": {},
        "running": [],
        "latched": False,
        "command": {
            "command_type": verb,
            "target": target,
            "parameters": given,
            "conditions": only_if or [],
        },
    }


def changes(answer: dict[str, Any], pin: int) -> list[tuple[float, int]]:
    (found,) = [one for one in answer["pins"] if one["pin"] == pin]
    return [(one["ms"], one["percent"]) for one in found["changes"]]


def last(answer: dict[str, Any]) -> tuple[str, str | None, dict[str, Any]]:
    said = answer["acks"][-1]
    return said["state"], said["error"], said["result"]


def test_its_pins_are_those_of_a_real_board(tmp_path: Path) -> None:
    commands: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
        ("feed", "feeder1", FEEDER, {"amount": 0.4 * GRAMS_PER_SECOND}),
        ("water", "valve1", FILL, {"action": "fill", "seconds": 1}),
        ("switch", "light1", LIGHT, {"state": "on", "seconds": 1}),
    )
    with running("embedded", tmp_path, USERS) as broker, site(tmp_path, broker) as real:
        board, backend, _ = real
        said = backend.wait(topics.STARTUP, {})  # all that anybody knows of it
        known = {name: said[name] for name in ("firmware", "actuators")}
        for verb, target, pin, given in commands:
            answer = twin.try_out({**asked(verb, target, **given), **known})
            command_id = backend.command(verb, target, **given)
            result = backend.result(command_id)["result"]
            board.wait_for("pin", pin=pin, value=0)
            pulse = board.pulses(pin)[-1]
            (on, up), (off, down) = changes(answer, pin)
            assert (on, up, down) == (0, 100, 0)
            assert pulse.off_by(off - on) <= LATE_MS
            assert [one["state"] for one in answer["acks"]] == backend.acks(command_id)
            told = answer["acks"][-1]["result"]
            assert told.keys() == result.keys()
            assert abs(told.get("ran_ms", 0) - result.get("ran_ms", 0)) <= LATE_MS + pulse.waited
            others = {one for one in (FEEDER, FILL, LIGHT) if one != pin}
            assert all(changes(answer, one) == [] for one in others)


def test_a_long_dose_takes_it_no_time() -> None:
    began = time.monotonic()
    answer = twin.try_out(asked("water", "valve1", action="drain", seconds=900))
    assert time.monotonic() - began < 10
    assert changes(answer, 18) == [(0, 100), (900_000, 0)]
    assert last(answer) == ("completed", None, {"ml": 45_000, "ran_ms": 900_000})
    assert answer["took_ms"] == 900_000


def test_speeds_levels_and_what_is_on_by_itself() -> None:
    request = asked("motor", "motor1", action="start", speed=25, seconds=60)
    request["actuators"] = {
        **MUSEUM,
        "lamp": {"kind": "switch", "pin": 25, "active_low": 1, "safe": 1, "longest_s": 9},
    }
    answer = twin.try_out(request)
    assert changes(answer, 19) == [(0, 25), (60_000, 0)]
    request["command"] |= {
        "command_type": "switch",
        "target": "lamp",
        "parameters": {"state": "off"},
    }
    answer = twin.try_out(request)
    (lamp,) = [one for one in answer["pins"] if one["pin"] == 25]
    assert lamp["before"] == 100
    assert changes(answer, 25) == [(0, 0), (9_000, 100)]


def test_conditions_hold_or_not_by_what_the_board_said() -> None:
    request = asked("feed", "feeder1", [LOW, {"output": "valve1", "is": "off"}], amount=5)
    for sensors, on, wanted in (
        ({"oxygen1": {"value": 4, "age_s": 60}}, [], ("completed", None)),
        ({"oxygen1": {"value": 4, "age_s": 61}}, [], {"condition": 0, "found": "old"}),
        ({"oxygen1": {"value": 4.5, "age_s": 0}}, [], {"condition": 0, "found": 4.5}),
        ({}, [], {"condition": 0, "found": "unknown"}),
        (
            {"oxygen1": {"value": 4, "age_s": 1}},
            ["valve1"],
            {"condition": 1, "found": "on"},
        ),
    ):
        answer = twin.try_out({**request, "sensors": sensors, "running": on})
        state, error, result = last(answer)
        if isinstance(wanted, dict):
            assert (state, error, result) == ("failed", "condition", wanted)
            assert changes(answer, FEEDER) == []
        else:
            assert (state, error) == wanted
            assert changes(answer, FEEDER) == [(0, 100), (500, 0)]


def test_a_board_that_is_stopped_does_nothing() -> None:
    answer = twin.try_out({**asked("feed", "feeder1", amount=5), "latched": True})
    assert last(answer) == ("rejected", "latched", {})
    assert answer["took_ms"] == 0 and changes(answer, FEEDER) == []


def test_a_twin_that_is_none_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked("feed", "feeder1", amount=5)
    with pytest.raises(twin.Refused, match=r"runs 0\.0\.9, and the twin would run"):
        twin.try_out({**request, "firmware": "0.0.9"})
    with pytest.raises(twin.Refused, match="longest_s must be a whole number"):
        odd = {**POND["feeder1"], "longest_s": "x"}
        twin.try_out({**request, "actuators": {"feeder1": odd}})
    monkeypatch.setenv("MICROPYTHON", "/nowhere/micropython")
    command = [sys.executable, "-m", "tools.twin", "-"]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True)
    assert "there is no MicroPython" in json.loads(done.stdout)["missing"]


def test_it_is_for_people_too() -> None:
    where = str(ACTUATORS / "pond.json")
    command = [sys.executable, "-m", "tools.twin", where, "feed", "feeder1", "amount=20"]
    command += ["--only-if", json.dumps(LOW), "--sensor", "oxygen1=4"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "feeder1 (GPIO 16): 100 % at 0 ms, 0 % at 2000 ms" in done.stdout
    assert topics.ACK not in done.stderr and done.stderr == ""
