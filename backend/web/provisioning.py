"""Boards on their way in, around and out, over HTTP: for administrators of where they are."""

from typing import Any

from protocol.fields import boolean, identifier

from backend.database.models import RETIRED
from backend.errors import NotFound
from backend.fleet import boards, provisioning
from backend.fleet.labels import label, sheet
from backend.fleet.provisioning import Enrolment, Mapping, Retirement, Return
from backend.fleet.selection import Labels, check_labels
from backend.people.access import ADMIN, VIEWER, require
from backend.people.audit import Noted, noted
from backend.service import Backend
from backend.web import render
from backend.web.http import NO_MEMBERS, Answer, Call, Members, text
from backend.web.pages import POLICY
from backend.web.routes import API, Route
from backend.web.sites import at_site

_NEW = Members(
    {"board_id": text(64)},
    {"name": text(64), "site": identifier, "pending": boolean, "sleeps": boolean},
)
_CHANGE = Members({"labels": check_labels}, {})
_MAP = Members({"site": identifier}, {"name": text(64), "sleeps": boolean})


class ProvisioningRoutes:
    """What changes `/boards`, and their labels. `address`: of the page, for the labels."""

    def __init__(self, backend: Backend, address: str) -> None:
        self._backend, self._address = backend, address

    def routes(self) -> list[Route]:
        """What is served."""
        board = f"{API}/boards/<board_id>"
        return [
            Route("POST", f"{API}/boards", self.enroll),
            Route("PATCH", board, self.change),
            Route("POST", f"{board}/credentials", self.renew),
            Route("POST", f"{board}/map", self.map),
            Route("POST", f"{board}/retire", self.retire),
            Route("POST", f"{board}/restore", self.restore),
            Route("GET", f"{board}/moves", self.moves),
            Route("GET", f"{board}/label.svg", self.label),
            Route("GET", f"{API}/sites/<site_id>/labels", self.labels),
        ]

    def enroll(self, call: Call) -> Answer:
        """201 with key and password, which no other answer ever holds."""
        asked = call.body(_NEW)
        require(call.who, ADMIN, asked.get("site"), _no_site(asked.get("site")))
        wish = Enrolment(user=call.who.user, **asked)
        told = self._backend.perform(Noted(wish, call.actor, "board.enroll", asked["board_id"]))
        return Answer(told, 201, {"Location": f"{API}/boards/{told['board_id']}"})

    def change(self, call: Call, board_id: str) -> Answer:
        """The board with other labels."""
        self._at_board(call, ADMIN, board_id)
        asked = call.body(_CHANGE)
        wish = Labels(board_id, tuple(asked["labels"]))
        self._backend.perform(Noted(wish, call.actor, "board.labels", board_id, asked))
        return Answer(render.board(self._backend.board(board_id)))

    def renew(self, call: Call, board_id: str) -> Answer:
        """A fresh key and password; the old ones are refused from now on."""
        self._at_board(call, ADMIN, board_id)
        call.body(NO_MEMBERS, empty=True)
        with noted(call.actor, "board.credentials", board_id):
            told = boards.renew(board_id)
        self._backend.boards_changed()
        return Answer(told)

    def map(self, call: Call, board_id: str) -> Answer:
        """Map a board to a site, or move it there; `queued`: what it is told first."""
        self._at_board(call, ADMIN, board_id)
        asked = call.body(_MAP)
        at_site(call, ADMIN, asked["site"])
        wish = Mapping(board_id, user=call.who.user, **asked)
        done = self._backend.perform(Noted(wish, call.actor, "board.map", board_id, asked))
        return self._done(board_id, queued=done["queued"])

    def retire(self, call: Call, board_id: str) -> Answer:
        """Let a board take no more part; `cancelled`: what was not sent to it yet."""
        self._at_board(call, ADMIN, board_id)
        call.body(NO_MEMBERS, empty=True)
        wish = Retirement(board_id, call.who.user)
        done = self._backend.perform(Noted(wish, call.actor, "board.retire", board_id))
        return self._done(board_id, cancelled=done["cancelled"])

    def restore(self, call: Call, board_id: str) -> Answer:
        """Bring a board that was retired back to where it was."""
        self._at_board(call, ADMIN, board_id)
        call.body(NO_MEMBERS, empty=True)
        wish = Return(board_id, call.who.user)
        done = self._backend.perform(Noted(wish, call.actor, "board.restore", board_id))
        return self._done(board_id, queued=done["queued"])

    def moves(self, call: Call, board_id: str) -> Answer:
        """How a board came to where it is, oldest first."""
        self._at_board(call, VIEWER, board_id)
        return Answer({"moves": [render.move(row) for row in provisioning.moves(board_id)]})

    def label(self, call: Call, board_id: str) -> Answer:
        """A label with a QR code that leads to the board on the page, as SVG."""
        board = self._at_board(call, VIEWER, board_id)
        return _document(label(self._address, board), "image/svg+xml")

    def labels(self, call: Call, site_id: str) -> Answer:
        """The labels of all boards of a site, to be printed."""
        site = at_site(call, VIEWER, site_id)
        there = [
            board["id"]
            for board in self._backend.boards()
            if board["site"] == site_id and board["state"] != RETIRED
        ]
        addresses = [f"{API}/boards/{board_id}/label.svg" for board_id in there]
        return _document(sheet(site["name"], addresses), "text/html; charset=utf-8")

    def _at_board(self, call: Call, role: str, board_id: str) -> dict[str, Any]:
        nothing = NotFound("unknown_board", "board_id", f"there is no board {board_id[:64]!r}")
        board = self._backend.board(board_id)
        require(call.who, role, board["site"], nothing)
        return board

    def _done(self, board_id: str, **more: list[str]) -> Answer:
        return Answer({"board": render.board(self._backend.board(board_id)), **more})


def _no_site(site: str | None) -> NotFound:
    return NotFound("unknown_site", "site", f"there is no site {site!r}")


def _document(content: str, kind: str) -> Answer:
    headers = {"Content-Type": kind, "Content-Security-Policy": POLICY}
    return Answer(content.encode(), 200, headers)
