"""A museum's scene of 60 steps on three boards with the real firmware, one of which dies half way.

Every step is held against the pins: what says OK has moved its pin, once and in time, and no pin
has moved but for a step that says so, or that says that nobody knows. The scene goes on, and what
is left on at its end is switched off; so it is where the backend is killed, after which nothing of
the scene is played any more.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.brokers.broker import EmbeddedBroker
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site
from tools.emulator import Board

STEPS, STATES, DEAD = 60, 3, "room-2"
BOARDS = ("room-1", DEAD, "room-3")
ACTUATORS: dict[str, dict[str, Any]] = {
    "light": {"kind": "switch", "pin": 21, "longest_s": 600},
    "steam": {"kind": "switch", "pin": 22, "longest_s": 600},
    "motor": {"kind": "motor", "pin": 19, "pwm_hz": 1000, "longest_s": 600},
}
PLACES = tuple((board, target) for target in ACTUATORS for board in BOARDS)
SLACK_MS = 60.0  # that clocks, and this program, may be behind
SENT_S = 1.5  # an answer comes within 1 s, or is late
KNOWN = ("OK", "LATE")
OPEN = ("NO_FEEDBACK", "SENT", "WAITING")


def scene_of(pace: float) -> Any:
    """The scene: each step switches the next of all outputs, on and off in turn."""

    def step(index: int) -> Any:
        board, target = PLACES[index % len(PLACES)]
        on = (index // len(PLACES)) % 2 == 0
        word = ("ON:80:L" if target == "motor" else "ON") if on else "OFF"
        at = round((index % (STEPS // STATES)) * pace, 3)
        return {"at": at, "action": "mqtt", "topic": f"{board}/{target}", "message": word}

    each = STEPS // STATES
    states = {
        f"S{number}": {
            "timeline": [step(index) for index in range(number * each, (number + 1) * each)],
            "transitions": [
                {
                    "type": "timeout",
                    "delay": round(each * pace, 3),
                    "goto": f"S{number + 1}" if number + 1 < STATES else "END",
                }
            ],
        }
        for number in range(STATES)
    }
    topics = {f"{board}/{target}": {"board": board, "target": target} for board, target in PLACES}
    return {"sceneId": "sixty", "initialState": "S0", "states": states, "topics": topics}


class Play:
    """One run of the scene, and what is found in it."""

    def __init__(self, site: Site, report: Report) -> None:
        self._site, self._report = site, report
        self._offset = (time.time() - time.monotonic()) * 1000

    def run(self, pace: float) -> None:
        """Play it, with a power cut half way."""
        self._began = time.monotonic() * 1000
        _, run = self._site.api.call("POST", "scenes/sixty/start", {})
        path = f"scene-runs/{run['id']}"
        half = self._began + STEPS * pace * 500
        until(lambda: time.monotonic() * 1000 >= half)
        self._cut = time.monotonic() * 1000
        self._site.board(DEAD).power_cut()
        until(lambda: self._site.api.get(path)["ended_at"], STEPS * pace + 60)
        until(lambda: self._settled(self._site.api.get(path)))
        self._judge(self._site.api.get(path))

    def killed(self, pace: float) -> None:
        """Play it, with the backend killed early and started again: it is not taken up."""
        _, run = self._site.api.call("POST", "scenes/sixty/start", {})
        began = time.monotonic()
        until(lambda: time.monotonic() - began >= STEPS * pace / 3)
        self._site.backend.kill()
        self._site.start_backend()
        back = time.monotonic() * 1000
        path = f"scene-runs/{run['id']}"
        until(lambda: self._site.api.get(path)["ended_at"])
        until(lambda: not self._lit())
        told = self._site.api.get(path)
        self._report.count(f"runs of a killed backend: {told['status']}")
        if told["status"] != "INTERRUPTED":
            self._report.blame([f"a killed backend's run is {told['status']}"])
        for name in BOARDS:
            for about in ACTUATORS.values():
                pulses = self._site.board(name).pulses(about["pin"])
                if [one for one in pulses if one.start > back]:
                    self._report.blame([f"{name}: something went on after the backend was back"])

    def _lit(self) -> list[str]:
        return [
            f"{name} {target}"
            for name, target in PLACES
            if self._site.board(name).level(ACTUATORS[target]["pin"])
        ]

    def _settled(self, run: Any) -> bool:
        """No answer of a board that lives is missing."""
        return all(
            step["status"] not in ("WAITING", "SENT") or step["board_id"] == DEAD
            for step in run["steps"]
        )

    def _judge(self, run: Any) -> None:
        steps = [one for one in run["steps"] if one["place"].startswith("states.")]
        if run["status"] != "COMPLETED" or len(steps) != STEPS:
            self._report.blame([f"the run is {run['status']} after {len(steps)} steps"])
        for step in run["steps"]:
            where = "dead" if step["board_id"] == DEAD and self._is_after(step) else "living"
            kind = "steps" if step in steps else "switched off at the end"
            self._report.count(f"{kind}, {where} board: {step['status']}")
        self._times(steps)
        for board, target in PLACES:
            mine = [one for one in run["steps"] if _place(one) == (board, target)]
            self._report.blame([*self._lies(self._site.board(board), target, mine)])
        if lit := self._lit():
            self._report.blame([f"{', '.join(lit)} on after the end"])
        if any(s["status"] in KNOWN and self._is_after(s) for s in steps if _dead(s)):
            self._report.blame(["a step of the dead board says that it was done"])

    def _is_after(self, step: Any) -> bool:
        return _ms(step["planned_at"]) > self._cut + self._offset

    def _times(self, steps: list[Any]) -> None:
        for step in steps:
            if step["sent_at"]:
                late = _ms(step["sent_at"]) - _ms(step["planned_at"])
                self._report.time("published, against its plan", late)
            if step["feedback_at"]:
                took = _ms(step["feedback_at"]) - _ms(step["sent_at"])
                self._report.time("published until answered", took)

    def _lies(self, board: Board, target: str, steps: list[Any]) -> Iterator[str]:
        """What the record of one output says that its pin does not."""
        pulses = [one for one in board.pulses(ACTUATORS[target]["pin"]) if one.start > self._began]
        edges = {
            True: [one.start + self._offset for one in pulses],
            False: [one.end + self._offset for one in pulses if one.end is not None],
        }
        for on, times in edges.items():
            told = [one for one in steps if _is_on(one) == on]
            for step in told:
                mine = [at for at in times if self._within(step, at)]
                if step["status"] in KNOWN and step["place"] != "safe state" and len(mine) != 1:
                    what = f"{_said(step)} says {step['status']}"
                    yield f"{what}, and its pin moved {len(mine)} times"
                if mine and step["status"] in KNOWN:
                    self._report.time("pin, against its plan", mine[0] - _ms(step["planned_at"]))
            for at in times:
                cut = abs(at - self._offset - self._cut) < SLACK_MS * 5 and not on
                may = [one for one in told if one["status"] in (*KNOWN, *OPEN)]
                if not cut and not any(self._within(one, at) for one in may):
                    yield f"{target} went {'on' if on else 'off'}, and no step says so"

    def _within(self, step: Any, at: float) -> bool:
        planned = _ms(step["planned_at"])
        until = _ms(step["feedback_at"]) if step["feedback_at"] else planned + SENT_S * 1000
        return planned - SLACK_MS <= at <= until + SLACK_MS


def _place(step: Any) -> tuple[str, str]:
    return step["board_id"], step["target"]


def _dead(step: Any) -> bool:
    return bool(step["board_id"] == DEAD)


def _is_on(step: Any) -> bool:
    return str(step["text"]).split(" ")[-1].startswith("ON")


def _said(step: Any) -> str:
    return f"step {step['number']} ({step['text']})"


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
    pace: float = 0.15,
) -> Report:
    """`count` times the scene, with so many seconds between two steps; `tick` after each."""
    report = Report("scenes")
    with Site(folder, dict.fromkeys(BOARDS, ACTUATORS), make_broker, seed, rooms=BOARDS) as site:
        status, told = site.api.call("POST", "scenes", {"scene": scene_of(pace)})
        if status != 201 or told["warnings"]:
            report.blame([f"the scene was not taken: {told}"])
            return report
        for _ in range(count):
            Play(site, report).run(pace)
            site.board(DEAD).start()
            until(lambda: site.is_online(DEAD))
            Play(site, report).killed(pace)
            until(lambda: all(site.is_online(name) for name in BOARDS))
            tick()
    return report
