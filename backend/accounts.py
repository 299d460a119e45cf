"""Who may use this backend: users with passwords, and what they are given after signing in.

Rules of this file:
- passwords are kept as argon2id hashes; an unknown user costs as much time as a wrong password;
- at most two hashes are computed at once (each takes 64 MiB), a few more may wait, the rest are
  told to come back;
- nothing here knows of HTTP.
"""

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterator

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from backend.credentials import SESSION, TOKEN, Credentials, Identity, User
from backend.errors import Busy, Invalid, NotFound
from backend.throttle import Throttle
from backend.writer import now_ms

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
        User.insert(row).execute()
        return password

    def set_password(self, user: str, password: str) -> None:
        """Give a user a new password and end their sessions. Raises NotFound, Invalid.

        A session ends at once in this process and within a second in others. Tokens stay: they
        are not made from a password, and are revoked one by one.
        """
        if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
            reason = f"must be {PASSWORD_MIN} to {PASSWORD_MAX} characters long"
            raise Invalid("bad_parameter", "password", reason)
        changed = User.update(password=self._hasher.hash(password)).where(User.name == user)
        if changed.execute() == 0:
            raise NotFound("unknown_user", "user", f"there is no user {user!r}")
        self.credentials.end_sessions(user)

    def sign_in(self, user: str, password: str, address: str) -> str | None:
        """A session's secret, or None where user or password is wrong.

        Raises Busy where there were too many tries, or too many are under way.
        """
        now = self._clock()
        wait = self._throttle.begin(user, address, now)
        if wait:
            raise Busy("too_many_tries", f"too many tries; try again in {wait} s", wait)
        try:
            fits = self._password_fits(user, password)
        except Busy:
            self._throttle.take_back(user, address, now)
            raise
        if not fits:
            log.warning("a sign-in as %a from %s failed", user[:NAME_MAX], address)
            return None
        self._throttle.succeeded(user, address, now)
        self.credentials.drop_expired(now)
        return self.credentials.issue(SESSION, user, f"session {secrets.token_hex(8)}", now)

    def session(self, secret: str) -> Identity | None:
        """Whose session this is, or None."""
        return self.credentials.identify(SESSION, secret, self._clock())

    def bearer(self, secret: str) -> Identity | None:
        """Whose token this is, or None."""
        return self.credentials.identify(TOKEN, secret, self._clock())

    def sign_out(self, identity: Identity) -> None:
        """End a session."""
        self.credentials.revoke(identity.digest)

    def create_token(self, user: str, name: str) -> str:
        """A new token's secret, shown this once. Raises Invalid, NotFound, Conflict."""
        if not 1 <= len(name.strip()) <= NAME_MAX or not name.isprintable():
            reason = f"must be 1 to {NAME_MAX} printable characters"
            raise Invalid("bad_parameter", "name", reason)
        if User.get_or_none(User.name == user) is None:
            raise NotFound("unknown_user", "user", f"there is no user {user!r}")
        return self.credentials.issue(TOKEN, user, name.strip(), self._clock())

    def _password_fits(self, user: str, password: str) -> bool:
        found = User.get_or_none(User.name == user)
        stored = found.password if found else self._nobody
        with self._place():
            try:
                self._hasher.verify(stored, password)
            except VerificationError:
                return False
            if found and self._hasher.check_needs_rehash(stored):
                fresh = self._hasher.hash(password)
                User.update(password=fresh).where(User.name == user).execute()
        return found is not None

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
