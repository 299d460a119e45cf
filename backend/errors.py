"""What the backend refuses, and why: the web side turns each of these into one HTTP status."""

from typing import Any


class Refusal(Exception):
    """Something asked for that is not done: `code` (stable text), `field` and `reason`."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.code, self.field, self.reason = code, field, reason

    def __reduce__(self) -> tuple[Any, ...]:  # it goes from the worker to web processes
        return _again, (type(self), str(self), self.__dict__)


class Invalid(Refusal):
    """The request itself is wrong (400)."""


class NotFound(Refusal):
    """There is no such board or command (404)."""


class Forbidden(Refusal):
    """Whoever asks is known, and may not (403)."""


class Conflict(Refusal):
    """It can't be done in the state things are in (409)."""


class Missing(Refusal):
    """What it takes is not installed here (501)."""


class Busy(Refusal):
    """Too much is under way; the same request may pass in `retry_after` seconds (429)."""

    def __init__(self, code: str, reason: str, retry_after: int) -> None:
        super().__init__(code, "", reason)
        self.retry_after = retry_after


class Slow(Refusal):
    """No answer in time: it may still be done (503). The same request, under the same
    Idempotency-Key, may tell in `retry_after` seconds.
    """

    def __init__(self, code: str, field: str, reason: str, retry_after: int) -> None:
        super().__init__(code, field, reason)
        self.retry_after = retry_after


class Away(Slow):
    """The process that does the work can't be reached just now (503)."""


def no_board(board_id: str) -> NotFound:
    """What is said of a board that there is not, or that is none of somebody's business."""
    return NotFound("unknown_board", "board_id", f"there is no board {board_id!r}")


def no_command(command_id: str) -> NotFound:
    """The same of a command."""
    return NotFound("unknown_command", "command_id", f"there is no command {command_id!r}")


def _again(kind: type[Refusal], text: str, members: dict[str, Any]) -> Refusal:
    made = kind.__new__(kind, text)
    made.__dict__.update(members)
    return made
