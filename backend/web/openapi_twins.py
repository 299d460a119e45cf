"""What a dry run gives, for the API's description."""

from typing import Any

from backend.web.http import JSON_TYPE
from backend.web.schemas import (
    IDENTIFIER,
    MAYBE_TEXT,
    OBJECT,
    STATUS,
    TEXT,
    WHOLE,
    Schema,
    _object,
    list_of,
    ref,
)

ROWS: tuple[Any, ...] = ()

_CHANGE = _object({"ms": WHOLE, "percent": WHOLE})
# One pin of an output: `part` is which one, where it has several; `percent`: how much it is on.
_PIN = {
    "output": IDENTIFIER,
    "part": TEXT,
    "pin": WHOLE,
    "before": WHOLE,
    "changes": list_of(_CHANGE),
}
SCHEMAS: dict[str, Schema] = {
    "DryRun": _object(
        {
            "dry_run": {"const": True},
            "twin": _object({"firmware": TEXT, "same": list_of(TEXT), "not_same": list_of(TEXT)}),
            "status": STATUS,
            "error": MAYBE_TEXT,
            "message": TEXT,
            "result": OBJECT,
            "steps": list_of(_object({"ms": WHOLE, "state": TEXT})),
            "pins": list_of(_object(_PIN)),
            "took_ms": WHOLE,
        }
    )
}

# operation: what else it answers
ALSO: dict[str, Schema] = {
    "postCommand": {
        "200": {
            "description": "With `dry_run`: what a twin of the board did",
            "content": {JSON_TYPE: {"schema": ref("DryRun")}},
        }
    }
}
