"""Users, tokens and the audit in the API's description: rows for its table, and their shapes.

A row: method, path, name, summary, (status, schema), problems, body, parameters, public.
"""

from typing import Any

from backend.people.access import ROLES
from backend.people.audit import PAGE_MAX
from backend.people.bearer import LIFE_MS
from backend.people.credentials import JWT, SCOPES, TOKEN
from backend.people.tokens import EXPIRES_MAX
from backend.web.people import PAGE
from backend.web.schemas import (
    FLAG,
    MAYBE_TIME,
    OBJECT,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)

_UNSAFE = (401, 403, 413, 415)
_IN_QUERY = {
    "user": (TEXT, "Only by this user"),
    "action": (TEXT, "Only of this kind"),
    "subject": (TEXT, "Only to this user, token, site or board"),
    "before": (WHOLE, "Only older than this `id`; `next` holds it"),
    "limit": (
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE},
        "How many at most",
    ),
}
_FILTERS = [
    {"in": "query", "name": name, "schema": shape, "description": about}
    for name, (shape, about) in _IN_QUERY.items()
]

ROWS: tuple[tuple[Any, ...], ...] = (
    ("post", "/token", "grantToken", f"A JWT for {LIFE_MS // 60_000} minutes (HS256, no leeway)",
     (200, "Granted"), (400, 503, 401, 413, 415, 429), "SignIn", [], True),
    ("delete", "/token", "giveUpToken", "Refuse the JWT that is shown from now on", (204, None),
     _UNSAFE),
    ("post", "/password", "changePassword", "A new password of one's own; all sessions end",
     (204, None), (*_UNSAFE, 404, 409, 429), "ChangePassword"),
    ("post", "/tokens", "createToken", "Make a token; its secret is shown this once",
     (201, "TokenWithSecret"), (*_UNSAFE, 404, 409), "NewToken"),
    ("get", "/tokens", "listTokens", "One's own tokens and JWTs; administrators see all",
     (200, "Tokens"), (401, 403)),
    ("delete", "/tokens/{token_id}", "revokeToken", "Refuse a token or JWT from now on",
     (204, None), (*_UNSAFE, 404)),
    ("get", "/users", "listUsers", "Everybody; for the admin of a site, who belongs to it",
     (200, "Users"), (401, 403)),
    ("post", "/users", "addUser", "A new user", (201, "User"), (*_UNSAFE, 409, 429), "NewUser"),
    ("get", "/users/{name}", "getUser", "One user", (200, "User"), (401, 403, 404)),
    ("patch", "/users/{name}", "changeUser", "Another role or password, or disabled",
     (200, "User"), (*_UNSAFE, 404, 409, 429), "UserChange"),
    ("delete", "/users/{name}", "removeUser", "Delete a user; their commands stay", (204, None),
     (*_UNSAFE, 404, 409)),
    ("delete", "/users/{name}/sessions", "signOutUser", "End every session and JWT of a user",
     (204, None), (*_UNSAFE, 404)),
    ("put", "/users/{name}/sites/{site}", "putMember", "Give a user a role at a site",
     (200, "Member"), (*_UNSAFE, 404), "NewMember"),
    ("delete", "/users/{name}/sites/{site}", "removeMember", "Take a role at a site away",
     (204, None), (*_UNSAFE, 404)),
    ("get", "/audit", "listAudit", "What was done to people, sites, boards and connections",
     (200, "Audit"), (401, 403), None, _FILTERS),
)  # fmt: skip

_ROLE: Schema = {"enum": list(ROLES)}
_SCOPES: Schema = list_of({"enum": list(SCOPES)})
_PASSWORD: Schema = {"type": "string", "minLength": 8, "maxLength": 200}
_NAME: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}$"}
_EXPIRES_IN: Schema = {"type": "integer", "minimum": 1, "maximum": EXPIRES_MAX}
_TOKEN = {
    "id": WHOLE,
    "kind": {"enum": [TOKEN, JWT]},
    "name": TEXT,
    "user": TEXT,
    "scopes": _SCOPES,
    "created_at": TIME,
    "expires_at": MAYBE_TIME,
    "seen_at": MAYBE_TIME,
}
_USER = {
    "name": TEXT,
    "role": _ROLE,
    "disabled": FLAG,
    "created_at": TIME,
    "sites": {"type": "object", "additionalProperties": _ROLE},
}
_ENTRY = {
    "id": WHOLE,
    "at": TIME,
    "user": TEXT,
    "via": TEXT,
    "source": TEXT,
    "action": TEXT,
    "subject": TEXT,
    "detail": OBJECT,
}

SCHEMAS: dict[str, Schema] = {
    "Granted": _object({"access_token": TEXT, "token_type": TEXT, "expires_in": WHOLE}),
    "ChangePassword": _closed({"old": TEXT, "new": _PASSWORD}),
    "NewToken": _closed(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 64},
            "scopes": {**_SCOPES, "minItems": 1, "uniqueItems": True},
            "expires_in": _EXPIRES_IN,
        },
        ["name"],
    ),
    "Token": _object(_TOKEN),
    "TokenWithSecret": _object({**_TOKEN, "token": TEXT}),
    "Tokens": _object({"tokens": list_of(ref("Token"))}),
    "NewUser": _closed({"name": _NAME, "role": _ROLE, "password": _PASSWORD}),
    "UserChange": {
        "oneOf": [
            _closed({"role": _ROLE}),
            _closed({"disabled": FLAG}),
            _closed({"password": _PASSWORD}),
        ]
    },
    "User": _object(_USER),
    "Users": _object({"users": list_of(ref("User"))}),
    "NewMember": _closed({"role": _ROLE}, []),
    "Member": _object({"user": TEXT, "site": TEXT, "role": _ROLE}),
    "Audit": _object(
        {
            "entries": list_of(_object(_ENTRY)),
            "next": {"type": ["integer", "null"]},
        }
    ),
}
