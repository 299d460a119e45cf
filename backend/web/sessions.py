"""Signing in and out, and the tokens that programs use."""

from typing import Any

from backend.accounts import Accounts
from backend.credentials import SESSION, Credentials, Identity
from backend.errors import NotFound
from backend.web import render
from backend.web.auth import Authenticator, session_secret
from backend.web.http import NO_MEMBERS, Answer, Call, Members, Problem, text
from backend.web.routes import API, Route

_SIGN_IN = Members({"user": text(64), "password": text(200)}, {})
_NEW_TOKEN = Members({"name": text(64)}, {})


class SessionRoutes:
    """`/session`: one for each browser."""

    def __init__(self, accounts: Accounts, authenticator: Authenticator) -> None:
        self._accounts, self._authenticator = accounts, authenticator

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("POST", f"{API}/session", self.sign_in, public=True),
            Route("GET", f"{API}/session", self.who_am_i),
            Route("DELETE", f"{API}/session", self.sign_out),
        ]

    def sign_in(self, call: Call) -> Answer:
        """A session cookie and its CSRF token for a user and a password."""
        asked = call.body(_SIGN_IN)
        secret = self._accounts.sign_in(asked["user"], asked["password"], call.address)
        if secret is None:
            raise Problem(401, "wrong_password", "user or password is wrong; try again")
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


class TokenRoutes:
    """`/tokens`: named secrets for programs."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("POST", f"{API}/tokens", self.create),
            Route("GET", f"{API}/tokens", self.show),
            Route("DELETE", f"{API}/tokens/<token_id>", self.revoke),
        ]

    def create(self, call: Call) -> Answer:
        """A new token; this answer is the only one that ever holds its secret."""
        name = call.body(_NEW_TOKEN)["name"]
        secret = self._accounts.create_token(call.who.user, name)
        row = next(row for row in reversed(Credentials.tokens()) if row["name"] == name.strip())
        body = {**render.token(row), "token": secret}
        return Answer(body, 201, {"Location": f"{API}/tokens/{row['id']}"})

    def show(self, call: Call) -> Answer:
        """All tokens, without their secrets."""
        return Answer({"tokens": [render.token(row) for row in Credentials.tokens()]})

    def revoke(self, call: Call, token_id: str) -> Answer:
        """Refuse a token from now on."""
        call.body(NO_MEMBERS, empty=True)
        if not token_id.isascii() or not token_id.isdigit() or len(token_id) > 18:
            raise NotFound("unknown_token", "token_id", f"there is no token {token_id[:64]!r}")
        self._accounts.credentials.revoke_token(int(token_id))
        return Answer(None, 204)


def _shown(identity: Identity) -> dict[str, Any]:
    return {
        "user": identity.user,
        "role": identity.role,
        "kind": identity.kind,
        "csrf_token": identity.csrf,
    }
