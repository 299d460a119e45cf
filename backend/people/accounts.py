"""Who may use this backend: users with passwords, and what they are given after signing in.

Rules of this file:
- passwords are kept as argon2id hashes; an unknown user, and one who is disabled, costs as much
  time as a wrong password;
- what a password gives is given only while it still is the user's;
- at most two hashes are computed at once (each takes 64 MiB), a few more may wait, the rest are
  told to come back;
- nothing here knows of HTTP.
"""

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from backend.database.models import database
from backend.delivery.writer import now_ms
from backend.errors import Busy, Invalid, NotFound
from backend.people import audit
from backend.people.bearer import LIFE_MS, Signer
from backend.people.credentials import (
    JWT,
    SCOPES,
    SESSION,
    TOKEN,
    TOKEN_PREFIX,
    Credentials,
    Identity,
    User,
)
from backend.people.throttle import Throttle

log = logging.getLogger(__name__)

ADMIN = "admin"
HASHES_AT_ONCE = 2
HASHES_WAITING = 6
PASSWORD_MIN = 8
PASSWORD_MAX = 200
NAME_MAX = 64


class Accounts:
    """Users, sessions and tokens. The database must be open; `clock` gives ms since 1970."""

    def __init__(
        self, hasher: PasswordHasher | None = None, clock: Callable[[], int] = now_ms
    ) -> None:
        self.credentials = Credentials()
        self._signer = Signer()
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._throttle = Throttle()
        self._places = threading.BoundedSemaphore(HASHES_AT_ONCE + HASHES_WAITING)
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)

    def ensure_admin(self) -> str | None:
        """Make the user `admin` where there is no user yet: the password, this once, or None."""
        if User.select().exists():
            return None
        password = secrets.token_urlsafe(12)
        row = {"name": ADMIN, "password": self._hasher.hash(password), "created_at": self._clock()}
        with database.atomic("IMMEDIATE"):
            User.insert(row).execute()
            audit.note(audit.BACKEND, "user.add", ADMIN, {"role": ADMIN})
        return password

    def hashed(self, password: str) -> str:
        """What is kept of a new password. Raises Invalid where it is none; Busy."""
        if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
            reason = f"must be {PASSWORD_MIN} to {PASSWORD_MAX} characters long"
            raise Invalid("bad_parameter", "password", reason)
        with self._place():
            return self._hasher.hash(password)

    def sign_in(self, user: str, password: str, address: str) -> str | None:
        """A session's secret, or None where user or password is wrong. Raises Busy (`prove`)."""

        def begin(now: int) -> str:
            return self.credentials.issue(SESSION, user, f"session {secrets.token_hex(8)}", now)

        return self._given(user, password, address, begin)

    def grant(self, user: str, password: str, address: str) -> str | None:
        """The same with a JWT, good for LIFE_MS."""

        def sign(now: int) -> str:
            ends = (now + LIFE_MS) // 1000 * 1000
            name = f"jwt {secrets.token_hex(8)}"
            jti = self.credentials.issue(JWT, user, name, now, expires_at=ends)
            return self._signer.sign(user, jti, now, ends)

        return self._given(user, password, address, sign)

    def prove(self, user: str, password: str, address: str) -> str | None:
        """The hash of somebody's password, where they know it; None where they don't.

        Raises Busy where there were too many tries, or too many are under way.
        """
        now = self._clock()
        wait = self._throttle.begin(user, address, now)
        if wait:
            raise Busy("too_many_tries", f"too many tries; try again in {wait} s", wait)
        try:
            stored = self._fitting(user, password)
        except Busy:
            self._throttle.take_back(user, address, now)
            raise
        if stored is None:
            log.warning("a sign-in as %a from %s failed", user[:NAME_MAX], address)
        else:
            self._throttle.succeeded(user, address, now)
        return stored

    def session(self, secret: str) -> Identity | None:
        """Whose session this is, or None."""
        return self.credentials.identify(SESSION, secret, self._clock())

    def bearer(self, secret: str) -> Identity | None:
        """Whose token or JWT this is, or None."""
        now = self._clock()
        if secret.startswith(TOKEN_PREFIX):
            return self.credentials.identify(TOKEN, secret, now)
        claims = self._signer.read(secret, now)
        found = self.credentials.identify(JWT, claims[1], now) if claims else None
        return found if claims and found and found.user == claims[0] else None

    def sign_out(self, identity: Identity) -> None:
        """End a session, or a JWT."""
        self.credentials.revoke(identity.digest)

    def create_token(
        self,
        user: str,
        name: str,
        scopes: Iterable[str] = SCOPES,
        expires_in: int | None = None,
    ) -> str:
        """A new token's secret, shown this once; `expires_in` seconds. See `tokens.make`.

        Raises Invalid, NotFound, Conflict.
        """
        if not 1 <= len(name.strip()) <= NAME_MAX or not name.isprintable():
            reason = f"must be 1 to {NAME_MAX} printable characters"
            raise Invalid("bad_parameter", "name", reason)
        if User.get_or_none(User.name == user) is None:
            raise NotFound("unknown_user", "user", f"there is no user {user!r}")
        now = self._clock()
        ends = None if expires_in is None else now + 1000 * expires_in
        return self.credentials.issue(TOKEN, user, name.strip(), now, scopes, ends)

    def _given(
        self, user: str, password: str, address: str, make: Callable[[int], str]
    ) -> str | None:
        """What `make(now)` makes for whoever knows the password, or None."""
        stored = self.prove(user, password, address)
        if stored is None:
            return None
        now = self._clock()
        self.credentials.drop_expired(now)
        with database.atomic("IMMEDIATE"):  # it may have been changed since it was looked at
            where = (User.name == user) & (User.password == stored) & ~User.disabled
            return make(now) if User.select().where(where).exists() else None

    def _fitting(self, user: str, password: str) -> str | None:
        """The stored hash, anew where it was of older settings; None where it does not fit."""
        found = User.get_or_none(User.name == user)
        stored = found.password if found else self._nobody
        with self._place():
            try:
                self._hasher.verify(stored, password)
            except VerificationError:
                return None
            if found is None or found.disabled:
                return None
            if self._hasher.check_needs_rehash(stored):
                return self._renewed(user, stored, password)
        return str(stored)

    def _renewed(self, user: str, stored: str, password: str) -> str:
        fresh = self._hasher.hash(password)
        mine = (User.name == user) & (User.password == stored)
        User.update(password=fresh).where(mine).execute()
        return fresh

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        """Room to compute one hash. Raises Busy where too many wait for it already."""
        if not self._places.acquire(blocking=False):
            raise Busy("busy", "too many are signing in just now; try again in a second", 1)
        try:
            with self._hashing:
                yield
        finally:
            self._places.release()
