"""What a route is, and the one function every request goes through on its way to one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bottle

from backend.errors import Busy, Conflict, Invalid, NotFound, Refusal
from backend.web.auth import Authenticator
from backend.web.http import Answer, Call, Problem, problem_body, write_json

API = "/api/v1"
JSON_UTF8 = "application/json; charset=utf-8"
STATUS_OF: dict[type[Refusal], int] = {Invalid: 400, NotFound: 404, Conflict: 409, Busy: 429}


@dataclass(frozen=True)
class Route:
    """`handler(call, **names in the path)`; with `public`, nobody is asked who they are."""

    method: str
    path: str
    handler: Callable[..., Answer]
    public: bool = False


def add(app: bottle.Bottle, route: Route, authenticator: Authenticator) -> None:
    """Have the app serve a route."""
    identify = None if route.public else authenticator.identify

    def serve(**names: str) -> Any:
        environ = bottle.request.environ
        try:
            identity = identify(environ) if identify else None
            answer = route.handler(Call(environ, identity), **names)
        except Problem as why:
            answer = why.answer()
        except Refusal as why:
            answer = refused(why)
        return send(answer)

    app.route(route.path, route.method, serve, apply=None, skip=True)


def refused(why: Refusal) -> Answer:
    """What the backend refuses, as an answer."""
    headers = {"Retry-After": str(why.retry_after)} if isinstance(why, Busy) else {}
    message = f"{why.field} {why.reason}" if why.field else why.reason
    body = problem_body(why.code, why.field or None, message)
    return Answer(body, STATUS_OF[type(why)], headers)


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
    return write_json(body).encode()


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
