"""Who makes a request: a session cookie (with its CSRF token), or a bearer token (JWT or named).

The cookie is HttpOnly and SameSite=Strict, so no other site can use it; the CSRF token is asked
for on top, since a browser's promise should not be the only one.
"""

import hmac

from peewee import OperationalError

from backend.people.accounts import Accounts
from backend.people.credentials import ABSOLUTE_MS, Identity
from backend.web.http import Environ, Problem

COOKIE = "answerback_session"
SAFE_METHODS = ("GET", "HEAD")


class Authenticator:
    """Finds out who makes a request. `secure`: cookies only over https."""

    def __init__(self, accounts: Accounts, secure: bool) -> None:
        self._accounts = accounts
        self._attributes = "; HttpOnly; SameSite=Strict; Path=/" + ("; Secure" if secure else "")

    def identify(self, environ: Environ) -> Identity:
        """Who it is. Raises Problem 401 (nobody) or 403 (CSRF token missing or wrong)."""
        header = environ.get("HTTP_AUTHORIZATION")
        if header is not None:
            return self._bearer(header)
        identity = self._accounts.session(session_secret(environ))
        if identity is None:
            raise _unauthorized("sign in, or send a bearer token")
        if environ["REQUEST_METHOD"] not in SAFE_METHODS:
            _check_csrf(environ, identity)
        return identity

    def still(self, environ: Environ) -> Identity | None:
        """Who made this request as they are now; None where they are nobody, or none can say."""
        try:
            return self.identify(environ)
        except (Problem, OperationalError):
            return None

    def cookie(self, secret: str) -> str:
        """The Set-Cookie header that gives a browser its session."""
        return f"{COOKIE}={secret}; Max-Age={ABSOLUTE_MS // 1000}{self._attributes}"

    def no_cookie(self) -> str:
        """The Set-Cookie header that takes it away."""
        return f"{COOKIE}=; Max-Age=0{self._attributes}"

    def _bearer(self, header: str) -> Identity:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("use Authorization: Bearer and a token")
        identity = self._accounts.bearer(secret.strip())
        if identity is None:
            raise _unauthorized("this token is unknown, expired or revoked; make a new one")
        return identity


def session_secret(environ: Environ) -> str:
    """The session's secret in the cookie, or ""."""
    for part in environ.get("HTTP_COOKIE", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return str(value)
    return ""


def _check_csrf(environ: Environ, identity: Identity) -> None:
    given = environ.get("HTTP_X_CSRF_TOKEN", "")
    if not hmac.compare_digest(given.encode(), identity.csrf.encode()):
        message = "send the csrf_token that GET /api/v1/session gives as X-CSRF-Token"
        raise Problem(403, "csrf", message, "X-CSRF-Token")


def _unauthorized(message: str) -> Problem:
    return Problem(401, "unauthorized", message, None, {"WWW-Authenticate": "Bearer"})
