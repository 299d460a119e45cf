"""The API's description (OpenAPI 3.1), put together from tables. A test holds it to the routes."""

import re
from collections import ChainMap
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from backend.delivery.commands import PAGE_MAX
from backend.web import (
    openapi_automations,
    openapi_connections,
    openapi_people,
    openapi_pictures,
    openapi_readings,
    openapi_rollouts,
    openapi_scenes,
    openapi_schedules,
    openapi_sites,
    openapi_topics,
    openapi_twins,
    openapi_upkeep,
)
from backend.web.auth import COOKIE
from backend.web.commands import PAGE
from backend.web.http import BODY_MAX, JSON_TYPE
from backend.web.routes import API
from backend.web.schemas import SCHEMAS, STATUS, TEXT, WHOLE, Schema, ref

_PARTS: tuple[Any, ...] = (
    openapi_people,
    openapi_sites,
    openapi_connections,
    openapi_topics,
    openapi_twins,
    openapi_readings,
    openapi_automations,
    openapi_schedules,
    openapi_scenes,
    openapi_pictures,
    openapi_rollouts,
    openapi_upkeep,
)
_ABOUT = (
    "Send a command to a board and know what became of it. 202 means that the command is durable; "
    "its status and history tell the rest. UNKNOWN is an open question that the board is asked, "
    "not a failure. Every refusal is a Problem. What somebody sees and may do follows from their "
    "role at a board's site: viewer, operator or admin. Programs send a bearer token: a JWT from "
    "`grantToken`, or one of `createToken`, with the scopes `read` (for GET), `command` (to send "
    "and cancel commands) and `admin` (for all else). Browsers have a session cookie and send "
    "X-CSRF-Token with every method but GET."
)
_PROBLEMS = {
    400: "The request is wrong (a query nobody asked for is, too); `field` names where",
    401: "Nobody is signed in, or the token is unknown, expired or revoked",
    403: "Whoever asks may not: their role at the site is too small, the token lacks a scope, or "
    "the CSRF token is missing or wrong",
    404: "There is no such thing, or even whether there is one is none of their business",
    409: "It can't be done in the state things are in",
    413: f"The body is longer than {BODY_MAX} bytes",
    415: "The body is not sent as JSON",
    416: "The file does not have the bytes asked for",
    429: "Too much at once; wait Retry-After seconds",
    501: "What that takes is not installed here; the message says what is missing",
    503: "Not now: the database is busy, no place is free, or (`postCommand`) nobody can say yet "
    "whether it was taken; repeat it after Retry-After seconds, under the same Idempotency-Key",
}
_BODY = (413, 415)
_SIGNED_IN = (401, 403)
_UNSAFE = (401, 403)
_ANY = (400, 503)  # what every operation but the ones open to anybody may answer
_WAIT = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}


@dataclass(frozen=True)
class _Operation:
    """One row of the table. `answer`: status and schema, or None where it has no JSON body."""

    method: str
    path: str
    name: str
    summary: str
    answer: tuple[int, str | None]
    problems: tuple[int, ...]
    body: str | None = None
    parameters: list[Schema] = field(default_factory=list)
    public: bool = False
    media: str = JSON_TYPE
    root: str = API


def _parameter(place: str, name: str, shape: Schema, description: str) -> Schema:
    required = {"required": True} if place == "path" else {}
    return {"in": place, "name": name, "schema": shape, "description": description, **required}


_LIMIT = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE}
_FILTERS = [
    _parameter("query", "board_id", TEXT, "Only of this board"),
    _parameter("query", "status", STATUS, "Only in this status"),
    _parameter("query", "command_type", TEXT, "Only of this type"),
    _parameter("query", "target", TEXT, "Only for this actuator"),
    _parameter("query", "before", WHOLE, "Only older than this `seq`; `next` holds it"),
    _parameter("query", "limit", _LIMIT, "How many at most"),
]
_KEY = [
    _parameter(
        "header",
        "Idempotency-Key",
        {"type": "string", "pattern": "^[!-~]{1,128}$"},
        "The same key gets the same command again (202), and 409 where board_id, command_type, "
        "target, parameters or conditions differ; expires_in and reason are not compared",
    )
]
_RESUME = [
    _parameter("header", "Last-Event-ID", WHOLE, "Go on after this event"),
    _parameter("query", "last_event_id", WHOLE, "The same, where no header can be set"),
]
_EVENTS = (
    "Server-Sent Events: `command` (with `last`, its newest step), `board`, `connection` (how a "
    "site's now is), `alert` (begins or ends), `picture` (is kept, or `gone`), `rollout` (has "
    "come further), `automation` (has changed), `scene` (a run of one has), `schedule` and `run` "
    "(to be asked for again), `sites`, `reset`"
)

_OPERATIONS = (
    _Operation("post", "/session", "signIn", "Sign in", (200, "Session"),
               (*_ANY, 401, *_BODY, 429), "SignIn", public=True),
    _Operation("get", "/session", "whoAmI", "Who is signed in", (200, "Session"), _SIGNED_IN),
    _Operation("delete", "/session", "signOut", "Sign out", (204, None),
               (*_UNSAFE, *_BODY)),
    _Operation("get", "/boards", "listBoards", "All boards", (200, "Boards"), _SIGNED_IN),
    _Operation("get", "/boards/{board_id}", "getBoard", "One board", (200, "Board"),
               (*_SIGNED_IN, 404)),
    _Operation("post", "/boards", "enrollBoard",
               "Make a board known; its key and password are shown this once",
               (201, "BoardWithSecrets"), (*_UNSAFE, *_BODY, 404, 409, 429), "NewBoard"),
    _Operation("post", "/boards/{board_id}/credentials", "renewCredentials",
               "A fresh key and password, shown this once", (200, "BoardWithSecrets"),
               (*_UNSAFE, *_BODY, 404), "Nothing"),
    _Operation("post", "/boards/{board_id}/map", "mapBoard",
               "Map a board to a site, or move it; `queued` are the commands that tell it",
               (200, "Mapped"), (*_UNSAFE, *_BODY, 404, 429), "Mapping"),
    _Operation("post", "/boards/{board_id}/retire", "retireBoard",
               "Let a board take no more part; `cancelled` is what was not sent to it",
               (200, "Retired"), (*_UNSAFE, *_BODY, 404, 429), "Nothing"),
    _Operation("post", "/boards/{board_id}/restore", "restoreBoard", "Bring a retired board back",
               (200, "Mapped"), (*_UNSAFE, *_BODY, 404, 409, 429), "Nothing"),
    _Operation("get", "/boards/{board_id}/moves", "listMoves",
               "How a board came to where it is", (200, "Moves"), (*_UNSAFE, 404)),
    _Operation("get", "/boards/{board_id}/label.svg", "getLabel",
               "A label with a QR code of the board's address", (200, None), (*_UNSAFE, 404),
               media="image/svg+xml"),
    _Operation("get", "/verbs", "listVerbs", "What can be asked of boards", (200, "Verbs"),
               _SIGNED_IN),
    _Operation("post", "/commands", "postCommand", "Send a command", (202, "Command"),
               (*_UNSAFE, *_BODY, 404, 409, 429, 501), "AnyCommand", _KEY),
    _Operation("get", "/commands", "listCommands", "Commands, newest first", (200, "Commands"),
               _SIGNED_IN, None, _FILTERS),
    _Operation("get", "/commands/{command_id}", "getCommand", "One command and its history",
               (200, "CommandWithHistory"), (*_SIGNED_IN, 404)),
    _Operation("post", "/commands/{command_id}/cancel", "cancelCommand", "Call a command off",
               (202, "Command"), (*_UNSAFE, *_BODY, 404, 409), "Cancel"),
    *(_Operation(*row) for part in _PARTS for row in part.ROWS),
    _Operation("get", "/events", "watch", _EVENTS, (200, None), _SIGNED_IN, None,
               _RESUME, media="text/event-stream"),
    _Operation("get", "/health", "getHealth", "How all parts are, and how much is under way",
               (200, "HealthInFull"), _SIGNED_IN),
    _Operation("get", "/openapi.json", "describe", "This description", (200, None), (400,),
               public=True),
    _Operation("get", "/health", "health", "Whether all parts work (503: not all)",
               (200, "Health"), (400,), public=True, root="" ),
)  # fmt: skip


def _content(media: str, shape: Schema) -> Schema:
    return {"content": {media: {"schema": shape}}}


def _responses(row: _Operation) -> Schema:
    status, name = row.answer
    good: Schema = {"description": row.summary}
    if name:
        good |= _content(row.media, ref(name))
    elif status == 200:
        good |= _content(row.media, {} if row.media == JSON_TYPE else TEXT)
    codes = sorted(set(row.problems if row.public else (*_ANY, *row.problems)))
    bad = {str(code): _problem(code) for code in codes}
    if row.name == "health":
        bad["503"] = {"description": "Not all", **_content(JSON_TYPE, ref("Health"))}
    also = openapi_connections.ALSO.get(row.name)
    more = openapi_twins.ALSO.get(row.name, {})
    return {str(status): good, **({str(also): good} if also else {}), **more, **bad}


def _problem(code: int) -> Schema:
    headers = {"headers": _WAIT} if code in (429, 503) else {}
    return {"description": _PROBLEMS[code], **headers, **_content(JSON_TYPE, ref("Problem"))}


def _operation(row: _Operation) -> Schema:
    names = re.findall(r"{(\w+)}", row.path)
    in_path = [_parameter("path", name, TEXT, f"The {name}") for name in names]
    out: Schema = {"operationId": row.name, "summary": row.summary, "responses": _responses(row)}
    if in_path or row.parameters:
        out["parameters"] = in_path + row.parameters
    if row.body:
        required = row.body not in ("Nothing", "Cancel", "NewMember")
        media = openapi_rollouts.MEDIA.get(row.body, JSON_TYPE)
        out["requestBody"] = {"required": required, **_content(media, ref(row.body))}
    if row.public:
        out["security"] = []
    return out


def _paths() -> Schema:
    out: dict[str, Any] = {}
    for row in _OPERATIONS:
        out.setdefault(row.root + row.path, {})[row.method] = _operation(row)
    return out


DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {"title": "Answerback", "version": version("answerback"), "description": _ABOUT},
    "paths": _paths(),
    "components": {
        "schemas": dict(ChainMap(SCHEMAS, *(part.SCHEMAS for part in _PARTS))),
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        },
    },
    "security": [{"token": []}, {"session": []}],
}
