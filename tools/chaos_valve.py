"""Two automations and a person fight over one valve, and every record tells the truth: it is held
against what the pins did and against the one rule of who wins (backend/priorities).
"""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend.database.models import MANUAL_COMMAND
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import Site
from tools.chaos_truth import judge_command, judge_count, pulses_of
from tools.emulator import Pulse

BOARD, LEVEL, HEAT = "pond-1", 34, 35
PINS = {"fill": 17, "drain": 18}
VALVE = {"valve1": {"kind": "valve", "fill_pin": 17, "drain_pin": 18, "longest_s": 60}}
SENSOR = {"kind": "analog", "scale": 0.001}
SENSORS = {"every_s": 3600, "keep": 64, "sensors": {
    "level1": {**SENSOR, "pin": LEVEL}, "heat1": {**SENSOR, "pin": HEAT}}}  # fmt: skip
HEAP = "224K"
_LIFE = {"expires_in": 2}
_RAN = ("COMPLETED", "FAILED", "UNKNOWN")


def water(action: str) -> dict[str, Any]:
    """A dose of three seconds, which is long enough to be interrupted."""
    return {"board_id": BOARD, "command_type": "water", "target": "valve1",
            "parameters": {"action": action, "seconds": 3}, **_LIFE}  # fmt: skip


def rule(name: str, sensor: str, action: str, priority: int) -> dict[str, Any]:
    """One of the two: below 4 it does its dose."""
    return {"name": name, "board_id": BOARD, "sensor": sensor, "at": 4, "hysteresis": 1,
            "cooldown_s": 0, "manual_hold_s": 1, "priority": priority,
            "action": water(action)}  # fmt: skip


class Fight:
    """All who want the valve."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site, self._rng, self._number = site, rng, 0
        self._beyond = {LEVEL: False, HEAT: False}

    def round(self, kill: bool) -> None:
        """The sensors say something, and somebody may do something before or after it."""
        what = [lambda: self.measure(LEVEL), lambda: self.measure(HEAT), self.person]
        self._rng.shuffle(what)
        for one in what:
            one()
        if kill:
            self._site.backend.kill()
            self._site.start_backend()
        elif self._rng.random() < 0.5:
            self._site.settle(BOARD)

    def measure(self, pin: int) -> None:
        """One of the sensors is beyond its limit, or back."""
        self._beyond[pin] ^= self._rng.random() < 0.7
        self._site.board(BOARD).set_adc(pin, 3000 if self._beyond[pin] else 6000)
        self._await(self._post("read_sensors"))

    def person(self) -> None:
        """Does something by hand, or nothing."""
        what = self._rng.choice(("fill", "drain", "stop", "all", "cancel", *5 * [""]))
        if what in PINS:
            self._post("water", target="valve1", parameters={"action": what, "seconds": 1})
        elif what == "stop":
            self._post("water", target="valve1", parameters={"action": "stop"})
        elif what == "all":
            self._post("stop")
        elif what == "cancel":
            self._cancel()

    def _cancel(self) -> None:
        under_way = [one for one in self._site.api.commands(BOARD)[-6:]
                     if one["cause"] and one["status"] in ("PENDING", "ACKNOWLEDGED")]  # fmt: skip
        for one in under_way[:1]:  # it may end meanwhile: 409
            self._site.api.call("POST", f"commands/{one['id']}/cancel", {})

    def _post(self, command_type: str, **more: Any) -> Any:
        self._number += 1
        key = f"hand-{self._number}"
        return self._site.api.post(key, BOARD, command_type, **more, **_LIFE)[0]

    def _await(self, asked: Any) -> None:
        with suppress(TimeoutError):  # it waits behind nothing, but the machine may be busy
            until(lambda: self._site.api.command(asked["id"])["status"] in _RAN, 5)


def run(folder: Path, count: int, seed: int, tick: Callable[[], object]) -> Report:
    """`count` rounds; in every fifth the backend is killed."""
    report, rng = Report("valve"), random.Random(seed)
    files = {"sensors.json": json.dumps(SENSORS)}
    with Site(folder, {BOARD: VALVE}, files=files, seed=seed, heap=HEAP) as site:
        rules = (rule("Fill", "level1", "fill", 400), rule("Drain", "heat1", "drain", 600))
        for one in rules:
            status, made = site.api.call("POST", "automations", one)
            if status != 201:
                raise ValueError(f"the rule was refused: {made}")
        fight = Fight(site, rng)
        for number in range(count):
            fight.round(kill=number % 5 == 4)
            tick()
        for one in site.api.get("automations")["automations"]:
            site.api.call("POST", f"automations/{one['id']}/disable", {})
        commands = site.settle(BOARD)
        executions = site.api.get("executions?limit=200")["executions"][::-1]
        pulses = {name: pulses_of(site.board(BOARD), pin) for name, pin in PINS.items()}
    report.count("rounds", count)
    for line in (judge_pins(commands, pulses), judge_executions(commands, executions)):
        report.blame(line)
    _count(report, commands, executions)
    return report


def judge_pins(commands: list[Any], pulses: dict[str, list[Pulse]]) -> list[str]:
    """What the valve did is what the commands say, and never was it open both ways."""
    out = [line for one in commands for line in judge_command(one)]
    for name, found in pulses.items():
        doses = [one for one in commands if one["command_type"] == "water"
                 and one["parameters"]["action"] == name]  # fmt: skip
        out += [f"{name}: {line}" for line in judge_count(doses, found)]
    both = [(a, b) for a in pulses["fill"] for b in pulses["drain"]
            if a.end and b.end and a.start < b.end and b.start < a.end]  # fmt: skip
    return out + [f"open both ways: {pair}" for pair in both]


def judge_executions(commands: list[Any], executions: list[Any]) -> list[str]:
    """Each says what became of its command, and who outranked it did so by the rule."""
    known, out = {one["id"]: one for one in commands}, []
    mine = {one["id"] for one in commands if one["cause"]}
    if mine != {one["command_id"] for one in executions if one["command_id"]}:
        out.append("executions and commands do not name each other")
    for one in executions:
        command, name = known.get(one["command_id"]), f"execution {one['id']}"
        if not one["until_at"]:
            out.append(f"{name} has not ended")
        if (one["status"] == "COMPLETED") != bool(command and command["status"] == "COMPLETED"):
            out.append(f"{name} is {one['status']}, not what its command {command} is")
        if one["error"] == "outranked":
            out += [f"{name}: {line}" for line in _judge_winner(one, known)]
        if one["error"] == "stopped" and not one["detail"] and not _was_called_off(command):
            out.append(f"{name} was stopped by nobody")
    return out


def _judge_winner(one: Any, known: dict[str, Any]) -> list[str]:
    """The winner is a command of a higher priority, or a rule that holds the valve."""
    winner = one["detail"].get("outranked_by", "")
    if winner.startswith("automation/"):
        high = one["detail"]["priority"] > one["priority"]
    else:
        stop = winner in known and known[winner]["command_type"] in ("stop", "water")
        high = winner in known and (stop or known[winner]["priority"] == MANUAL_COMMAND)
        high = high and known[winner]["priority"] > one["priority"]
    return [] if high else [f"was outranked by {winner!r}, which is not higher"]


def _was_called_off(command: Any) -> bool:
    return any(step["event"] == "cancel" for step in command["history"])


def _count(report: Report, commands: list[Any], executions: list[Any]) -> None:
    for one in executions:
        report.count(f"executions {one['status']} {one['error'] or ''}".strip())
    report.count("commands of rules", sum(bool(one["cause"]) for one in commands))
    by_hand = [one for one in commands if not one["cause"] and one["target"]]
    report.count("by hand", len(by_hand))
