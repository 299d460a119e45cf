"""Boards that nobody knows, and that say so: listed as pending, and never trusted.

Rules of this file:
- anybody who may publish can be such a board, so what it says is a claim: cut to size, shown as
  text, and acted upon by nobody;
- all unknown boards together get RATE announcements a second and no more: a flood costs a look
  into memory for each message, and one row a second;
- at most PENDING_MAX are kept; those not heard of for the longest go first. What was enrolled or
  mapped is no such board, and stays.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.limits import MESSAGE_BYTES
from protocol.topics import STARTUP, STATUS

from backend.brokers.broker import BACKEND_USER
from backend.database.models import PENDING_MAPPING, Board
from backend.delivery.work import Work
from backend.fleet import boards
from backend.fleet.presence import Presence, Roster

log = logging.getLogger(__name__)

ANNOUNCING = (STATUS, STARTUP)  # what a board says first, in our own dialect
RATE = 1.0  # announcements a second, of all together
BURST = 20.0
PENDING_MAX = 200
AGAIN_MS = 60_000  # what one that is listed says again is noted so often
CLAIMS_MAX = 16
CLAIM_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Announcement:
    """An unknown board of a dialect, and what it says it is: as bytes of JSON, or as read."""

    board_id: str
    dialect: str
    said: bytes | Mapping[str, Any]


class Newcomers:
    """Takes announcements in. `roster`: the boards that are known."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._tokens, self._filled_at = BURST, 0

    def apply(self, work: Work, announced: list[Announcement]) -> None:
        """Note a batch of announcements, as far as the rate allows; the rest is counted."""
        for one in announced:
            if not self._is_news(work, one):
                continue
            if self._token(work.now):
                self._take_in(work, one)
            else:
                work.refused["unknown_board"] += 1

    def _is_news(self, work: Work, one: Announcement) -> bool:
        known = self._roster.get(one.board_id)
        if known is None:
            return one.board_id != BACKEND_USER
        if known.state != PENDING_MAPPING:
            return False
        if known.announced_at is None or work.now - known.announced_at >= AGAIN_MS:
            return True
        return not claims_of(one.said).items() <= known.claims.items()

    def _take_in(self, work: Work, one: Announcement) -> None:
        claims = claims_of(one.said)
        if claims.get("status") == "offline":  # somebody's last will
            return
        board = self._roster.get(one.board_id)
        if board:
            claims = dict(list((claims | board.claims | claims).items())[:CLAIMS_MAX])
        columns = {"claims": json.dumps(claims), "announced_at": work.now}
        if board:
            Board.update(columns).where(Board.id == one.board_id).execute()
        elif Board.get_or_none(Board.id == one.board_id):
            return  # another process has just made it known; the roster takes it over in time
        else:
            self._insert(work, one, claims, columns)
            board = boards.presence(one.board_id)
            self._roster.add(board)
        board.claims, board.announced_at = claims, work.now
        work.out.boards[one.board_id] = board

    def _insert(
        self, work: Work, one: Announcement, claims: dict[str, Any], columns: dict[str, Any]
    ) -> None:
        self._make_room()
        nobodys = {"key": boards.secrets_of_a_board()["key"], "password": ""}
        sleeps = claims.get("sleeps") is True
        about = {"name": one.board_id, "dialect": one.dialect, "state": PENDING_MAPPING}
        boards.insert(one.board_id, work.now, **about, **nobodys, **columns, sleeps=sleeps)
        log.info("%s is unknown and has announced itself; map it to a site", one.board_id)

    def _make_room(self) -> None:
        """Forget those that were not heard of for the longest."""
        strangers = Board.select(Board.id).where(
            (Board.state == PENDING_MAPPING) & (Board.password == "")
        )
        surplus = strangers.count() - PENDING_MAX + 1
        if surplus > 0:
            for row in list(strangers.order_by(Board.announced_at).limit(surplus)):
                Board.delete().where(Board.id == row.id).execute()
                self._roster.remove(row.id)

    def _token(self, now: int) -> bool:
        """Whether one more may be taken in (token bucket)."""
        passed = max(now - self._filled_at, 0) / 1000
        self._tokens, self._filled_at = min(self._tokens + passed * RATE, BURST), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def claims_of(said: bytes | Mapping[str, Any]) -> dict[str, Any]:
    """{name: text, number or flag} of what a stranger says of itself, cut to size."""
    if isinstance(said, bytes):
        said = _read(said)
    out: dict[str, Any] = {}
    for name, value in list(said.items())[:CLAIMS_MAX]:
        if isinstance(value, Mapping):  # of actuators, their names
            value = ", ".join(map(str, list(value)[:CLAIMS_MAX]))
        if isinstance(value, str):
            out[_cut(name)] = _cut(value)
        elif value is None or type(value) in (bool, int) and abs(value) < 1 << 53:
            out[_cut(name)] = value
    return out


def _cut(value: object) -> str:
    """Text that any database and any page can take."""
    text = str(value)[:CLAIM_LENGTH].replace("\0", "")
    return text.encode("utf-8", "replace").decode()


def _read(said: bytes) -> dict[str, Any]:
    try:
        read = json.loads(said) if len(said) <= MESSAGE_BYTES else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(read, dict):
        return {}
    shown = ("status", "board", "firmware", "actuators", "cause", "sleeps")
    return {name: read[name] for name in shown if name in read}


def may_announce(board: Presence | None) -> bool:
    """Whether a board may announce itself: nobody knows it, or it waits to be mapped."""
    return board is None or board.state == PENDING_MAPPING
