"""Limits that boards watch themselves, and act on where a rule says so: see firmware/app/pushed.

Rules of this file:
- a limit has a name of its own for each revision of its rule, "a7_3", so that what a board says of
  it can't be meant for another;
- a board is told once in each of its boots, and at once of a rule that is new; what it has taken
  is noted in the rule (`pushed`). A limit it speaks of that nobody wants any more is taken away;
- where the board acts, the backend does not: never do both. What the board did is an execution,
  too, made from its acks, whose ids name the limit.
"""

import json
import re
from typing import Any

from backend.automations import executions, notices
from backend.automations.models import (
    ABOVE,
    ACTION,
    ON_CLEARED,
    ON_CROSSED,
    Automation,
)
from backend.database.models import ACTIVE
from backend.database.store import Row
from backend.delivery.queueing import queue, wanted
from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.errors import Invalid
from backend.fleet.presence import Presence

TEXT_MAX = 200  # of a parameter
FOR_MAX = 3600  # s
_NAME = re.compile(r"a\d+_\d+")
# What a board calls what it did by itself: the limit, which way, its boot, and its ticks.
REFLEX = re.compile(r"a(\d+)_\d+-(do|undo)-[0-9A-Za-z_]+-\d+")
_WAYS = {"do": ON_CROSSED, "undo": ON_CLEARED}


def name_of(rule: Automation) -> str:
    """What the limit of a rule, as it is now, is called on a board."""
    return f"a{rule.id}_{rule.revision}"


def limit_of(rule: Automation) -> str:
    """The limit of the board by which a rule is judged, or "" where the backend judges."""
    if rule.limit_name or not rule.push or rule.pushed != name_of(rule):
        return str(rule.limit_name)
    return name_of(rule)


def acts(rule: Automation) -> bool:
    """Whether the board is to act on it, and so nobody else."""
    return bool(rule.push == ACTION)


def text_of(action: dict[str, Any]) -> str:
    """An action as the board is told it."""
    told = {name: action.get(name, default) for name, default in
            (("command_type", ""), ("target", ""), ("parameters", {}))}  # fmt: skip
    return json.dumps(told, separators=(",", ":"))


def parameters_of(rule: Automation) -> dict[str, Any]:
    """Of the update_config that gives the board this limit."""
    way = "above" if rule.comparison == ABOVE else "below"
    told: dict[str, Any] = {"sensor": rule.sensor, way: rule.at}
    told |= {"hysteresis": rule.hysteresis, "for_s": rule.for_s}
    if acts(rule):
        told["do"] = text_of(json.loads(rule.action))
        told["every_s"] = min(rule.repeat_s, 86_400)
        if rule.clear_action:
            told["undo"] = text_of(json.loads(rule.clear_action))
    return {f"limits-{name_of(rule)}-{name}": value for name, value in told.items()}


def check_push(values: dict[str, Any]) -> None:
    """Raises Invalid where a board could not do what it is to do by itself."""
    if not values["push"]:
        return
    if values["limit_name"]:
        raise Invalid("bad_parameter", "push", "must be '' where the board has the limit already")
    if values["for_s"] > FOR_MAX:
        raise Invalid("bad_parameter", "for_s", f"must be at most {FOR_MAX} on a board")
    for name in ("action", "clear_action") if values["push"] == ACTION else ():
        action = values[name]
        if action is None:
            continue
        if action["board_id"] != values["board_id"] or not action.get("target"):
            reason = "must be for an actuator of the sensor's own board, which is to do it"
            raise Invalid("bad_parameter", f"{name}.board_id", reason)
        if len(text_of(action)) > TEXT_MAX:
            reason = f"must be shorter: at most {TEXT_MAX} characters in JSON, for a board"
            raise Invalid("bad_parameter", f"{name}.parameters", reason)


class Pushing:
    """What boards were told already; in memory, since the keys of the commands are unique."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    def settle(self, work: Work, boards: list[Presence], rules: list[Automation]) -> None:
        """Tell boards what they should have; `rules`: those that are on."""
        for board in boards:
            if board.online is True and board.state == ACTIVE and DIALECTS[board.dialect].exact:
                here = [rule for rule in rules if rule.board_id == board.board_id]
                self._settle(work, board, here)

    def _settle(self, work: Work, board: Presence, rules: list[Automation]) -> None:
        mine = {name_of(rule): rule for rule in rules if rule.push and not rule.limit_name}
        there = {limit.partition(".")[2] for limit in board.limits}
        for name, rule in mine.items():
            self._tell(work, board, name, "on", parameters_of(rule))
        for name in there - mine.keys():
            if _NAME.fullmatch(name):
                self._tell(work, board, name, "off", {f"limits-{name}": ""})

    def take_away(self, work: Work, board: Presence, rule: Automation) -> None:
        """The board may have it, and is not to have it any more."""
        if rule.push and not rule.limit_name and DIALECTS[board.dialect].exact:
            name = name_of(rule)
            self._tell(work, board, name, "off", {f"limits-{name}": ""})

    def _tell(
        self, work: Work, board: Presence, name: str, way: str, parameters: dict[str, Any]
    ) -> None:
        key = f"limits-{board.boot}-{name}-{way}"
        if key not in self._asked:
            self._asked.add(key)
            queue(work, [wanted(board.board_id, "update_config", parameters, key)])


def taken(work: Work, rules: list[Automation], row: Row) -> None:
    """A command is COMPLETED; perhaps one that has given a limit to its board."""
    parts = (row["idempotency_key"] or "").split("-")
    if row["command_type"] != "update_config" or parts[0] != "limits" or parts[-1] != "on":
        return
    for rule in rules:
        if rule.board_id == row["board_id"] and name_of(rule) == parts[2] != rule.pushed:
            rule.pushed = parts[2]
            Automation.update(pushed=rule.pushed).where(Automation.id == rule.id).execute()
            notices.tell(work, rule)


def reflex(
    work: Work,
    rules: dict[int, Automation],
    board_id: str,
    ack: dict[str, Any],
    heard: dict[int, tuple[int, float]],
) -> None:
    """What a board says of something it did by itself. `heard`: what sensors said last."""
    found = REFLEX.fullmatch(ack["command_id"])
    rule = rules.get(int(found[1])) if found and len(found[1]) < 15 else None
    if found and rule and rule.board_id == board_id:
        value = heard.get(rule.id, (0, None))[1]
        executions.of_board(rule, _WAYS[found[2]], ack, value, work.now)
        notices.tell(work, rule)
