"""Commands that the backend asks for by itself; they wait their turn like any others."""

import random
from typing import Any

from backend.database import store
from backend.database.store import Row
from backend.delivery.commands import new_row
from backend.delivery.lifecycle import CANCEL, PENDING
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Work

SYSTEM = "system"  # the user they are of
LIFE_SECONDS = 24 * 3600


def wanted(board_id: str, command_type: str, parameters: dict[str, Any], key: str) -> NewCommand:
    """A command of the backend's own; the same `key` is queued once."""
    return NewCommand(board_id, command_type, "", parameters, LIFE_SECONDS, SYSTEM, key)


def queue(work: Work, asked: list[NewCommand]) -> list[Row]:
    """Create commands; the rows of those that were not queued before under their key."""
    keys = [(new.user, new.idempotency_key) for new in asked if new.idempotency_key]
    known = {row["idempotency_key"] for row in store.by_keys(keys)}
    rng = random.SystemRandom()
    rows = [new_row(new, work.now, rng) for new in asked if new.idempotency_key not in known]
    if rows:
        work.created(rows)
    for row in rows:
        work.wake(row)
    return rows


def take_back(work: Work, board_id: str, command_type: str | None = None) -> None:
    """Cancel what was queued for a board (of one type, or all) and was not sent yet."""
    for row in waiting(work, board_id):
        if row["user"] == SYSTEM and command_type in (None, row["command_type"]):
            call_off(work, row, SYSTEM)


def call_off(work: Work, row: Row, actor: str) -> None:
    """Cancel a command that was not sent yet."""
    if work.step(row, CANCEL, error="cancelled", actor=actor):
        row["error"] = "cancelled"


def waiting(work: Work, board_id: str) -> list[Row]:
    """The commands of a board that were not sent yet."""
    rows = work.take(store.open_of_board(board_id))
    return [row for row in rows if row["status"] == PENDING]
