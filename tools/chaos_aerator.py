"""A pond whose oxygen falls and rises under noise: its aerator goes on and off once each way, also
where the backend is killed meanwhile, and every record says so. Last, the board is told to do it
by itself, and does while there is no backend.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import Site
from tools.chaos_truth import judge_command, pulses_of

BOARD, PROBE, PIN = "pond-1", 34, 21
AERATOR = {"aerator1": {"kind": "switch", "pin": PIN, "longest_s": 3600}}
SENSORS = {"every_s": 1, "keep": 64, "sensors": {
    "oxygen1": {"kind": "analog", "pin": PROBE, "unit": "mg/l", "scale": 0.001}}}  # fmt: skip
HEAP = "224K"
LOW, HIGH, NOISE = 4.0, 5.0, 0.3  # mg/l
_STEPS = 8  # readings each way
_LIFE = {"expires_in": 1}


def switch(state: str) -> dict[str, Any]:
    """An action of a rule."""
    return {"board_id": BOARD, "command_type": "switch", "target": "aerator1",
            "parameters": {"state": state}}  # fmt: skip


RULE = {"name": "Aerator", "board_id": BOARD, "sensor": "oxygen1", "comparison": "below",
        "at": LOW, "hysteresis": HIGH - LOW, "cooldown_s": 0, "action": switch("on"),
        "clear_action": switch("off")}  # fmt: skip


class Pond:
    """One pond, and how much oxygen is in it."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site, self._rng = site, rng
        self.readings = 0

    def read(self, oxygen: float) -> float:
        """What the board has measured, under noise, once the backend has it."""
        board = self._site.board(BOARD)
        board.set_adc(PROBE, max(0, round(1000 * self._rng.gauss(oxygen, NOISE / 2))))
        self.readings += 1
        key = f"read-{self.readings}"
        asked, _ = self._site.api.post(key, BOARD, "read_sensors", **_LIFE)
        until(lambda: self._site.api.command(asked["id"])["status"] not in ("PENDING", "SENT"))
        return oxygen

    def drift(self, begin: float, end: float, kill_at: int = -1) -> None:
        """From one value to another, and on for a while; the backend is killed at that step."""
        for step in range(2 * _STEPS):
            if step == kill_at:
                self._site.backend.kill()
                self._site.start_backend()
            self.read(begin + (end - begin) * min(step / _STEPS, 1))

    def wait(self, phase: str, count: int) -> None:
        """Until the rule is so, and so many executions have come to their end."""

        def there() -> bool:
            [rule] = self._site.api.get("automations")["automations"]
            ended = [one for one in self.executions() if one["until_at"]]
            return bool(rule["phase"] == phase and len(ended) >= count)

        until(there)

    def wait_for(self, count: int) -> None:
        """Until there are so many executions."""
        until(lambda: len(self.executions()) >= count)

    def executions(self) -> list[Any]:
        """Oldest first."""
        found: list[Any] = self._site.api.get("executions?limit=200")["executions"]
        return found[::-1]


def run(folder: Path, count: int, seed: int, tick: Callable[[], object]) -> Report:
    """`count` times down and up; the backend is killed in every third of these."""
    report, rng = Report("aerator"), random.Random(seed)
    files = {"sensors.json": json.dumps(SENSORS)}
    with Site(folder, {BOARD: AERATOR}, files=files, seed=seed, heap=HEAP) as site:
        pond = Pond(site, rng)
        pond.read(HIGH + 2 * NOISE)
        status, made = site.api.call("POST", "automations", RULE)
        if status != 201:
            raise ValueError(f"the rule was refused: {made}")
        for number in range(count):
            kill_at = rng.randrange(2 * _STEPS) if number % 3 == 0 else -1
            pond.drift(HIGH + 2 * NOISE, LOW - 2 * NOISE, kill_at)
            pond.wait("crossed", 2 * number + 1)
            pond.drift(LOW - 2 * NOISE, HIGH + 2 * NOISE)
            pond.wait("clear", 2 * number + 2)
            report.count("backends killed", kill_at >= 0)
            tick()
        report.count("times down and up", count)
        _judge(report, site, pond, count)
        without_backend(report, site, pond)
    return report


def without_backend(report: Report, site: Site, pond: Pond) -> None:
    """The board acts while the backend is dead, which learns of it later."""
    board = site.board(BOARD)
    [rule] = site.api.get("automations")["automations"]
    status, told = site.api.call("PATCH", f"automations/{rule['id']}", {"push": "action"})
    if status != 200:
        raise ValueError(f"the change was refused: {told}")
    until(lambda: site.api.get("automations")["automations"][0]["pushed"])
    since, before = len(board.log), len(pond.executions())
    site.backend.kill()
    board.set_adc(PROBE, 3000)
    board.wait_for("pin", since=since, pin=PIN, value=1)
    site.start_backend()
    pond.wait_for(before + 1)
    board.set_adc(PROBE, 6000)
    board.wait_for("pin", since=since, pin=PIN, value=0)
    pond.wait_for(before + 2)
    mine = [(one["trigger"], one["status"], one["command_id"], bool(one["local_id"]))
            for one in pond.executions()[-2:]]  # fmt: skip
    if mine != [("crossed", "COMPLETED", None, True), ("cleared", "COMPLETED", None, True)]:
        report.blame([f"what the board did by itself is told as {mine}"])
    report.count("times on without a backend")


def _judge(report: Report, site: Site, pond: Pond, count: int) -> None:
    """One command each way, and the pin did just that."""
    found = pond.executions()
    told = [(one["trigger"], one["status"]) for one in found]
    if told != [("crossed", "COMPLETED"), ("cleared", "COMPLETED")] * count:
        when = [(one["trigger"], one["status"], one["value"], one["created_at"]) for one in found]
        report.blame([f"the executions are {when}"])
    for one in found:
        command = site.api.command(one["command_id"])
        report.blame(judge_command(command))
        if command["cause"] != f"automation/{one['automation_id']}/{one['id']}":
            report.blame([f"{command['id']} is of {command['cause']}, not of {one['id']}"])
    pulses = pulses_of(site.board(BOARD), PIN)
    if len(pulses) != count or any(pulse.end is None for pulse in pulses):
        report.blame([f"the aerator was on as {pulses}, not {count} times"])
    report.count("readings", pond.readings)
