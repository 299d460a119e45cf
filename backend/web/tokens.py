"""Named tokens for programs: everybody their own; administrators see and revoke all."""

from typing import Any

from backend.errors import NotFound
from backend.people import tokens
from backend.people.access import ADMIN
from backend.people.accounts import Accounts
from backend.people.credentials import ADMINISTER, Identity
from backend.web import render
from backend.web.http import NO_MEMBERS, Answer, Call, Members, text, whole_number
from backend.web.routes import API, Route


def _texts(value: Any) -> str | None:
    good = type(value) is list and all(type(one) is str for one in value)
    return None if good else "must be a list of texts"


_NEW = Members({"name": text(64)}, {"scopes": _texts, "expires_in": whole_number})


class NamedTokenRoutes:
    """`/tokens`."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("POST", f"{API}/tokens", self.create),
            Route("GET", f"{API}/tokens", self.list, scope=ADMINISTER),
            Route("DELETE", f"{API}/tokens/<token_id>", self.revoke),
        ]

    def create(self, call: Call) -> Answer:
        """A new token; this answer is the only one that ever holds its secret."""
        asked = call.body(_NEW)
        row, secret = tokens.make(
            call.actor,
            self._accounts,
            asked["name"],
            asked.get("scopes", list(tokens.DEFAULT_SCOPES)),
            asked.get("expires_in"),
            call.who.scopes,
        )
        body = {**render.token(row), "token": secret}
        return Answer(body, 201, {"Location": f"{API}/tokens/{row['id']}"})

    def list(self, call: Call) -> Answer:
        """Tokens and JWTs, without their secrets."""
        return Answer({"tokens": [render.token(row) for row in tokens.listed(_whose(call.who))]})

    def revoke(self, call: Call, token_id: str) -> Answer:
        """Refuse a token, or a JWT, from now on."""
        call.body(NO_MEMBERS, empty=True)
        if not token_id.isascii() or not token_id.isdigit() or len(token_id) > 18:
            raise NotFound("unknown_token", "token_id", f"there is no token {token_id[:64]!r}")
        tokens.revoke(call.actor, self._accounts, int(token_id), _whose(call.who))
        return Answer(None, 204)


def _whose(who: Identity) -> str | None:
    """Of whom somebody may know the tokens; None: of everybody."""
    return None if who.role == ADMIN else who.user
