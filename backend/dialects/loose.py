"""Reads JSON of boards whose makers were not strict: tolerant of form, strict about types.

Anything that can't be right is None, or ProtocolError where without it nothing makes sense.
"""

import calendar
import json
import re
import time
from typing import Any

from protocol import ProtocolError
from protocol.limits import SAFE_INTEGER

# Curly quotes have been seen: somebody typed a message in a word processor.
_QUOTES = str.maketrans(
    {"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"}
)
_YEARS = (calendar.timegm((2020, 1, 1, 0, 0, 0)), calendar.timegm((2100, 1, 1, 0, 0, 0)))
_TIME = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)[T ](\d\d?):(\d\d?):(\d\d?)(?:\.\d{1,9})?\s*Z?")
_DEPTH = 16


def read_object(payload: bytes, limit: int) -> dict[str, Any]:
    """A JSON object of at most `limit` bytes. Raises ProtocolError."""
    if len(payload) > limit:
        raise ProtocolError("too_large", "message", f"is over {limit} bytes")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError("malformed", "message", "is not UTF-8") from None
    if text.count("{") + text.count("[") > _DEPTH * 16:
        raise ProtocolError("malformed", "message", "is nested too deeply")
    value = _parsed(text)
    if type(value) is not dict:
        raise ProtocolError("malformed", "message", "must be an object")
    return value


def _parsed(text: str) -> Any:
    for attempt in (text, text.translate(_QUOTES)):
        try:
            return json.loads(attempt)
        except ValueError:
            continue
        except RecursionError:
            break
    raise ProtocolError("malformed", "message", "is not JSON")


def first(said: dict[str, Any], *names: str) -> Any:
    """The first of these members that is there, or None."""
    return next((said[name] for name in names if said.get(name) is not None), None)


def whole(value: Any, low: int, high: int) -> int | None:
    """A whole number in range, also one written as text or with a point; else None."""
    if type(value) is str and len(value) <= 18 and value.strip().isdecimal():
        value = int(value)
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and low <= value <= high else None


def number(value: Any) -> float | None:
    """A finite number, else None."""
    if type(value) not in (int, float) or not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return None
    return float(value)


def text(value: Any, limit: int = 64) -> str:
    """Text without what can't be shown, cut; "" where it is none."""
    if type(value) not in (str, int, float):
        return ""
    return "".join(ch for ch in str(value) if ch.isprintable())[:limit]


def epoch(value: Any) -> int:
    """Unix seconds (UTC) of `2026-02-07T16:33:14Z` and its kin, or 0 where it can't be right."""
    if type(value) in (int, float):
        return int(value) if _YEARS[0] <= value < _YEARS[1] else 0
    found = _TIME.fullmatch(value.strip()) if type(value) is str and len(value) < 40 else None
    if found is None:
        return 0
    parts = [int(part) for part in found.groups()]
    try:
        time.strptime("{}-{}-{} {}:{}:{}".format(*parts), "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return 0
    seconds = calendar.timegm((*parts, 0, 0, 0))
    return seconds if _YEARS[0] <= seconds < _YEARS[1] else 0
