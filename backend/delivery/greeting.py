"""What a board that has started is told at once: the time.

It is no command: nothing is kept of it, and a board that does not hear it asks again. The echo of
its boot and session shows the board that this is no recording.
"""

from typing import Any

from backend.delivery.work import Work
from backend.fleet.presence import Presence

LIFE_SECONDS = 60


def tell_time(work: Work, board: Presence, said: dict[str, Any]) -> None:
    """Answer a startup message with the time."""
    now = work.now // 1000
    message = {
        "command_id": "time",
        "command_type": "time",
        "target": "",
        "parameters": {"boot": said["boot"], "session": said["session"]},
        "timestamp": now,
        "expires_at": now + LIFE_SECONDS,
        "attempt": 1,
    }
    work.out.publish.append((board.board_id, message))
