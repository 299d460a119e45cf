"""HTTP as the routes see it: a `Call` comes in, an `Answer` or a `Problem` goes out.

Rules of this file:
- JSON only; what is unknown in a query or a body is refused by name, never ignored;
- every refusal is {"error": code, "field": name or null, "message": what is wrong, what to do}.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qsl

from protocol.fields import text as check_text

from backend.people.audit import Actor
from backend.people.credentials import Identity

BODY_MAX = 16 * 1024
JSON_TYPE = "application/json"
JSON_UTF8 = f"{JSON_TYPE}; charset=utf-8"

Environ = dict[str, Any]
# Says what is wrong with a value, or None.
Check = Callable[[Any], str | None]
# Reads one member of a query, (name, text); raises Problem 400.
Reader = Callable[[str, str], Any]


class Answer(NamedTuple):
    """What a route gives back. `body`: what JSON can say, or bytes, or an iterator of bytes."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}


class Problem(Exception):
    """An answer that refuses; `field` None where no single one is to blame."""

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message
        self.field, self.headers = field, headers or {}

    def answer(self) -> Answer:
        """The same as an answer."""
        return Answer(
            problem_body(self.error, self.field, self.message), self.status, self.headers
        )


def problem_body(error: str, field: str | None, message: str) -> dict[str, Any]:
    """What every refusal says."""
    return {"error": error, "field": field, "message": message}


def refuse(field: str, reason: str) -> NoReturn:
    """Raise the 400 for one member of a query or a body."""
    raise Problem(400, "bad_parameter", f"{field} {reason}", field)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON knows")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        names = [name for name, _ in pairs]
        refuse(next(name for name in names if names.count(name) > 1)[:64], "is given twice")
    return out


_read_json = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_twins).decode
write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def text(limit: int) -> Check:
    """A check for text of at most `limit` characters, which SQLite must be able to keep whole."""

    def check(value: Any) -> str | None:
        reason = check_text(value, limit=limit)
        return reason or ("must not contain the character NUL" if "\0" in value else None)

    return check


def whole_number(value: Any) -> str | None:
    """A check for whole numbers (true and false are none)."""
    return None if type(value) is int else "must be a whole number"


def a_list(value: Any) -> str | None:
    """A check for JSON lists."""
    return None if type(value) is list else "must be a list"


def an_object(value: Any) -> str | None:
    """A check for JSON objects."""
    return None if type(value) is dict else "must be an object"


class Members:
    """The members an object may have, each with its check; `required` ones must be there."""

    def __init__(self, required: dict[str, Check], optional: dict[str, Check]) -> None:
        self._required = tuple(required)
        self._checks = required | optional

    def check(self, value: Any) -> dict[str, Any]:
        """The object itself, all its members checked. Raises Problem 400 naming the field."""
        if type(value) is not dict:
            raise Problem(400, "malformed", "the body must be a JSON object")
        for name, member in value.items():
            check = self._checks.get(name)
            if check is None:
                refuse(name[:64], "is unknown; use " + (", ".join(self._checks) or "an empty {}"))
            reason = check(member)
            if reason:
                refuse(name, reason)
        for name in self._required:
            if name not in value:
                refuse(name, "is missing")
        return value


NO_MEMBERS = Members({}, {})


class Call:
    """One request: its WSGI environment, who makes it, and what its query holds."""

    __slots__ = ("environ", "identity", "query")

    def __init__(self, environ: Environ, identity: Identity | None, query: dict[str, Any]) -> None:
        self.environ, self.identity, self.query = environ, identity, query

    @property
    def who(self) -> Identity:
        """Who makes the call; routes open to anybody must not ask."""
        assert self.identity is not None
        return self.identity

    @property
    def actor(self) -> Actor:
        """The same as it is noted down."""
        return Actor(self.who.user, self.who.via, self.address)

    @property
    def address(self) -> str:
        """The client's IP address."""
        return str(self.environ.get("REMOTE_ADDR", ""))

    def header(self, name: str) -> str | None:
        """A request header by its WSGI name (`IDEMPOTENCY_KEY`), or None."""
        return self.environ.get("HTTP_" + name)

    def body(self, members: Members, empty: bool = False, most: int = BODY_MAX) -> dict[str, Any]:
        """The JSON object of the request, of at most so many bytes; with `empty`, none at all is
        {}. Raises Problem.
        """
        raw = self.raw(most)
        if not raw and empty:
            return {}
        kind = self.environ.get("CONTENT_TYPE", "")
        if kind != JSON_TYPE and kind.split(";")[0].strip().lower() != JSON_TYPE:
            raise Problem(415, "not_json", f"send JSON, with Content-Type: {JSON_TYPE}")
        try:
            value = _read_json(raw.decode())
        except (ValueError, RecursionError) as why:
            raise Problem(400, "malformed", f"the body is no JSON: {why}"[:200]) from None
        return members.check(value)

    def raw(self, limit: int = BODY_MAX) -> bytes:
        """The body as it came. Raises Problem 413 beyond `limit` bytes."""
        length = self.environ.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > limit:
            raise Problem(413, "too_large", f"the body may have at most {limit} bytes")
        raw: bytes = self.environ["wsgi.input"].read(limit + 1)
        if len(raw) > limit:
            raise Problem(413, "too_large", f"the body may have at most {limit} bytes")
        return raw


def read_query(raw: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The members of a query, each read by its reader. Raises Problem 400 naming the member."""
    out: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        if name not in readers:
            refuse(name[:64], "is unknown; use " + (", ".join(readers) or "no query"))
        if name in out:
            refuse(name, "is given twice")
        out[name] = readers[name](name, value)
    return out


def read_text(name: str, value: str) -> str:
    """A Reader: text of at most 200 characters."""
    reason = text(200)(value)
    if reason:
        refuse(name, reason)
    return value


def read_number(low: int, high: int) -> Callable[[str, str], int]:
    """A Reader: a whole number from `low` to `high`."""

    def read(name: str, value: str) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            refuse(name, "must be a whole number")
        if not low <= int(value) <= high:
            refuse(name, f"must be from {low} to {high}")
        return int(value)

    return read
