"""What boards kept of their errors, as they told it in answer to `get_log`."""

from typing import Any

from backend.database.models import Command, LogPart

PARTS_MAX = 64  # a board keeps two files of 4 KB, in parts of 512 characters


def keep(board_id: str, said: dict[str, Any]) -> bool:
    """Store one part, in the caller's transaction; False where nobody asked this board for it."""
    asked = Command.select().where(
        Command.id == said["command_id"],
        Command.board_id == board_id,
        Command.command_type == "get_log",
    )
    if not 1 <= said["part"] <= said["parts"] <= PARTS_MAX or not asked.exists():
        return False
    row = {name: said[name] for name in ("command_id", "part", "text")}
    LogPart.insert(row).on_conflict_replace().execute()
    return True


def text_of(command_id: str) -> str | None:
    """All parts that came, in order; None where there are none."""
    parts = LogPart.select(LogPart.text).where(LogPart.command_id == command_id)
    found = [part.text for part in parts.order_by(LogPart.part)]
    return "".join(found) if found else None
