"""Commands over HTTP: post, list, look up, cancel. Posting is the hot path of the web side."""

from typing import Any
from urllib.parse import urlencode

from protocol.fields import identifier_or_empty

from backend.commands import PAGE_MAX, NewCommand
from backend.service import Backend
from backend.web import render
from backend.web.http import (
    NO_MEMBERS,
    Answer,
    Call,
    Members,
    an_object,
    read_number,
    read_text,
    text,
    whole_number,
)
from backend.web.routes import API, Route

PAGE = 50

_NEW = Members(
    {"board_id": text(64), "command_type": text(64)},
    {
        "target": identifier_or_empty,
        "parameters": an_object,
        "expires_in": whole_number,
        "reason": text(200),
    },
)
_FILTERS = {
    "board_id": read_text,
    "status": read_text,
    "command_type": read_text,
    "target": read_text,
    "before": read_number(1, 1 << 53),
    "limit": read_number(1, PAGE_MAX),
}


class CommandRoutes:
    """`/commands`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("POST", f"{API}/commands", self.post),
            Route("GET", f"{API}/commands", self.list, query=_FILTERS),
            Route("GET", f"{API}/commands/<command_id>", self.show),
            Route("POST", f"{API}/commands/<command_id>/cancel", self.cancel),
        ]

    def post(self, call: Call) -> Answer:
        """202 once the command is durable. The same Idempotency-Key gets the same command."""
        asked = call.body(_NEW)
        row, _ = self._backend.post(
            NewCommand(
                asked["board_id"],
                asked["command_type"],
                asked.get("target", ""),
                asked.get("parameters") or {},
                asked.get("expires_in"),
                call.who.user,
                call.header("IDEMPOTENCY_KEY"),
                call.address,
                asked.get("reason", ""),
            )
        )
        return _accepted(row)

    def list(self, call: Call) -> Answer:
        """Commands, newest first; `next` is the address of the page after this one, or null."""
        query = call.query
        limit = query.pop("limit", PAGE)
        rows = self._backend.commands(**query, limit=min(limit + 1, PAGE_MAX))
        following = None
        if len(rows) > limit or len(rows) == PAGE_MAX:
            query |= {"before": rows[limit - 1]["seq"], "limit": limit}
            following = f"{API}/commands?{urlencode(query)}"
        shown = [render.command(row) for row in rows[:limit]]
        return Answer({"commands": shown, "next": following})

    def show(self, call: Call, command_id: str) -> Answer:
        """One command with its history."""
        return Answer(render.command(self._backend.command(command_id)))

    def cancel(self, call: Call, command_id: str) -> Answer:
        """202: called off, or, where the board may have it, the board is asked to."""
        call.body(NO_MEMBERS, empty=True)
        return _accepted(self._backend.cancel(command_id, call.who.user))


def _accepted(row: dict[str, Any]) -> Answer:
    return Answer(render.command(row), 202, {"Location": f"{API}/commands/{row['id']}"})
