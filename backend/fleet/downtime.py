"""When boards were away: from when each was last heard until it was heard again, and why.

Rules of this file:
- a board has at most one downtime that is open; what is known of why is what was seen first;
- a restart of the backend or the broker opens none: nothing is known then until a board was
  heard, or was silent for too long while we listened. One that is open stays so over a restart;
- a board that was never heard is not missed, and one that sleeps is not before it should wake,
  nor one that nobody can know that of;
- it is written in the writer's transaction, one statement for all the boards that came or went.
Times are ms since 1970.
"""

import json
from typing import Any

from peewee import SQL, AutoField, BigIntegerField, TextField

from backend.database.models import ACTIVE, Base, Board, as_rows, database
from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.fleet import wakes
from backend.fleet.presence import Presence, Roster

SILENT, WILL, OVERDUE = REASONS = ("silent", "will", "asleep-overdue")


class Downtime(Base):
    """One time that a board was away; `until_at` is None while it is."""

    id = AutoField()
    board_id = TextField()
    site = TextField(null=True)  # as it was then
    from_at = BigIntegerField()  # last heard; for one that overslept: when it was to wake
    until_at = BigIntegerField(null=True)
    why = TextField()


Downtime.add_index(
    Downtime.index(
        Downtime.board_id, unique=True, where=SQL("until_at IS NULL"), name="downtime_open"
    )
)
Downtime.add_index(Downtime.index(Downtime.board_id, Downtime.id, name="downtime_board"))

_OPEN = """
    INSERT INTO downtime (board_id, site, from_at, why)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
        json_extract(value, '$[2]'), json_extract(value, '$[3]') FROM json_each(?)
"""
_CLOSE = """
    UPDATE downtime SET until_at = max(from_at, json_extract(v.value, '$[1]'))
    FROM json_each(?) AS v WHERE board_id = json_extract(v.value, '$[0]') AND until_at IS NULL
"""
_SLEEP = """
    UPDATE board SET asleep_until = json_extract(v.value, '$[1]')
    FROM json_each(?) AS v WHERE board.id = json_extract(v.value, '$[0]')
"""


class Downtimes:
    """Notes who comes and goes; `look` puts it into the transaction that is under way."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        away = Downtime.select(Downtime.board_id).where(Downtime.until_at.is_null())
        self._open = {row.board_id for row in away}
        asleep = Board.select(Board.id).where(Board.asleep_until.is_null(False))
        self._asleep = {row.id for row in asleep}
        # In the order of what happened: a board may come and go in one transaction.
        self._changes: list[tuple[str, list[Any]]] = []

    def left(self, work: Work, board: Presence) -> None:
        """A board says that it sleeps (`asleep_until`), or its will says that it is gone."""
        self._was_due(work, board)
        self.parted(work, board)
        if board.asleep_until is None:
            self._begin(board, board.last_seen or work.now, WILL)

    def parted(self, work: Work, board: Presence) -> None:
        """A board has gone, and that is right: until `asleep_until`, where it is known when."""
        self._off(work, board)
        if board.asleep_until is not None:
            self._asleep.add(board.board_id)
            self._changes.append((_SLEEP, [board.board_id, board.asleep_until]))
        else:
            self._wake(board)

    def back(self, work: Work, board: Presence) -> None:
        """A board was heard, or nobody waits for it any more."""
        if board.board_id in self._open:
            self._open.discard(board.board_id)
            self._changes.append((_CLOSE, [board.board_id, work.now]))
        self._wake(board)

    def look(self, work: Work) -> None:
        """Note who has been silent for too long, and write down what has changed."""
        for board in self._roster.silent(work.now):
            self._was_due(work, board)
            self._off(work, board)
            if board.asleep_until is None and not _comes_when_it_likes(board):
                since = board.last_seen or self._roster.listening_since(board)
                self._begin(board, since or work.now, SILENT)
        for board in self._roster.overslept(work.now):
            work.out.boards[board.board_id] = board
            self._begin(board, board.asleep_until or work.now, OVERDUE)
        self._write()

    @staticmethod
    def _was_due(work: Work, board: Presence) -> None:
        if board.online:
            wakes.left(work, board)

    def _off(self, work: Work, board: Presence) -> None:
        self._roster.gone(board)
        self._roster.sleeps(board)
        work.out.boards[board.board_id] = board

    def _begin(self, board: Presence, since: int, why: str) -> None:
        heard = board.boot != "" or board.last_seen is not None
        if board.board_id not in self._open and heard and board.state == ACTIVE:
            self._open.add(board.board_id)
            self._changes.append((_OPEN, [board.board_id, board.site, since, why]))

    def _wake(self, board: Presence) -> None:
        if board.board_id in self._asleep:
            self._asleep.discard(board.board_id)
            self._changes.append((_SLEEP, [board.board_id, None]))

    def _write(self) -> None:
        """Neighbours of one kind go in one statement."""
        changes, self._changes = self._changes, []
        while changes:
            sql = changes[0][0]
            last = next((i for i, one in enumerate(changes) if one[0] is not sql), len(changes))
            values = {one[1][0]: one[1] for one in changes[:last]}
            database.execute_sql(sql, (json.dumps(list(values.values())),))
            del changes[:last]


def _comes_when_it_likes(board: Presence) -> bool:
    """Whether it sleeps, nobody knows until when, and its dialect has no beat to be missed."""
    return board.sleeps and DIALECTS[board.dialect].silence_ms is None


def find(board_id: str, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """A board's downtimes, newest first; `before` is the `id` to go on from."""
    query = Downtime.select().where(Downtime.board_id == board_id)
    if before is not None:
        query = query.where(Downtime.id < before)
    return as_rows(query.order_by(Downtime.id.desc()).limit(limit))
