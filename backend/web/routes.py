"""What a route is, and the one function every request goes through on its way to one."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import bottle
from peewee import OperationalError

from backend.errors import (
    Away,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    Missing,
    NotFound,
    Refusal,
    Slow,
)
from backend.people import access
from backend.people.credentials import ADMINISTER, READ
from backend.web.auth import SAFE_METHODS, Authenticator
from backend.web.http import (
    JSON_UTF8,
    Answer,
    Call,
    Environ,
    Problem,
    Reader,
    problem_body,
    read_query,
    write_json,
)

log = logging.getLogger(__name__)

API = "/api/v1"
STATUS_OF: dict[type[Refusal], int] = {
    Invalid: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Busy: 429,
    Missing: 501,
    Slow: 503,
    Away: 503,
}
# A reason that begins so is said of its field; any other is a sentence of its own.
_OF_A_FIELD = ("must", "is", "was", "has", "holds")


@dataclass(frozen=True)
class Route:
    """`handler(call, **names in the path)`; with `public`, nobody is asked who they are.

    `query`: what may stand in the query and how it is read; None where nobody looks at it.
    `scope`: what a token must be good for; None: to read for GET, else to administer; "": any.
    """

    method: str
    path: str
    handler: Callable[..., Answer]
    public: bool = False
    query: Mapping[str, Reader] | None = field(default_factory=dict)
    scope: str | None = None

    @property
    def needs(self) -> str:
        """The scope it takes, or ""."""
        if self.scope is not None:
            return self.scope
        return READ if self.method in SAFE_METHODS else ADMINISTER


def add(app: bottle.Bottle, route: Route, authenticator: Authenticator) -> None:
    """Have the app serve a route."""
    identify = None if route.public else authenticator.identify
    needs = route.needs

    def serve(**names: str) -> Any:
        environ = bottle.request.environ
        try:
            identity = identify(environ) if identify else None
            if identity and needs:
                access.require_scope(identity, needs)
            answer = route.handler(Call(environ, identity, _query(environ, route)), **names)
        except Problem as why:
            answer = why.answer()
        except Refusal as why:
            answer = refused(why)
        except OperationalError as why:
            answer = _database_busy(why)
        return send(answer)

    app.route(route.path, route.method, serve, apply=None, skip=True)


def refused(why: Refusal) -> Answer:
    """What the backend refuses, as an answer."""
    wait = why.retry_after if isinstance(why, Busy | Slow) else None
    headers = {} if wait is None else {"Retry-After": str(wait)}
    said_of_field = why.field and why.reason.split(" ", 1)[0] in _OF_A_FIELD
    message = f"{why.field} {why.reason}" if said_of_field else why.reason
    body = problem_body(why.code, why.field or None, message)
    return Answer(body, STATUS_OF[type(why)], headers)


def _query(environ: Environ, route: Route) -> dict[str, Any]:
    raw = environ.get("QUERY_STRING")
    return read_query(raw, route.query) if raw and route.query is not None else {}


def _database_busy(why: OperationalError) -> Answer:
    log.warning("the database can't be used: %s", why)
    message = "the database can't be used just now; try again"
    return Answer(problem_body("database_busy", None, message), 503, {"Retry-After": "5"})


def send(answer: Answer) -> Any:
    """Hand an answer to bottle; what is neither bytes nor an iterator becomes JSON."""
    body, status, headers = answer
    response = bottle.response
    response.status = status
    out = response.headers
    out["X-Content-Type-Options"] = "nosniff"
    out["Cache-Control"] = "no-store"
    for name, value in headers.items():
        out[name] = value
    if body is None or isinstance(body, bytes) or hasattr(body, "__next__"):
        return body
    out["Content-Type"] = JSON_UTF8
    # What UTF-8 can't carry (a lone surrogate somebody sent) goes out escaped, as JSON has it.
    return write_json(body).encode("utf-8", "backslashreplace")


def send_bottles_error(error: bottle.HTTPError) -> Any:
    """What bottle itself refuses (no such path or method) or a bug of ours, as an answer."""
    error.body = None
    status = error.status_code
    if status == 404:
        body = problem_body("not_found", None, f"there is nothing here; see {API}/openapi.json")
    elif status == 405:
        message = f"use {error.headers.get('Allow', 'another method')} here"
        body = problem_body("method_not_allowed", None, message)
    elif status < 500:
        body = problem_body("malformed", None, "the request could not be read")
    else:
        message = "this is a fault of the backend; its log says more"
        body = problem_body("internal", None, message)
    return send(Answer(body, status))
