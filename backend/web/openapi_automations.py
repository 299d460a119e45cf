"""What the API's description says of automations and executions."""

from typing import Any

from backend.automations.executions import TYPES
from backend.automations.models import COMPARISONS, ON_SILENCE, PHASES, PUSHES, STATUSES
from backend.delivery.priorities import RULE_MAX
from backend.web.automations import PAGE, PAGE_MAX
from backend.web.schemas import (
    EXPIRES_IN,
    FLAG,
    IDENTIFIER,
    MAYBE_TEXT,
    MAYBE_TIME,
    OBJECT,
    TARGET,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)

_NUMBER: Schema = {"type": "number"}
_SECONDS: Schema = {"type": "integer", "minimum": 0}
_ACTION = {
    "board_id": IDENTIFIER,
    "command_type": IDENTIFIER,
    "target": TARGET,
    "parameters": OBJECT,
    "expires_in": {**EXPIRES_IN, "type": ["integer", "null"]},
}
_MAYBE_ACTION = {"oneOf": [ref("Action"), {"type": "null"}]}
_NAMES = {name: {**TEXT, "maxLength": 64} for name in ("name", "board_id", "sensor")}
_VALUES = {
    "limit_name": {**TARGET, "description": "A limit of the board's own, in place of `at`"},
    "comparison": {"enum": list(COMPARISONS)},
    "at": _NUMBER,
    "hysteresis": {**_NUMBER, "minimum": 0},
    "for_s": {**_SECONDS, "description": "Beyond it for so long, from one reading to another"},
    "cooldown_s": {**_SECONDS, "description": "Between two beginnings of the action"},
    "repeat_s": {**_SECONDS, "description": "The action again while it lasts; 0: once"},
    "manual_hold_s": {**_SECONDS, "description": "It leaves alone what was done by hand"},
    "silent_s": {**_SECONDS, "description": "The sensor is silent after that; 0: never"},
    "on_silence": {"enum": list(ON_SILENCE)},
    "action": _MAYBE_ACTION,
    "clear_action": _MAYBE_ACTION,
    "notify": {**FLAG, "description": "An alert while it is crossed"},
    "push": {"enum": list(PUSHES), "description": "What the board does of it by itself"},
    "priority": {"type": "integer", "minimum": 0, "maximum": RULE_MAX},
    "enabled": FLAG,
}
_STATE = {
    "phase": {"enum": list(PHASES)},
    "since": MAYBE_TIME,
    "silent_at": MAYBE_TIME,
    "wanted": TEXT,
    "tries": WHOLE,
    "acted": FLAG,
    "pushed": {**FLAG, "description": "The board has it"},
    "runs_at": MAYBE_TIME,
    "cool_until": MAYBE_TIME,
}
_EXECUTION = {
    "id": WHOLE,
    "type": {"enum": list(TYPES)},
    "automation_id": {"type": ["integer", "null"]},
    "board_id": IDENTIFIER,
    "trigger": TEXT,
    "value": {"type": ["number", "null"]},
    "priority": WHOLE,
    "status": {"enum": list(STATUSES)},
    "error": MAYBE_TEXT,
    "message": TEXT,
    "detail": OBJECT,
    "command_id": MAYBE_TEXT,
    "local_id": MAYBE_TEXT,  # by which the board did it by itself
    "created_at": TIME,
    "updated_at": TIME,
    "until_at": MAYBE_TIME,
}

SCHEMAS: dict[str, Schema] = {
    "Action": _closed(_ACTION, ["board_id", "command_type"]),
    "Automation": _object({"id": WHOLE, **_NAMES, **_VALUES, **_STATE, "created_at": TIME}),
    "Automations": _object({"automations": list_of(ref("Automation"))}),
    "NewAutomation": _closed({**_NAMES, **_VALUES}, list(_NAMES)),
    "AutomationChange": _closed({**_NAMES, **_VALUES}, []),
    "Execution": _object(_EXECUTION),
    "Executions": _object(
        {"executions": list_of(ref("Execution")), "before": {"type": ["integer", "null"]}}
    ),
}


def _query(name: str, schema: Schema, about: str) -> Schema:
    return {"in": "query", "name": name, "schema": schema, "description": about}


_LIMIT = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE}
_FILTERS = [
    _query("type", {"enum": list(TYPES), "default": TYPES[0]}, "Of rules, or by hand"),
    _query("automation_id", WHOLE, "Only of this rule"),
    _query("board_id", TEXT, "Only of this board"),
    _query("status", {"enum": list(STATUSES)}, "Only in this status"),
    _query("before", WHOLE, "Only older than this `id`; `before` of the answer holds it"),
    _query("limit", _LIMIT, "How many at most"),
]
_SEEN = (401, 403, 404)
_DO = (401, 403, 404, 413, 415, 429)
_ONE = "/automations/{automation_id}"
ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/automations", "listAutomations", "The rules one may look at, by name",
     (200, "Automations"), (401, 403)),
    ("post", "/automations", "createAutomation", "Make a rule", (201, "Automation"),
     (*_DO, 409), "NewAutomation"),
    ("get", _ONE, "getAutomation", "A rule, and where it stands", (200, "Automation"), _SEEN),
    ("patch", _ONE, "changeAutomation", "Change a rule, which begins anew", (200, "Automation"),
     (*_DO, 409), "AutomationChange"),
    ("delete", _ONE, "deleteAutomation", "Delete a rule; its executions stay", (204, None), _DO),
    ("post", f"{_ONE}/enable", "enableAutomation", "Switch a rule on", (200, "Automation"),
     (*_DO, 409), "Nothing"),
    ("post", f"{_ONE}/disable", "disableAutomation",
     "Switch a rule off; what it has under way is called off", (200, "Automation"),
     (*_DO, 409), "Nothing"),
    ("get", "/executions", "listExecutions", "What rules did, or people by hand, newest first",
     (200, "Executions"), (401, 403), None, _FILTERS),
)  # fmt: skip
