"""What the API's description says of sites' connections: operations and shapes."""

from typing import Any

from backend.brokers.address import CA_LENGTH, TEXT_LENGTH
from backend.brokers.connections import LEVELS, PAGE_MAX
from backend.brokers.linkstate import LINK_STATUSES
from backend.web.connections import PAGE
from backend.web.schemas import (
    FLAG,
    MAYBE_TEXT,
    MAYBE_TIME,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)

_ADDRESS: dict[str, Schema] = {
    "host": {"type": "string", "minLength": 1, "maxLength": 253},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "username": {"type": "string", "maxLength": TEXT_LENGTH},
    "tls": FLAG,
    "ca": {"type": "string", "maxLength": CA_LENGTH},
}
_PASSWORD = {"type": "string", "maxLength": TEXT_LENGTH, "writeOnly": True}
_CONNECTION = {
    "site": TEXT,
    **_ADDRESS,
    "has_password": FLAG,
    "is_active": FLAG,
    "status": {"enum": list(LINK_STATUSES)},
    "error": MAYBE_TEXT,
    "retries": WHOLE,
    "retry_at": MAYBE_TIME,
    "changed_at": TIME,
}
_ENTRY = {
    "id": WHOLE,
    "timestamp": TIME,
    "level": {"enum": list(LEVELS)},
    "message": TEXT,
    "exception_type": TEXT,
    "exception_traceback": TEXT,
    "broker_host": TEXT,
    "retry_attempt": WHOLE,
}
SCHEMAS: dict[str, Schema] = {
    "Connection": _object(_CONNECTION),
    "Connections": _object({"connections": list_of(ref("Connection")), "without": list_of(TEXT)}),
    "NewConnection": _closed(
        {**_ADDRESS, "password": _PASSWORD, "is_active": FLAG}, ["host", "port"]
    ),
    "ConnectionLog": _object({"entries": list_of(_object(_ENTRY)), "next": MAYBE_TEXT}),
}

_ONE = "/sites/{site}/connection"
_LOOK = (401, 403, 404)
_DO = (401, 403, 404, 413, 415)
_LIMIT = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE}
_LOG = [
    {"in": "query", "name": "before", "schema": WHOLE, "description": "Only before this `id`"},
    {"in": "query", "name": "limit", "schema": _LIMIT, "description": "How many at most"},
]
_START = "Have it connected: 202 with its status as it still is"
_STOP = "Have it disconnected: 202 with its status as it still is"
# Method, path, name, summary, answer, problems, body, parameters of each operation.
ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/connections", "listConnections", "Connections of the sites one administers",
     (200, "Connections"), (401,)),
    ("get", _ONE, "getConnection", "A site's connection to its broker",
     (200, "Connection"), _LOOK),
    ("put", _ONE, "putConnection", "Make (201) or change (200) it; it connects anew",
     (200, "Connection"), _DO, "NewConnection"),
    ("delete", _ONE, "deleteConnection", "Forget it: the default one is used", (204, None), _DO),
    ("post", f"{_ONE}/start", "startConnection", _START, (202, "Connection"), _DO, "Nothing"),
    ("post", f"{_ONE}/stop", "stopConnection", _STOP, (202, "Connection"), _DO, "Nothing"),
    ("get", f"{_ONE}/log", "getConnectionLog", "What has become of it, newest first",
     (200, "ConnectionLog"), _LOOK, None, _LOG),
)  # fmt: skip
# What else an operation answers, beside its first answer, with the same body.
ALSO = {"putConnection": 201, "startConnection": 200, "stopConnection": 200}
