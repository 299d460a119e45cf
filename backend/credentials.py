"""Sessions and API tokens: secrets somebody shows with a request, and whom they stand for.

Rules of this file:
- a secret is 32 random bytes and leaves this file once, when it is made; what is stored is its
  SHA-256, so a copy of the database signs nobody in;
- a request costs one hash and one look into memory; the database is asked once a second;
- a revoked credential is refused from the very next request of this process on, and within
  a second where another process has revoked it;
- when a credential was last seen is noted where that needs no waiting; it never fails a request.
Times are ms since 1970.
"""

import contextlib
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    CompositeKey,
    ForeignKeyField,
    IntegrityError,
    OperationalError,
    TextField,
)

from backend.errors import Conflict, NotFound
from backend.models import Base, database

SESSION = "session"
TOKEN = "token"
TOKEN_PREFIX = "ab_"

IDLE_MS = 12 * 3_600_000
ABSOLUTE_MS = 7 * 24 * 3_600_000
REREAD_MS = 1_000
SEEN_MS = 60_000


class User(Base):
    """Somebody who may sign in."""

    name = TextField(primary_key=True)
    password = TextField()  # argon2 hash
    role = TextField(default="admin")
    created_at = BigIntegerField()


class Membership(Base):
    """A user's role at a site; see backend.access."""

    user = ForeignKeyField(User, column_name="user", on_delete="CASCADE")
    site = TextField()
    role = TextField()

    class Meta:
        primary_key = CompositeKey("user", "site")


class Credential(Base):
    """One session or token. A session's `name` is random, so that (user, name) is unique."""

    id = AutoField()
    digest = TextField(unique=True)  # SHA-256 of the secret, hexadecimal
    kind = TextField()
    user = ForeignKeyField(User, column_name="user", on_delete="CASCADE")
    name = TextField()
    created_at = BigIntegerField()
    seen_at = BigIntegerField()  # to the minute

    class Meta:
        indexes = ((("user", "name"), True),)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a request comes from; `sites`: their role at each they belong to, by its id.

    `csrf` is "" where none is needed.
    """

    user: str
    role: str
    kind: str
    digest: str
    csrf: str
    sites: Mapping[str, str] = field(default_factory=dict)


# An identity, when to read it from the database again, and when it ends.
_Known = tuple[Identity, int, int]


def digest_of(secret: str) -> str:
    """SHA-256 of a secret, hexadecimal; text that is no secret of ours gets one as well."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(secret: str) -> str:
    """The CSRF token of a session: follows from its secret, says nothing about it."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), b"csrf", "sha256").hex()


class Credentials:
    """Makes, knows and revokes credentials. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}  # by digest

    def issue(self, kind: str, user: str, name: str, now: int) -> str:
        """A new secret. Raises Conflict where the user has a token of this name."""
        secret = (TOKEN_PREFIX if kind == TOKEN else "") + secrets.token_urlsafe(32)
        row = {"digest": digest_of(secret), "kind": kind, "user": user, "name": name}
        try:
            Credential.insert(row | {"created_at": now, "seen_at": now}).execute()
        except IntegrityError:
            reason = "is in use; choose another name, or revoke that token first"
            raise Conflict("exists", "name", reason) from None
        return secret

    def identify(self, kind: str, secret: str, now: int) -> Identity | None:
        """Whom a secret stands for, or None where it stands for nobody (any more)."""
        digest = digest_of(secret)
        known = self._known.get(digest)
        if known is None or known[1] <= now:
            known = self._look(kind, secret, digest, now)
        if known is None or known[2] <= now or known[0].kind != kind:
            return None
        return known[0]

    def revoke(self, digest: str) -> None:
        """Refuse a credential from now on."""
        Credential.delete().where(Credential.digest == digest).execute()
        with self._lock:  # after that: who has read it before has put it in by now
            self._known.pop(digest, None)

    def revoke_token(self, token_id: int) -> None:
        """Refuse a token from now on. Raises NotFound."""
        row = Credential.get_or_none((Credential.id == token_id) & (Credential.kind == TOKEN))
        if row is None:
            raise NotFound("unknown_token", "token_id", f"there is no token {token_id}")
        self.revoke(row.digest)

    def end_sessions(self, user: str) -> None:
        """End every session of a user."""
        where = (Credential.user == user) & (Credential.kind == SESSION)
        Credential.delete().where(where).execute()
        with self._lock:
            self._known.clear()

    def drop_expired(self, now: int) -> None:
        """Forget sessions that have ended by themselves."""
        ended = (Credential.seen_at < now - IDLE_MS) | (Credential.created_at < now - ABSOLUTE_MS)
        Credential.delete().where((Credential.kind == SESSION) & ended).execute()
        with self._lock:
            self._known = {name: one for name, one in self._known.items() if one[2] > now}

    @staticmethod
    def tokens() -> list[dict[str, Any]]:
        """All tokens, oldest first: id, name, user, created_at, seen_at (None: never used)."""
        tokens = Credential.select(Credential, User).join(User).where(Credential.kind == TOKEN)
        return [
            {
                "id": row.id,
                "name": row.name,
                "user": row.user.name,
                "created_at": row.created_at,
                "seen_at": row.seen_at if row.seen_at != row.created_at else None,
            }
            for row in tokens.order_by(Credential.id)
        ]

    def _look(self, kind: str, secret: str, digest: str, now: int) -> _Known | None:
        """What the database says, asked by one thread for all that want to know."""
        with self._lock:
            known = self._known.get(digest)
            if known and known[1] > now:
                return known
            row = _row(kind, digest)
            if row is None or _ends(row) <= now:
                self._known.pop(digest, None)
                return None
            csrf = csrf_of(secret) if kind == SESSION else ""
            identity = Identity(
                row.user.name, row.user.role, kind, digest, csrf, _sites_of(row.user.name)
            )
            known = self._known[digest] = (identity, now + REREAD_MS, _ends(row))
        if row.seen_at == row.created_at or now - row.seen_at >= SEEN_MS:
            _note_seen(row, now)
        return known


def _row(kind: str, digest: str) -> Credential | None:
    where = (Credential.digest == digest) & (Credential.kind == kind)
    found = Credential.select(Credential, User).join(User).where(where).first()
    return found if isinstance(found, Credential) else None


def _sites_of(user: str) -> dict[str, str]:
    return {row.site: row.role for row in Membership.select().where(Membership.user == user)}


def _note_seen(row: Credential, now: int) -> None:
    """Note it unless somebody else is writing; then the next look does."""
    patience = database.execute_sql("PRAGMA busy_timeout").fetchone()[0]
    database.execute_sql("PRAGMA busy_timeout = 0")
    with contextlib.suppress(OperationalError):
        Credential.update(seen_at=now).where(Credential.id == row.id).execute()
    database.execute_sql(f"PRAGMA busy_timeout = {patience}")


def _ends(row: Credential) -> int:
    """When a credential ends if it is not seen again."""
    if row.kind == TOKEN:
        return 1 << 62
    return min(row.created_at + ABSOLUTE_MS, row.seen_at + IDLE_MS)
