"""The shapes of what the API takes and gives, as JSON Schema tables for its description.

What a verb's parameters may be comes from the protocol's own table, statuses from the lifecycle.
"""

from typing import Any

from protocol.conditions import fields
from protocol.limits import COMMAND_LIFE_MAX, CONDITIONS_MAX
from protocol.reports import CLEARED, CROSSED
from protocol.verbs import DOSE, SET, STOP

from backend.database.models import BOARD_STATES
from backend.delivery.lifecycle import STATUSES
from backend.people.access import ROLES
from backend.people.credentials import JWT, SCOPES, SESSION, TOKEN
from backend.web.boards import CATALOGUE, schema

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
MAYBE_FLAG: Schema = {"type": ["boolean", "null"]}
TIME: Schema = {"type": "string", "format": "date-time"}
MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
OBJECT: Schema = {"type": "object"}
IDENTIFIER: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
TARGET: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{0,64}$"}
STATUS: Schema = {"type": "string", "enum": list(STATUSES)}
REASON: Schema = {"type": "string", "maxLength": 200, "pattern": "^[^\\u0000]*$"}
EXPIRES_IN: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": COMMAND_LIFE_MAX,
    "description": "Seconds it may wait to be begun",
}


def ref(name: str) -> Schema:
    """A reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": items}


def _object(properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    names = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": names}


def _closed(properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    return {**_object(properties, required), "additionalProperties": False}


def _parameters(verb: Schema, case: Schema) -> Schema:
    """The parameters of one case of a verb."""
    choice = {verb["choice"]: {"const": case["value"]}} if verb["choice"] else {}
    properties = {**choice, **case["required"], **case["optional"]}
    shape = _object if case["open"] else _closed
    one_of = [{"required": [name]} for name in case["one_of"]]
    out = shape(properties, [*choice, *case["required"]])
    return {**out, "oneOf": one_of} if one_of else out


def _new_command(name: str, verb: Schema) -> Schema:
    """What may be posted for one verb; only `stop` may have a target or none."""
    cases = [_parameters(verb, case) for case in verb["cases"]]
    properties = {
        "board_id": IDENTIFIER,
        "command_type": {"const": name},
        "target": TARGET if name == "stop" else IDENTIFIER if verb["actuator"] else {"const": ""},
        "parameters": cases[0] if len(cases) == 1 else {"oneOf": cases},
        "expires_in": {**EXPIRES_IN, "default": verb["life"]},
        "reason": REASON,
        "conditions": CONDITIONS,
        "dry_run": DRY_RUN,
    }
    required = ["board_id", "command_type"]
    if verb["actuator"]:
        required.append("target")
    if all(case["required"] for case in cases):
        required.append("parameters")
    return _closed(properties, required)


def _condition(member: str) -> Schema:
    """A condition that has this member."""
    return _closed({name: schema(check) for name, check in fields({member: 0}).items()})


CONDITIONS: Schema = {
    "type": "array",
    "maxItems": CONDITIONS_MAX,
    "items": {"oneOf": [_condition(member) for member in ("below", "above", "output")]},
    "description": "What must hold on the board when it begins, or it is not done; not for stops",
}
DRY_RUN: Schema = {
    **FLAG,
    "description": "Only try it on a twin of the board: 200, and nothing is sent or written down",
}
_STEP = {
    "id": WHOLE,
    "at": TIME,
    "event": TEXT,
    "from": TEXT,
    "to": STATUS,
    "error": MAYBE_TEXT,
    "detail": OBJECT,
    "actor": TEXT,
}
_COMMAND = {
    "id": {"type": "string", "format": "uuid"},
    "seq": WHOLE,
    "board_id": IDENTIFIER,
    "command_type": IDENTIFIER,
    "target": TARGET,
    "parameters": OBJECT,
    "status": STATUS,
    "error": MAYBE_TEXT,
    "message": TEXT,
    "result": OBJECT,
    "attempt": WHOLE,
    "cancelling": FLAG,
    "user": TEXT,
    "source": TEXT,
    "via": TEXT,
    "reason": TEXT,
    "cause": TEXT,
    "priority": WHOLE,
    "conditions": list_of(OBJECT),
    "created_at": TIME,
    "expires_at": TIME,
    "updated_at": TIME,
}
# A sensor: its last value, from when (null: the board did not know the time), and why the newest
# reading was none, or null.
_READING = {
    "value": {"type": ["number", "null"]},
    "unit": TEXT,
    "at": MAYBE_TIME,
    "error": MAYBE_TEXT,
}
# A picture that is not whole yet: how many parts are here, of how many (null: not known yet), and
# whether more is waited for before the board starts anew.
_PICTURE = {"parts": WHOLE, "of": {"type": ["integer", "null"]}, "asked": WHOLE, "waiting": FLAG}
_BOARD = {
    "id": IDENTIFIER,
    "name": TEXT,
    "site": {"type": ["string", "null"]},
    "state": {"enum": list(BOARD_STATES)},
    "dialect": TEXT,
    "sleeps": FLAG,
    "labels": list_of(IDENTIFIER),
    "next_wake_at": MAYBE_TIME,
    "claims": OBJECT,
    "announced_at": MAYBE_TIME,
    "options": OBJECT,
    "online": MAYBE_FLAG,
    "last_seen": MAYBE_TIME,
    "asleep_until": MAYBE_TIME,
    "silence_s": {"type": "number"},  # that long, and it is offline
    "boot": TEXT,
    "firmware": TEXT,
    "board": TEXT,
    "actuators": {"type": "object", "additionalProperties": OBJECT},
    "has": list_of(TEXT),  # beside actuators: camera, sensors, sleep
    "running": {"type": "object", "additionalProperties": TEXT},
    "latched": FLAG,
    "slot": TEXT,
    "slot_state": TEXT,
    "heap": WHOLE,
    "rssi": WHOLE,
    "uptime": WHOLE,
    "sensors": {"type": "object", "additionalProperties": _object(_READING)},
    "limits": {"type": "object", "additionalProperties": {"enum": [CROSSED, CLEARED]}},
    "pictures": {"type": "object", "additionalProperties": _object(_PICTURE)},
}
_SESSION = {
    "user": TEXT,
    "role": {"enum": list(ROLES)},
    "kind": {"enum": [SESSION, TOKEN, JWT]},
    "csrf_token": TEXT,
    "sites": {"type": "object", "additionalProperties": {"enum": list(ROLES)}},
    "scopes": list_of({"enum": list(SCOPES)}),
}
_CASE = {
    "value": MAYBE_TEXT,
    "kind": {"type": "string", "enum": [DOSE, SET, STOP]},
    "required": {"type": "object", "additionalProperties": OBJECT},
    "optional": {"type": "object", "additionalProperties": OBJECT},
    "open": FLAG,
    "one_of": list_of(TEXT),  # exactly one of these optional parameters is given
}
_VERB = {
    "actuator": MAYBE_TEXT,
    "choice": MAYBE_TEXT,
    "cases": list_of(_object(_CASE)),
    "life": WHOLE,
}

_VERBS: Schema = {"type": "object", "additionalProperties": _object(_VERB)}
SCHEMAS: dict[str, Schema] = {
    "Problem": _object({"error": TEXT, "field": MAYBE_TEXT, "message": TEXT}),
    "SignIn": _closed({"user": TEXT, "password": TEXT}),
    "Session": _object(_SESSION),
    "Board": _object(_BOARD),
    "Boards": _object({"boards": list_of(ref("Board"))}),
    "Verbs": _object(
        {
            "verbs": _VERBS,
            "dialects": {
                "type": "object",
                "additionalProperties": _object({"verbs": _VERBS, "limits": list_of(TEXT)}),
            },
            "statuses": list_of(STATUS),
            "errors": {"type": "object", "additionalProperties": TEXT},
        }
    ),
    "Step": _object(_STEP),
    "Command": _object(_COMMAND),
    "CommandWithHistory": _object(
        {**_COMMAND, "history": list_of(ref("Step")), "log": MAYBE_TEXT}
    ),
    "Commands": _object({"commands": list_of(ref("Command")), "next": MAYBE_TEXT}),
    "Nothing": _closed({}),
    "Cancel": _closed({"reason": REASON}, []),
    # To a board of another dialect: what it understands is under `dialects` of GET /verbs.
    "ForeignCommand": _closed(
        {
            "board_id": IDENTIFIER,
            "command_type": TEXT,
            "target": TARGET,
            "parameters": OBJECT,
            "expires_in": EXPIRES_IN,
            "reason": REASON,
        },
        ["board_id", "command_type"],
    ),
    "AnyCommand": {"anyOf": [ref("NewCommand"), ref("ForeignCommand")]},
    "NewCommand": {"oneOf": [_new_command(name, verb) for name, verb in CATALOGUE.items()]},
}
