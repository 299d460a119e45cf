"""What is different about commands to boards whose dialect has no ids; see dialects/dialect.py."""

import json
from typing import Any

from backend.database import store
from backend.database.store import Row
from backend.delivery.lifecycle import IN_FLIGHT
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Work
from backend.dialects.dialect import BY_TOPIC, Dialect
from backend.dialects.registry import DIALECTS
from backend.fleet.presence import Presence, Roster


class Guesses:
    """Asked by the dispatcher, about commands and boards of this roster."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def exact(self, board: Presence) -> bool:
        """Whether its commands carry ids."""
        return DIALECTS[board.dialect].exact

    def dialect(self, row: Row) -> Dialect | None:
        """The dialect of a command's board where nothing can be asked or called back, or None."""
        board = self._roster.get(row["board_id"])
        return None if board is None or self.exact(board) else DIALECTS[board.dialect]

    def life(self, new: NewCommand) -> int | None:
        """How long a command waits if its sender does not say (s); None: as for our own."""
        board = self._roster.get(new.board_id)
        return None if board is None or self.exact(board) else DIALECTS[board.dialect].life_s

    def held(self, row: Row) -> bool:
        """Whether it is not to be sent just now."""
        board = self._roster.get(row["board_id"])
        return board is not None and row["command_type"] in board.hold

    def sending(self, row: Row) -> dict[str, Any]:
        """What the history says of a command being sent."""
        return {"attempt": row["attempt"] + 1, **(BY_TOPIC if self.dialect(row) else {})}

    def wait_ms(self, row: Row) -> int | None:
        """How long to wait for an answer that can only be guessed; None: as for our own."""
        dialect = self.dialect(row)
        return dialect.slow.get(row["command_type"], dialect.answer_ms) if dialect else None


def in_flight(work: Work, board: Presence, command_type: str, **wanted: Any) -> Row | None:
    """The command of this type, with these parameters, that is under way, where there is one."""
    work.flush()
    for row in work.take(store.unfinished_of_board(board.board_id)):
        if row["command_type"] == command_type and row["status"] in IN_FLIGHT:
            return row if wanted.items() <= json.loads(row["parameters"]).items() else None
    return None


def complete(work: Work, row: Row, result: dict[str, Any]) -> None:
    """What came is taken for the result of this command."""
    if work.step(row, "completed", None, {**BY_TOPIC, **result}, "board"):
        row["result"] = json.dumps(result)
