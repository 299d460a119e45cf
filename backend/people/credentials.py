"""Sessions, API tokens and JWTs: what somebody shows with a request, and whom it stands for.

Rules of this file:
- a secret is 32 random bytes and leaves this file once, when it is made; what is stored is its
  SHA-256, so a copy of the database signs nobody in;
- a request costs one hash and one look into memory; the database is asked once a second;
- a revoked credential is refused from the very next request of this process on, and within
  a second where another process has revoked it;
- whoever is disabled, or gone, is nobody, whatever they show;
- of a JWT (see backend.people.bearer) the secret is its `jti`: it ends with its row;
- when a credential was last seen is noted where that needs no waiting; it never fails a request.
Times are ms since 1970.
"""

import contextlib
import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegrityError,
    OperationalError,
    TextField,
)

from backend.database.models import Base, database
from backend.errors import Conflict

SESSION = "session"
TOKEN = "token"
JWT = "jwt"
TOKEN_PREFIX = "ab_"

# What a token may be used for, within what its user may do; sessions and JWTs have all of them.
READ, COMMAND, ADMINISTER = SCOPES = ("read", "command", "admin")

IDLE_MS = 12 * 3_600_000
ABSOLUTE_MS = 7 * 24 * 3_600_000
REREAD_MS = 1_000
SEEN_MS = 60_000


class User(Base):
    """Somebody who may sign in."""

    name = TextField(primary_key=True)
    password = TextField()  # argon2 hash
    role = TextField(default="admin")
    disabled = BooleanField(default=False)
    created_at = BigIntegerField()


class Membership(Base):
    """A user's role at a site; see backend.people.access."""

    user = ForeignKeyField(User, column_name="user", on_delete="CASCADE")
    site = TextField()
    role = TextField()

    class Meta:
        primary_key = CompositeKey("user", "site")


class Credential(Base):
    """One session, token or JWT. The name of what is no token is random: (user, name) is unique.

    `expires_at`: when it ends at the latest, or None; a session also ends where it is idle.
    """

    id = AutoField()
    digest = TextField(unique=True)  # SHA-256 of the secret, hexadecimal
    kind = TextField()
    user = ForeignKeyField(User, column_name="user", on_delete="CASCADE")
    name = TextField()
    scopes = TextField(default=" ".join(SCOPES))
    expires_at = BigIntegerField(null=True)
    created_at = BigIntegerField()
    seen_at = BigIntegerField()  # to the minute

    class Meta:
        indexes = ((("user", "name"), True),)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a request comes from; `sites`: their role at each they belong to, by its id.

    `csrf` is "" where none is needed; `name` is that of the token, `scopes` what it is good for.
    """

    user: str
    role: str
    kind: str
    digest: str
    csrf: str
    sites: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    scopes: tuple[str, ...] = SCOPES

    @property
    def via(self) -> str:
        """What they have shown: "session", "jwt", or "token NAME"."""
        return f"{TOKEN} {self.name}" if self.kind == TOKEN else self.kind


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

    def issue(
        self,
        kind: str,
        user: str,
        name: str,
        now: int,
        scopes: Iterable[str] = SCOPES,
        expires_at: int | None = None,
    ) -> str:
        """A new secret. Raises Conflict where the user has a token of this name."""
        secret = (TOKEN_PREFIX if kind == TOKEN else "") + secrets.token_urlsafe(32)
        row: dict[str, Any] = {"digest": digest_of(secret), "kind": kind, "user": user}
        row |= {"name": name, "scopes": " ".join(scopes), "expires_at": expires_at}
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

    def forget(self) -> None:
        """Read everybody anew: somebody was changed. Call it after the commit."""
        with self._lock:
            self._known.clear()

    def drop_expired(self, now: int) -> None:
        """Forget sessions and JWTs that have ended by themselves; tokens stay in the list."""
        idle = (Credential.seen_at < now - IDLE_MS) | (Credential.created_at < now - ABSOLUTE_MS)
        over = (Credential.kind == JWT) & (Credential.expires_at <= now)
        Credential.delete().where(((Credential.kind == SESSION) & idle) | over).execute()
        with self._lock:
            self._known = {name: one for name, one in self._known.items() if one[2] > now}

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
            identity = _identity(row, csrf_of(secret) if kind == SESSION else "")
            known = self._known[digest] = (identity, now + REREAD_MS, _ends(row))
        if row.seen_at == row.created_at or now - row.seen_at >= SEEN_MS:
            _note_seen(row, now)
        return known


def _row(kind: str, digest: str) -> Credential | None:
    where = (Credential.digest == digest) & (Credential.kind == kind) & ~User.disabled
    found = Credential.select(Credential, User).join(User).where(where).first()
    return found if isinstance(found, Credential) else None


def _identity(row: Credential, csrf: str) -> Identity:
    user = row.user
    sites, scopes = _sites_of(user.name), tuple(row.scopes.split())
    name = row.name if row.kind == TOKEN else ""
    return Identity(user.name, user.role, row.kind, row.digest, csrf, sites, name, scopes)


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
    if row.kind != SESSION:
        return 1 << 62 if row.expires_at is None else int(row.expires_at)
    return min(row.created_at + ABSOLUTE_MS, row.seen_at + IDLE_MS)
