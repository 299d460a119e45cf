"""Statistics, alerts, downtimes, messages and metrics in the API's description.

A row: method, path, name, summary, (status, schema), problems, body, parameters, public, media,
root.
"""

from typing import Any

from backend.brokers.linkstate import LINK_STATUSES
from backend.delivery.messages import DIRECTIONS
from backend.fleet.downtime import REASONS
from backend.fleet.stats import BARS, BY
from backend.web.schemas import (
    FLAG,
    IDENTIFIER,
    MAYBE_TEXT,
    MAYBE_TIME,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _object,
    list_of,
    ref,
)
from backend.web.upkeep import HOURS_MAX, PAGE, PAGE_MAX

_SIGNED_IN = (401, 403)
_SEEN = (401, 403, 404)


def _query(name: str, shape: Schema, about: str) -> Schema:
    return {"in": "query", "name": name, "schema": shape, "description": about}


_PAGES = [
    _query("before", WHOLE, "Only older than this `id`"),
    _query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE},
        "How many at most",
    ),
]
_HOURS = _query(
    "hours",
    {"type": "integer", "minimum": 1, "maximum": HOURS_MAX, "default": 24},
    "The last ones",
)
_BY = _query("by", {"enum": list(BY), "default": "board"}, "What a row is of")

ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/stats", "getStats", "How commands have gone, worst first", (200, "Stats"),
     _SIGNED_IN, None, [_HOURS, _BY]),
    ("get", "/health/summary", "getSummary", "How all is, of what one may look at",
     (200, "Summary"), _SIGNED_IN, None, [_HOURS]),
    ("get", "/alerts", "listAlerts", "Boards whose commands fail again and again, open ones first",
     (200, "Alerts"), _SIGNED_IN, None, _PAGES),
    ("get", "/boards/{board_id}/downtimes", "listDowntimes", "When a board was away",
     (200, "Downtimes"), _SEEN, None, _PAGES),
    ("get", "/boards/{board_id}/messages", "listMessages", "What was said, newest first",
     (200, "Messages"), _SEEN, None, _PAGES),
    ("get", "/commands/{command_id}/messages", "messagesOfCommand",
     "What was said about a command, oldest first", (200, "Messages"), _SEEN),
    ("get", "/metrics", "metrics", "For Prometheus; from this machine, or with a token",
     (200, None), (400, 401, 403, 404), None, [], True, "text/plain", ""),
)  # fmt: skip

_COUNTS = {"type": "object", "additionalProperties": WHOLE}
_LINK = {"connected": FLAG, "unfinished": WHOLE, "error": MAYBE_TEXT}
_HEALTH = {
    "status": {"type": "string", "enum": ["healthy", "degraded"]},
    "mqtt": _object({**_LINK, "host": MAYBE_TEXT, "port": {"type": ["integer", "null"]}}),
    "commandQueue": _object({"running": FLAG, "pollInterval": WHOLE, "waiting": WHOLE}),
    "alerts": WHOLE,
    "connections": {
        "type": "object",
        "additionalProperties": _object({**_LINK, "status": {"enum": list(LINK_STATUSES)}}),
    },
    "commands": _COUNTS,
    "boards": _object({"online": WHOLE, "known": WHOLE, "pending": WHOLE}),
    "refused": _COUNTS,
    "uptime": WHOLE,
}
_NUMBER: Schema = {"type": "number"}
_SPREAD = _object({name: {"type": ["integer", "null"]} for name in ("p50", "p95")})  # ms
_BAR = {**list_of(WHOLE), "minItems": 2, "maxItems": 2}  # completed, not completed
_STATS = {
    "name": TEXT,  # of the board, site or type; "": of none
    "counts": _COUNTS,  # by status
    "errors": _COUNTS,  # by code
    "bars": {**list_of(_BAR), "minItems": BARS, "maxItems": BARS},
    "accepted": _SPREAD,
    "completed": _SPREAD,
    "success_rate": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "downtimes": WHOLE,
    "downtime_s": _NUMBER,
}
_ALERT = {
    "id": WHOLE,
    "kind": TEXT,
    "board_id": IDENTIFIER,
    "site": MAYBE_TEXT,
    "since": TIME,
    "until_at": MAYBE_TIME,
    "failures": WHOLE,
    "error": TEXT,
    "command_id": TEXT,
}
_DOWNTIME = {
    "id": WHOLE,
    "board_id": IDENTIFIER,
    "site": MAYBE_TEXT,
    "from_at": TIME,
    "until_at": MAYBE_TIME,
    "why": {"enum": list(REASONS)},
}
_MESSAGE = {
    "id": WHOLE,
    "at": TIME,
    "board_id": IDENTIFIER,
    "direction": {"enum": list(DIRECTIONS)},
    "kind": TEXT,
    "command_id": TEXT,
    "size": WHOLE,
    "sample": TEXT,
}
_BOARDS = dict.fromkeys(("known", "online", "asleep", "offline", "unsure"), WHOLE)

SCHEMAS: dict[str, Schema] = {
    "StatsRow": _object(_STATS),
    "Stats": _object({"by": {"enum": list(BY)}, "since": TIME, "rows": list_of(ref("StatsRow"))}),
    "Summary": _object(
        {
            "status": {"enum": ["healthy", "degraded"]},
            "since": TIME,
            "boards": _object(_BOARDS),
            "commands": ref("StatsRow"),
            "alerts": WHOLE,
        }
    ),
    "Alert": _object(_ALERT),
    "Alerts": _object({"alerts": list_of(ref("Alert"))}),
    "Downtime": _object(_DOWNTIME),
    "Downtimes": _object({"downtimes": list_of(ref("Downtime"))}),
    "Message": _object(_MESSAGE),
    "Messages": _object({"messages": list_of(ref("Message"))}),
    "HealthInFull": _object(_HEALTH),
    "Health": _object(
        {
            "status": {"enum": ["healthy", "degraded"]},
            "mqtt": _object({"connected": FLAG}),
            "commandQueue": _object({"running": FLAG}),
            "uptime": WHOLE,
        }
    ),
}
