"""How it stands with a board in a rollout, by what the board itself has said.

Rules of this file:
- it goes by how things are, not by what has just happened: the same twice says the same;
- that a release runs is believed from a startup message alone, and that it was rolled back from
  one of a later boot than took the command, or that says it otherwise than the one before:
  else it tells of an earlier trial;
- nothing of this says that a board failed because it was not heard.
"""

from typing import NamedTuple

from backend.database.store import Row
from backend.delivery.lifecycle import (
    ACKNOWLEDGED,
    CANCELLED,
    COMPLETED,
    EXPIRED,
    FAILED,
    REJECTED,
    UNKNOWN,
)
from backend.delivery.texts import TEXTS
from backend.delivery.updates import TRIAL
from backend.fleet.presence import Presence
from backend.rollouts import rows

CONFIRMED = "confirmed"
ROLLED_BACK = "rolled_back: "
SAFE_MODE = "safe_mode: "
# Ends of a command after which the same, given again, may do what the first one did not.
AGAIN = {(FAILED, "download"), (FAILED, "never"), (REJECTED, "busy"), (FAILED, "busy"),
         (UNKNOWN, "interrupted"), (UNKNOWN, "forgotten"), (EXPIRED, "expired")}  # fmt: skip


class Verdict(NamedTuple):
    """A state of rows, and why; `again`: it may be given once more."""

    state: str
    why: str = ""
    again: bool = False


class Before(NamedTuple):
    """How it stood until now: the state of rows, the boot that took the command, and what the
    board said of its slot when it came to that state.
    """

    state: str
    boot: str
    slot_state: str


def judged(before: Before, version: str, command: Row, board: Presence) -> Verdict:
    """How it stands with a board now."""
    if board.firmware == version and board.slot_state in (CONFIRMED, TRIAL):
        return Verdict(rows.RUNNING if board.slot_state == CONFIRMED else rows.TRIAL)
    status, error = command["status"], command["error"] or ""
    if before.state == rows.TRIAL or status == COMPLETED:
        otherwise = before.slot_state not in ("", board.slot_state)
        anew = otherwise or board.boot != before.boot
        return (after_trial(board) if anew else None) or Verdict(rows.TRIAL)
    if (status, error) in AGAIN:
        return Verdict(rows.REFUSED if status == REJECTED else rows.FAILED, _words(command), True)
    if status == CANCELLED:
        return Verdict(rows.CANCELLED, "its command was cancelled")
    if status == REJECTED:
        return Verdict(rows.REFUSED, _words(command))
    if status == FAILED:
        return Verdict(rows.FAILED, _words(command))
    if status == ACKNOWLEDGED:
        return Verdict(rows.DOWNLOADING)
    return Verdict(before.state)


def after_trial(board: Presence) -> Verdict | None:
    """What a board says of a trial that is over and was lost, or None where it says no such thing.

    In safe mode it runs what it ran, or the release, and moves nothing.
    """
    if board.slot_state.startswith(ROLLED_BACK):
        return Verdict(rows.ROLLED_BACK, board.slot_state.removeprefix(ROLLED_BACK))
    if board.slot_state.startswith(SAFE_MODE):
        return Verdict(rows.FAILED, f"it is in safe mode, {board.slot_state}")
    return None


def too_late(state: str, board: Presence | None) -> Verdict:
    """How it stands with a board whose time is over."""
    said = after_trial(board) if board and state == rows.TRIAL else None
    if said:
        return said
    last = {
        rows.SENT: "it did not answer the command",
        rows.DOWNLOADING: "it began to fetch the release, and was not heard to end",
        rows.TRIAL: "the release was on trial, and nothing was heard of the end of that",
    }
    return Verdict(rows.NO_ANSWER, last[state])


def _words(command: Row) -> str:
    error = command["error"] or ""
    said = command["message"] if command["message"] not in ("", error) else ""
    return ": ".join(filter(None, (TEXTS.get(error, error), said)))
