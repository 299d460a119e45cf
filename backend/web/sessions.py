"""Signing in and out: sessions for browsers, JWTs for programs, and one's own password."""

from typing import Any

from backend.people.accounts import Accounts
from backend.people.bearer import LIFE_MS
from backend.people.credentials import JWT, SESSION, Identity
from backend.people.users import People
from backend.web.auth import Authenticator, session_secret
from backend.web.http import NO_MEMBERS, Answer, Call, Members, Problem, text
from backend.web.routes import API, Route

_SIGN_IN = Members({"user": text(64), "password": text(200)}, {})
_NEW_PASSWORD = Members({"old": text(200), "new": text(200)}, {})


class SessionRoutes:
    """`/session`: one for each browser."""

    def __init__(self, accounts: Accounts, authenticator: Authenticator) -> None:
        self._accounts, self._authenticator = accounts, authenticator

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("POST", f"{API}/session", self.sign_in, public=True),
            Route("GET", f"{API}/session", self.who_am_i, scope=""),
            Route("DELETE", f"{API}/session", self.sign_out, scope=""),
            Route("POST", f"{API}/password", self.change_password),
        ]

    def sign_in(self, call: Call) -> Answer:
        """A session cookie and its CSRF token for a user and a password."""
        asked = call.body(_SIGN_IN)
        secret = self._accounts.sign_in(asked["user"], asked["password"], call.address)
        if secret is None:
            raise _wrong_password()
        before = self._accounts.session(session_secret(call.environ))
        if before:
            self._accounts.sign_out(before)
        identity = self._accounts.session(secret)
        if identity is None:
            raise Problem(401, "unauthorized", "the session has ended already; sign in again")
        return Answer(_shown(identity), 200, {"Set-Cookie": self._authenticator.cookie(secret)})

    def who_am_i(self, call: Call) -> Answer:
        """Who is signed in."""
        return Answer(_shown(call.who))

    def sign_out(self, call: Call) -> Answer:
        """End the session. A token has none: it is revoked under `/tokens`."""
        call.body(NO_MEMBERS, empty=True)
        if call.who.kind != SESSION:
            raise Problem(400, "no_session", "a token has no session; revoke it under /tokens")
        self._accounts.sign_out(call.who)
        return Answer(None, 204, {"Set-Cookie": self._authenticator.no_cookie()})

    def change_password(self, call: Call) -> Answer:
        """A new password for whoever asks and knows the old one; all their sessions end."""
        asked = call.body(_NEW_PASSWORD)
        if not People(self._accounts).change_password(call.actor, asked["old"], asked["new"]):
            raise Problem(403, "wrong_password", "the old password is wrong; try again", "old")
        return Answer(None, 204, {"Set-Cookie": self._authenticator.no_cookie()})


class TokenRoutes:
    """`/token`: a JWT for a program, in place of a browser's session."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("POST", f"{API}/token", self.grant, public=True),
            Route("DELETE", f"{API}/token", self.give_up, scope=""),
        ]

    def grant(self, call: Call) -> Answer:
        """A bearer token that ends by itself, for a user and a password."""
        asked = call.body(_SIGN_IN)
        granted = self._accounts.grant(asked["user"], asked["password"], call.address)
        if granted is None:
            raise _wrong_password()
        seconds = LIFE_MS // 1000
        body = {"access_token": granted, "token_type": "Bearer", "expires_in": seconds}
        return Answer(body)

    def give_up(self, call: Call) -> Answer:
        """Refuse the JWT that this request shows from now on."""
        call.body(NO_MEMBERS, empty=True)
        if call.who.kind != JWT:
            message = "only a JWT is given up here; sign out, or revoke a token under /tokens"
            raise Problem(400, "no_jwt", message)
        self._accounts.sign_out(call.who)
        return Answer(None, 204)


def _wrong_password() -> Problem:
    return Problem(401, "wrong_password", "user or password is wrong; try again")


def _shown(identity: Identity) -> dict[str, Any]:
    return {
        "user": identity.user,
        "role": identity.role,
        "kind": identity.kind,
        "csrf_token": identity.csrf,
        "sites": dict(identity.sites),
        "scopes": list(identity.scopes),
    }
