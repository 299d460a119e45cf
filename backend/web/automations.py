"""Automations and executions over HTTP. A rule is of the site that its sensor's board is of."""

from typing import Any

from protocol.fields import Number as NumberCheck
from protocol.fields import boolean, identifier, reason, whole
from protocol.limits import SAFE_INTEGER

from backend.automations import executions, rules
from backend.automations.models import COMPARISONS, ON_SILENCE, PUSHES, STATUSES
from backend.errors import NotFound, no_board
from backend.people.access import ADMIN, OPERATOR, VIEWER, may, require, sites_with
from backend.people.audit import Noted
from backend.people.credentials import COMMAND
from backend.service import Backend
from backend.web import render
from backend.web.http import (
    NO_MEMBERS,
    Answer,
    Call,
    Check,
    Members,
    Reader,
    read_number,
    read_text,
    refuse,
    text,
)
from backend.web.routes import API, Route

PAGE, PAGE_MAX = 50, 200
_TIMES = ("created_at", "since", "silent_at", "runs_at", "cool_until")


def _number(value: Any) -> str | None:
    said: str | None = reason(NumberCheck(-SAFE_INTEGER, SAFE_INTEGER, "", True), value)
    return said


def _natural(value: Any) -> str | None:
    said: str | None = reason(whole(0, rules.DAY_S * 7), value)
    return said


def _identifier_or_empty(value: Any) -> str | None:
    said: str | None = None if value == "" else identifier(value)
    return said


def _one_of(choices: tuple[str, ...]) -> Check:
    return lambda value: None if value in choices else "must be one of " + ", ".join(choices)


def _action(value: Any) -> str | None:
    return None if value is None or type(value) is dict else "must be an object, or null for none"


_NAMES: dict[str, Check] = {"name": text(64), "board_id": text(64), "sensor": text(64)}
_VALUES: dict[str, Check] = {
    "limit_name": _identifier_or_empty,
    "comparison": _one_of(COMPARISONS),
    "at": _number,
    "hysteresis": _number,
    **dict.fromkeys(("for_s", "cooldown_s", "repeat_s", "manual_hold_s", "silent_s"), _natural),
    "on_silence": _one_of(ON_SILENCE),
    **dict.fromkeys(rules.ACTIONS, _action),
    "notify": boolean,
    "push": _one_of(PUSHES),
    "priority": _natural,
    "enabled": boolean,
}
_NEW = Members(_NAMES, _VALUES)
_CHANGE = Members({}, _NAMES | _VALUES)


def _read_one_of(choices: tuple[str, ...]) -> Reader:
    def read(name: str, value: str) -> str:
        if value not in choices:
            refuse(name, "must be one of " + ", ".join(choices))
        return value

    return read


_FILTERS: dict[str, Reader] = {
    "type": _read_one_of(executions.TYPES),
    "automation_id": read_number(1, 1 << 53),
    "board_id": read_text,
    "status": _read_one_of(STATUSES),
    "before": read_number(1, 1 << 53),
    "limit": read_number(1, PAGE_MAX),
}


class AutomationRoutes:
    """`/automations` and `/executions`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        one = f"{API}/automations/<automation_id>"
        return [
            Route("GET", f"{API}/automations", self.list),
            Route("POST", f"{API}/automations", self.create),
            Route("GET", one, self.show),
            Route("PATCH", one, self.change),
            Route("DELETE", one, self.delete),
            Route("POST", f"{one}/enable", self.enable, scope=COMMAND),
            Route("POST", f"{one}/disable", self.disable, scope=COMMAND),
            Route("GET", f"{API}/executions", self.executions, query=_FILTERS),
        ]

    def list(self, call: Call) -> Answer:
        """The rules of the sites one may look at, by name."""
        seen = [row for row in rules.find() if may(call.who, VIEWER, self._site(row["board_id"]))]
        return Answer({"automations": [_shown(row) for row in seen]})

    def show(self, call: Call, automation_id: str) -> Answer:
        """One rule, and where it stands."""
        return Answer(_shown(self._at(call, VIEWER, automation_id)))

    def create(self, call: Call) -> Answer:
        """201 with a new rule."""
        values = call.body(_NEW)
        self._require(call, values["board_id"])
        wish = Noted(rules.Make(values), call.actor, "automation.add", values["name"], values)
        made = self._backend.perform(wish)
        return Answer(_shown(made), 201, {"Location": f"{API}/automations/{made['id']}"})

    def change(self, call: Call, automation_id: str) -> Answer:
        """The rule with other values; it begins anew."""
        rule = self._at(call, ADMIN, automation_id)
        values = call.body(_CHANGE)
        if "board_id" in values:
            self._require(call, values["board_id"])
        return self._change(call, rule["id"], values, "automation.change")

    def enable(self, call: Call, automation_id: str) -> Answer:
        """Switch a rule on."""
        return self._switch(call, automation_id, True)

    def disable(self, call: Call, automation_id: str) -> Answer:
        """Switch a rule off; what it has under way is called off."""
        return self._switch(call, automation_id, False)

    def delete(self, call: Call, automation_id: str) -> Answer:
        """Delete a rule; its executions stay."""
        rule = self._at(call, ADMIN, automation_id)
        call.body(NO_MEMBERS, empty=True)
        wish = Noted(rules.Remove(rule["id"]), call.actor, "automation.delete", rule["name"])
        self._backend.perform(wish)
        return Answer(None, 204)

    def executions(self, call: Call) -> Answer:
        """Executions of rules, or, as type MANUAL_COMMAND, what was done by hand; newest first."""
        query, sites = dict(call.query), sites_with(call.who, VIEWER)
        kind, limit = query.pop("type", executions.AUTOMATION), query.pop("limit", PAGE)
        if kind == executions.MANUAL and "automation_id" in query:
            refuse("automation_id", f"is not possible for {kind}: no rule asked for those")
        find = executions.find if kind == executions.AUTOMATION else executions.by_hand
        found = find(limit + 1, sites=sites, **query)
        shown = [render.times(row, "created_at", "updated_at", "until_at") for row in found]
        following = found[limit - 1]["id"] if len(found) > limit else None
        return Answer({"executions": shown[:limit], "before": following})

    def _switch(self, call: Call, automation_id: str, on: bool) -> Answer:
        rule = self._at(call, OPERATOR, automation_id)
        call.body(NO_MEMBERS, empty=True)
        action = "automation.enable" if on else "automation.disable"
        return self._change(call, rule["id"], {"enabled": on}, action)

    def _change(self, call: Call, rule_id: int, values: dict[str, Any], action: str) -> Answer:
        wish = Noted(rules.Change(rule_id, values), call.actor, action, str(rule_id), values)
        return Answer(_shown(self._backend.perform(wish)))

    def _at(self, call: Call, role: str, automation_id: str) -> dict[str, Any]:
        """The rule, for somebody who has this role at its site. Raises NotFound, Forbidden."""
        said = f"there is no automation {automation_id[:20]}"
        nothing = NotFound("unknown_automation", "automation_id", said)
        if not automation_id.isdecimal() or len(automation_id) > 15:
            raise nothing
        rule = rules.public(rules.as_row(rules.get(int(automation_id))))
        require(call.who, role, self._site(rule["board_id"]), nothing)
        return rule

    def _require(self, call: Call, board_id: str) -> None:
        require(call.who, ADMIN, self._backend.site_of(board_id), no_board(board_id))

    def _site(self, board_id: str) -> str | None:
        try:
            return self._backend.site_of(board_id)
        except NotFound:  # the board is gone
            return None


def _shown(rule: dict[str, Any]) -> dict[str, Any]:
    return render.times({**rule, "since": rule["since"] or None}, *_TIMES)
