"""Named tokens for programs: made, listed and revoked; JWTs are listed and revoked with them.

A token may do what its user may, and of that what its scopes say, until it expires or is revoked.
"""

from typing import Any

from backend.database.models import as_rows, database
from backend.errors import Invalid, NotFound
from backend.people import audit
from backend.people.accounts import Accounts
from backend.people.audit import Actor
from backend.people.credentials import SCOPES, SESSION, Credential

DEFAULT_SCOPES = ("read", "command")
EXPIRES_MAX = 10 * 366 * 86_400  # seconds
_SHOWN = ("id", "kind", "name", "user", "created_at", "expires_at")


def make(
    actor: Actor,
    accounts: Accounts,
    name: str,
    scopes: list[str],
    expires_in: int | None = None,
    within: tuple[str, ...] = SCOPES,
) -> tuple[dict[str, Any], str]:
    """A new token of the actor's own: (as in `listed`, its secret, which is shown this once).

    `expires_in` is in seconds; `within` are the scopes that the actor has shown, and may hand on.
    Raises Invalid, Conflict.
    """
    _check(scopes, expires_in, within)
    wanted = [scope for scope in SCOPES if scope in scopes]
    with database.atomic("IMMEDIATE"):
        secret = accounts.create_token(actor.user, name, wanted, expires_in)
        row = listed(actor.user)[-1]
        audit.note(actor, "token.make", row["name"], {"scopes": wanted, "id": row["id"]})
    return row, secret


def listed(user: str | None = None) -> list[dict[str, Any]]:
    """Tokens and JWTs, oldest first, without their secrets; with `user`, only theirs.

    {id, kind, name, user, scopes: [...], created_at, expires_at or None, seen_at (None: never
    used)}; times are ms since 1970.
    """
    query = Credential.select().where(Credential.kind != SESSION).order_by(Credential.id)
    if user is not None:
        query = query.where(Credential.user == user)
    return [_public(row) for row in as_rows(query)]


def revoke(actor: Actor, accounts: Accounts, token_id: int, user: str | None = None) -> None:
    """Refuse a token or JWT from now on; with `user`, only one of theirs. Raises NotFound."""
    found = Credential.select().where(Credential.id == token_id, Credential.kind != SESSION)
    row = next(iter(as_rows(found)), None)
    if row is None or user not in (None, row["user"]):
        raise NotFound("unknown_token", "token_id", f"there is no token {token_id}")
    with database.atomic("IMMEDIATE"):
        Credential.delete().where(Credential.id == token_id).execute()
        audit.note(actor, "token.revoke", row["name"], {"user": row["user"], "id": token_id})
    accounts.credentials.forget()


def _public(row: dict[str, Any]) -> dict[str, Any]:
    out = {name: row[name] for name in _SHOWN}
    seen = row["seen_at"] if row["seen_at"] != row["created_at"] else None
    return {**out, "scopes": row["scopes"].split(), "seen_at": seen}


def _check(scopes: list[str], expires_in: int | None, within: tuple[str, ...]) -> None:
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes or len(set(scopes)) != len(scopes):
        reason = "must be some of " + ", ".join(SCOPES) + ", each once"
        raise Invalid("bad_parameter", "scopes", reason)
    if more := [scope for scope in scopes if scope not in within]:
        reason = f"must be of those you have yourself, and {', '.join(more)} is not"
        raise Invalid("bad_parameter", "scopes", reason)
    if expires_in is not None and not 1 <= expires_in <= EXPIRES_MAX:
        reason = f"must be from 1 to {EXPIRES_MAX} seconds"
        raise Invalid("bad_parameter", "expires_in", reason)
