"""Boards that nobody knows, and that say so: listed as pending, and never trusted.

At most PENDING_MAX are kept; what comes beyond is counted, and may come again.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.limits import KEY_BYTES

from backend import boards
from backend.models import PENDING_MAPPING, Board
from backend.presence import Presence, Roster
from backend.work import Work

PENDING_MAX = 200


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

    def apply(self, work: Work, announced: list[Announcement]) -> None:
        """Note a batch of announcements, as far as there is room."""
        for one in announced:
            if self._roster.get(one.board_id) is None and not self._insert(work, one):
                work.refused["unknown_board"] += 1

    def _insert(self, work: Work, one: Announcement) -> bool:
        if Board.select().where(Board.state == PENDING_MAPPING).count() >= PENDING_MAX:
            return False
        row = {"id": one.board_id, "name": one.board_id, "created_at": work.now, "password": ""}
        key = secrets.token_hex(KEY_BYTES)
        Board.insert(
            {**row, "key": key, "dialect": one.dialect, "state": PENDING_MAPPING}
        ).execute()
        board = boards.presence(one.board_id)
        self._roster.add(board)
        work.out.boards[one.board_id] = board
        return True


def may_announce(board: Presence | None) -> bool:
    """Whether a board may announce itself: nobody knows it, or it waits to be mapped."""
    return board is None or board.state == PENDING_MAPPING
