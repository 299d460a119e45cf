"""What a scene file may hold, as JSON Schema, and what is wrong with one, by place.

Two forms: states (`{"initialState", "states": {...}}`), and a flat list of timed actions, alone or
as `{"actions": [...]}`. A place is `states.INTRO.timeline[3].at`.
"""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

Schema = dict[str, Any]
Found = list[tuple[str, str]]  # (place, reason)

CONTINUE, RETRY, ABORT, SAFE = POLICIES = ("continue", "retry", "abort", "safe")
KEEP = "keep"
AUDIO, VIDEO = CHANNELS = ("audio", "video")
STATES_MAX, ACTIONS_MAX, LIST_MAX, DAY_S = 200, 2_000, 500, 86_400

_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
_SECONDS = {"type": "number", "minimum": 0, "maximum": DAY_S}
_POLICY = {"enum": list(POLICIES)}


def _closed(properties: Schema, *required: str) -> Schema:
    return {"properties": properties, "required": list(required), "additionalProperties": False}


def _variants(choice: str, shapes: dict[str, Schema], shared: Schema, *required: str) -> Schema:
    """An object whose member `choice` says which of these shapes it has."""
    cases = [
        {
            "if": {"properties": {choice: {"const": name}}, "required": [choice]},
            "then": _closed({choice: {}, **shared, **shape["has"]}, *shape["needs"]),
        }
        for name, shape in shapes.items()
    ]
    named = {choice: {"enum": list(shapes)}}
    return {"type": "object", "required": [choice, *required], "properties": named, "allOf": cases}


def _shape(has: Schema, *needs: str) -> Schema:
    return {"has": has, "needs": needs}


_MEDIA = _shape({"message": _TEXT, "topic": _TEXT}, "message")
_ACTIONS = {
    "mqtt": _shape({"topic": _TEXT, "message": _TEXT}, "topic", "message"),
    "command": _shape(
        {"board": _ID, "command_type": _ID, "target": _ID, "parameters": {"type": "object"}},
        "board",
        "command_type",
    ),
    AUDIO: _MEDIA,
    VIDEO: _MEDIA,
}
_TRANSITIONS = {
    "timeout": _shape({"delay": _SECONDS}, "delay", "goto"),
    "audioEnd": _shape({"target": _TEXT}, "goto"),
    "videoEnd": _shape({"target": _TEXT}, "goto"),
    "mqttMessage": _shape({"topic": _TEXT, "message": _TEXT}, "topic", "message", "goto"),
    "always": _shape({}, "goto"),
}
_ACTION = _variants("action", _ACTIONS, {"onFailure": _POLICY})
_TIMED = _variants("action", _ACTIONS, {"onFailure": _POLICY, "at": _SECONDS}, "at")


def _list(items: Schema, longest: int = LIST_MAX) -> Schema:
    return {"type": "array", "items": items, "maxItems": longest}


_ENTRY = {
    "type": "object",
    "if": {"required": ["actions"]},
    "then": _closed({"at": _SECONDS, "actions": _list(_ACTION)}, "at", "actions"),
    "else": _TIMED,
}
_TRANSITION = _variants("type", _TRANSITIONS, {"goto": _TEXT})
_STATE = {
    "type": "object",
    **_closed(
        {
            "description": {"type": "string"},
            "onEnter": _list(_ACTION),
            "onExit": _list(_ACTION),
            "timeline": _list(_ENTRY),
            "transitions": _list(_TRANSITION),
        }
    ),
}
_FLAT = {
    "type": "object",
    **_closed(
        {"at": _SECONDS, "timestamp": _SECONDS, "action": {"enum": ["mqtt", AUDIO, VIDEO]},
         "topic": _TEXT, "message": _TEXT, "onFailure": _POLICY},
        "topic",
        "message",
    ),
}  # fmt: skip
# Beyond the museum's own members: `room`, `default` (which scene of a room its button starts),
# `topics` (which of our own boards stands for a topic), `media` (seconds that files last),
# `onFailure`, `atEnd`, `onInterrupt`, `safeState`.
_HEAD = {
    "sceneId": _ID,
    "description": {"type": "string"},
    "room": _ID,
    "default": {"type": "boolean"},
    "topics": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            **_closed({"board": _ID, "target": _ID}, "board", "target"),
        },
    },
    "media": {"type": "object", "additionalProperties": _SECONDS},
    "onFailure": _POLICY,
    "atEnd": {"enum": [SAFE, KEEP]},
    "onInterrupt": {"enum": [SAFE, KEEP]},
    "safeState": _list(_ACTION),
}
_IN_STATES = {
    "type": "object",
    "required": ["initialState", "states"],
    "properties": {
        **_HEAD,
        "initialState": _TEXT,
        "states": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": STATES_MAX,
            "propertyNames": {"maxLength": 64},
            "additionalProperties": _STATE,
        },
        "globalEvents": _list(_TRANSITION),
    },
}
_FLAT_LIST = {**_list(_FLAT, ACTIONS_MAX), "minItems": 1}
_IN_A_LIST = {"type": "object", "properties": {**_HEAD, "actions": _FLAT_LIST}}
KNOWN = {"version", "actions", *_IN_STATES["properties"]}

_TYPES = {"number": "a number", "object": "an object", "array": "a list", "string": "text",
          "boolean": "true or false"}  # fmt: skip


def is_flat(raw: Any) -> bool:
    """Whether it is of the second form."""
    return isinstance(raw, list) or (
        isinstance(raw, dict) and "actions" in raw and "states" not in raw
    )


def errors(raw: Any) -> Found:
    """What is wrong with a file, in its own order; [] where its form is right."""
    shape = _IN_STATES if not is_flat(raw) else _FLAT_LIST if isinstance(raw, list) else _IN_A_LIST
    found: dict[tuple[str, str], None] = {}
    for error in Draft202012Validator(shape).iter_errors(raw):
        found |= dict.fromkeys(_told(error))
    return list(found)


def place_of(path: Any) -> str:
    """`states.INTRO.timeline[3]` of a path of names and indexes."""
    out = ""
    for one in path:
        out += f"[{one}]" if isinstance(one, int) else f".{one}" if out else str(one)
    return out


def _told(error: ValidationError) -> Iterator[tuple[str, str]]:
    kind, wanted, path = error.validator, error.validator_value, list(error.absolute_path)
    if kind == "required":
        for name in wanted:
            if name not in error.instance:
                yield place_of([*path, name]), "is missing"
    elif kind == "additionalProperties":
        known = error.schema["properties"]
        for name in error.instance:
            if name not in known:
                use = ", ".join(one for one in known) or "no member"
                yield place_of([*path, str(name)[:64]]), f"is unknown here; use {use}"
    else:
        yield place_of(path) or "the file", _reason(str(kind), wanted)


def _reason(kind: str, wanted: Any) -> str:
    """Why a value is wrong, by the rule it breaks."""
    if kind == "type":
        return f"must be {_TYPES[wanted]}"
    if kind == "enum":
        return "must be one of " + ", ".join(map(str, wanted))
    if kind == "pattern":
        return "must be 1 to 64 of A-Z a-z 0-9 _ -"
    words = {
        "minimum": f"must be at least {wanted}",
        "maximum": f"must be at most {wanted}",
        "minLength": "must not be empty",
        "maxLength": f"must be at most {wanted} characters",
        "maxItems": f"must have at most {wanted} entries",
        "minItems": "must have an entry",
        "minProperties": "must have a state",
        "maxProperties": f"must have at most {wanted}",
    }
    return words[kind]
