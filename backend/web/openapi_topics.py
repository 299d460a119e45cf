"""What the API's description says of topics and of what was not understood."""

from typing import Any

from backend.brokers.parsing import ERROR_TYPES
from backend.delivery.commands import PAGE_MAX
from backend.web.commands import PAGE
from backend.web.schemas import (
    FLAG,
    MAYBE_TEXT,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)

_TOPIC = {
    "topic": TEXT,
    "site": MAYBE_TEXT,
    "first_at": TIME,
    "last_at": TIME,
    "count": WHOLE,
    "sample": TEXT,
    "is_processable": FLAG,
    "is_active": FLAG,
}
_FAILURE = {
    "id": WHOLE,
    "at": TIME,
    "site": MAYBE_TEXT,
    "topic": TEXT,
    "parser": TEXT,
    "error_type": {"type": "string", "enum": list(ERROR_TYPES)},
    "message": TEXT,
    "exception_type": TEXT,
    "traceback": TEXT,
    "sample": TEXT,
    "count": WHOLE,
}

SCHEMAS: dict[str, Schema] = {
    "Topic": _object(_TOPIC),
    "Topics": _object({"topics": list_of(ref("Topic")), "not_counted": WHOLE, "next": MAYBE_TEXT}),
    "TopicSwitch": _closed({"topic": TEXT, "is_active": FLAG}),
    "ParsingLog": _object(
        {"failures": list_of(_object(_FAILURE)), "not_kept": WHOLE, "next": MAYBE_TEXT}
    ),
}

_LIMIT = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE}


def _query(name: str, schema: Schema, about: str) -> Schema:
    return {"in": "query", "name": name, "schema": schema, "description": about}


_HOW_MANY = _query("limit", _LIMIT, "How many at most")
_AFTER = [_query("after", TEXT, "Go on after this topic; `next` holds it"), _HOW_MANY]
_FAILURES = [
    _query("topic", TEXT, "Only of this topic"),
    _query("before", WHOLE, "Only older than this `id`; `next` holds it"),
    _HOW_MANY,
]
_LOOK, _DO = (401, 403), (400, 401, 403, 404, 413, 415)
ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/topics", "listTopics", "Every topic that was seen, by name",
     (200, "Topics"), _LOOK, None, _AFTER),
    ("patch", "/topics", "switchTopic", "Have a topic processed, or not",
     (200, "Topic"), _DO, "TopicSwitch"),
    ("get", "/parsing-log", "listFailures", "What was not understood, newest first",
     (200, "ParsingLog"), _LOOK, None, _FAILURES),
)  # fmt: skip
