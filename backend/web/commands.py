"""Commands over HTTP: post, list, look up, cancel. Posting is the hot path of the web side.

A command is as visible as its board is: who may look at the site that this belongs to now sees
all of its commands.
"""

from typing import Any
from urllib.parse import urlencode

from protocol.fields import boolean, identifier_or_empty

from backend.delivery import commands
from backend.delivery.commands import PAGE_MAX
from backend.delivery.wishes import Cancellation, NewCommand
from backend.delivery.writer import now_ms
from backend.errors import NotFound, no_board, no_command
from backend.fleet.twins import Twins
from backend.people.access import OPERATOR, VIEWER, require, sites_with
from backend.people.credentials import COMMAND
from backend.service import Backend
from backend.web import render
from backend.web.http import (
    Answer,
    Call,
    Members,
    a_list,
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
        "conditions": a_list,
        "dry_run": boolean,
    },
)
_CANCEL = Members({}, {"reason": text(200)})
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

    def __init__(self, backend: Backend, twins: Twins) -> None:
        self._backend, self._twins = backend, twins

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("POST", f"{API}/commands", self.post, scope=COMMAND),
            Route("GET", f"{API}/commands", self.list, query=_FILTERS),
            Route("GET", f"{API}/commands/<command_id>", self.show),
            Route("POST", f"{API}/commands/<command_id>/cancel", self.cancel, scope=COMMAND),
        ]

    def post(self, call: Call) -> Answer:
        """202 once the command is durable. The same Idempotency-Key gets the same command.

        With `dry_run` it is 200 with what a twin of the board has done, and nothing is sent.
        """
        asked = call.body(_NEW)
        board_id = asked["board_id"]
        require(call.who, OPERATOR, self._backend.site_of(board_id), no_board(board_id))
        new = _wished(call, asked)
        if asked.get("dry_run"):
            self._backend.check(new)
            return Answer(self._twins.try_out(new, self._backend.board(board_id), now_ms()))
        row, _ = self._backend.post(new)
        return _accepted(row)

    def list(self, call: Call) -> Answer:
        """Commands, newest first; `next` is the address of the page after this one, or null."""
        query = call.query
        limit = query.pop("limit", PAGE)
        sites = sites_with(call.who, VIEWER)
        rows = self._backend.commands(**query, limit=min(limit + 1, PAGE_MAX), sites=sites)
        following = None
        if len(rows) > limit or len(rows) == PAGE_MAX:
            query |= {"before": rows[limit - 1]["seq"], "limit": limit}
            following = f"{API}/commands?{urlencode(query)}"
        shown = [render.command(row) for row in rows[:limit]]
        return Answer({"commands": shown, "next": following})

    def show(self, call: Call, command_id: str) -> Answer:
        """One command with its history."""
        self._require(call, VIEWER, command_id)
        return Answer(render.command(self._backend.command(command_id)))

    def cancel(self, call: Call, command_id: str) -> Answer:
        """202: called off, or, where the board may have it, the board is asked to."""
        reason = call.body(_CANCEL, empty=True).get("reason", "")
        self._require(call, OPERATOR, command_id)
        user, via, source = call.actor
        return _accepted(self._backend.cancel(Cancellation(command_id, user, source, reason, via)))

    def _require(self, call: Call, role: str, command_id: str) -> None:
        """Raises NotFound or Forbidden unless somebody has this role at the command's board."""
        board_id = commands.board_of(command_id)
        try:
            site = self._backend.site_of(board_id)
        except NotFound:  # it is gone, its commands are not
            site = None
        require(call.who, role, site, no_command(command_id))


def _wished(call: Call, asked: dict[str, Any]) -> NewCommand:
    """The command that a body asks for."""
    return NewCommand(
        asked["board_id"],
        asked["command_type"],
        asked.get("target", ""),
        asked.get("parameters") or {},
        asked.get("expires_in"),
        call.who.user,
        call.header("IDEMPOTENCY_KEY"),
        call.address,
        asked.get("reason", ""),
        call.who.via,
        conditions=tuple(asked.get("conditions", ())),
    )


def _accepted(row: dict[str, Any]) -> Answer:
    return Answer(render.command(row), 202, {"Location": f"{API}/commands/{row['id']}"})
