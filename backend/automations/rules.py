"""Rules as people make them: checked, made, changed, deleted. Tasks of the writer; see part.

Rules of this file:
- the boards of a rule are of one site, and whoever changes it must be an administrator there;
- a rule that is new or changed goes by what is read from then on. What it has under way is called
  off, but what its action has done is still undone when its sensor says so;
- one that is switched off or deleted does nothing more, not even that: what it has switched on
  goes off by the board's own time.
"""

import json
from dataclasses import dataclass
from typing import Any

from peewee import fn

from backend.automations.models import (
    COMPARISONS,
    ON_SILENCE,
    PUSHES,
    UNHEARD,
    Automation,
    AutomationExecution,
)
from backend.automations.notices import tell
from backend.automations.pushing import check_push
from backend.automations.wishes import command_of
from backend.database.models import as_rows
from backend.delivery import commands
from backend.delivery.masking import why_secret
from backend.delivery.priorities import RULE_MAX
from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.errors import Invalid, NotFound, no_board
from backend.fleet.presence import Roster

Values = dict[str, Any]

DAY_S = 86_400
_BOUNDS = {
    "for_s": (0, DAY_S),
    "cooldown_s": (0, 7 * DAY_S),
    "repeat_s": (0, 7 * DAY_S),
    "manual_hold_s": (0, 7 * DAY_S),
    "silent_s": (0, 7 * DAY_S),
    "priority": (0, RULE_MAX),
}
ACTIONS = ("action", "clear_action")
_OF_ACTION = ("board_id", "command_type", "target", "parameters", "expires_in")
_CHOICES = {"comparison": COMPARISONS, "on_silence": ON_SILENCE, "push": PUSHES}
_BEGINS_ANEW = {"phase": UNHEARD, "wanted": "", "tries": 0, "silent_at": None}
_HIDDEN = ("wanted_at", "started_at", "revision")


def get(rule_id: int) -> Automation:
    """A rule's row. Raises NotFound."""
    found = Automation.get_or_none(Automation.id == rule_id)
    if not isinstance(found, Automation):
        raise NotFound("unknown_automation", "automation_id", f"there is no automation {rule_id}")
    return found


@dataclass(frozen=True)
class Make:
    """The wish for a new rule; `values`: columns by name, actions as objects or None."""

    values: Values

    def __call__(self, work: Work) -> Values:
        """The rule. Raises Invalid, NotFound, Conflict."""
        values = _checked(work, {**_DEFAULTS, **self.values})
        made = {"id": _next_id(), **values, "created_at": work.now, "since": work.now}
        return _taken_over(work, Automation.insert(made).execute())


@dataclass(frozen=True)
class Change:
    """The wish that a rule have other values."""

    rule_id: int
    values: Values

    def __call__(self, work: Work) -> Values:
        """The rule as it is then. Raises NotFound, Invalid, Conflict."""
        before = public(as_row(get(self.rule_id)))
        whole = {name: before[name] for name in _DEFAULTS | _REQUIRED}
        values = _checked(work, {**whole, **self.values})
        if any(before[name] != value for name, value in self.values.items() if name != "name"):
            part = work.parts.automations
            part.release(work, part.rules[self.rule_id], "changed")
            values |= {**_BEGINS_ANEW, "since": work.now, "revision": Automation.revision + 1}
        Automation.update(values).where(Automation.id == self.rule_id).execute()
        return _taken_over(work, self.rule_id)


@dataclass(frozen=True)
class Remove:
    """The wish that there be no such rule."""

    rule_id: int

    def __call__(self, work: Work) -> None:
        """Its executions stay. Raises NotFound."""
        get(self.rule_id)
        part = work.parts.automations
        part.release(work, part.rules[self.rule_id], "deleted")
        tell(work, part.rules[self.rule_id])
        Automation.delete().where(Automation.id == self.rule_id).execute()
        part.load()


def as_row(rule: Automation) -> Values:
    """A rule's columns."""
    return dict(rule.__data__)


def public(row: Values) -> Values:
    """A rule as the API shows it; times are ms. `runs_at`: when what is wanted will be done."""
    out = {name: value for name, value in row.items() if name not in _HIDDEN}
    for name in ACTIONS:
        out[name] = json.loads(row[name]) if row[name] else None
    waits = row["enabled"] and row["wanted"]
    cool = (row["started_at"] or 0) + row["cooldown_s"] * 1000
    out["pushed"] = bool(row["push"]) and row["pushed"] == f"a{row['id']}_{row['revision']}"
    out["runs_at"] = row["wanted_at"] if waits else None
    out["cool_until"] = cool if row["started_at"] else None
    return out


def find() -> list[Values]:
    """All rules, by name."""
    return [public(row) for row in as_rows(Automation.select().order_by(Automation.name))]


def _next_id() -> int:
    """One that no execution refers to either: SQLite would give the last one again."""
    used = Automation.select(fn.MAX(Automation.id)).scalar() or 0
    told = AutomationExecution.select(fn.MAX(AutomationExecution.automation_id)).scalar() or 0
    return int(max(used, told)) + 1


def _taken_over(work: Work, rule_id: int) -> Values:
    work.parts.automations.load()
    rule = work.parts.automations.rules[rule_id]
    tell(work, rule)
    return public(as_row(rule))


_REQUIRED = {"name": "", "board_id": "", "sensor": ""}
_DEFAULTS: Values = {
    "limit_name": "",
    "comparison": "below",
    "at": 0.0,
    "hysteresis": 0.0,
    "for_s": 0,
    "cooldown_s": 60,
    "repeat_s": 0,
    "manual_hold_s": 300,
    "silent_s": 600,
    "on_silence": "nothing",
    "action": None,
    "clear_action": None,
    "notify": False,
    "push": "",
    "priority": 500,
    "enabled": True,
}


def _checked(work: Work, values: Values) -> Values:
    """The columns of a whole rule. Raises Invalid naming the field, NotFound, Conflict."""
    roster = work.parts.orders.roster
    board = roster.get(values["board_id"])
    if board is None:
        raise no_board(values["board_id"])
    if values["push"] and not DIALECTS[board.dialect].exact:
        reason = f"must be '': {board.dialect} boards watch no limits by themselves"
        raise Invalid("bad_parameter", "push", reason)
    if not values["name"].strip() or not values["name"].isprintable():
        raise Invalid("bad_parameter", "name", "must be printable text")
    for name, choices in _CHOICES.items():
        if values[name] not in choices:
            raise Invalid("bad_parameter", name, "must be one of " + ", ".join(map(repr, choices)))
    for name, (low, high) in _BOUNDS.items():
        if not low <= values[name] <= high:
            raise Invalid("bad_parameter", name, f"must be from {low} to {high}")
    if values["hysteresis"] < 0:
        raise Invalid("bad_parameter", "hysteresis", "must be 0 or more")
    _check_sense(values)
    actions = {name: _action(roster, name, values) for name in ACTIONS}
    check_push(values)
    return {**values, **actions}


def _check_sense(values: Values) -> None:
    """Raises Invalid for a rule that could never do anything, or not what it says."""
    if values["action"] is None and not values["notify"]:
        reason = "is missing; or set `notify`, so that the rule does something"
        raise Invalid("bad_parameter", "action", reason)
    if values["clear_action"] is not None and values["action"] is None:
        raise Invalid("bad_parameter", "clear_action", "must come with an `action` to clear")
    if values["on_silence"] == "clear" and values["clear_action"] is None:
        raise Invalid("bad_parameter", "on_silence", "must be nothing where no clear_action is")


def _action(roster: Roster, name: str, values: Values) -> str:
    """An action as its column has it. Raises Invalid, NotFound, Conflict."""
    action = values[name]
    if action is None:
        return ""
    unknown = next((one for one in action if one not in _OF_ACTION), None)
    if unknown:
        reason = f"is unknown; use {', '.join(_OF_ACTION)}"
        raise Invalid("bad_parameter", f"{name}.{unknown[:64]}", reason)
    _check_types(name, action)
    board, sensor_board = roster.get(action["board_id"]), roster.get(values["board_id"])
    if board is None or sensor_board is None or board.site != sensor_board.site:
        reason = "must be a board of the same site as the sensor's"
        raise Invalid("bad_parameter", f"{name}.board_id", reason)
    if reason := why_secret(action["command_type"], action.get("parameters", {})):
        raise Invalid("has_secret", f"{name}.parameters", reason)
    try:
        commands.check(command_of(action, 0, ""), roster)
    except Invalid as why:
        raise Invalid(why.code, f"{name}.{why.field}", why.reason) from None
    return json.dumps(action)


def _check_types(name: str, action: Values) -> None:
    types = {"board_id": str, "command_type": str, "target": str, "parameters": dict}
    for member, kind in types.items():
        if member in action and type(action[member]) is not kind:
            said = "an object" if kind is dict else "text"
            raise Invalid("bad_parameter", f"{name}.{member}", f"must be {said}")
    for member in ("board_id", "command_type"):
        if member not in action:
            raise Invalid("bad_parameter", f"{name}.{member}", "is missing")
    if type(action.get("expires_in")) not in (int, type(None)):
        raise Invalid("bad_parameter", f"{name}.expires_in", "must be a whole number of seconds")
