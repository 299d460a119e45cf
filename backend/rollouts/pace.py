"""What a rollout orders, how fast, and when it is enough: see conductor. Times are ms."""

from typing import Any

from peewee import fn

from backend.delivery.queueing import SYSTEM
from backend.delivery.wishes import NewCommand
from backend.fleet.presence import Presence
from backend.rollouts import releases
from backend.rollouts.fitting import is_step_back, unfit
from backend.rollouts.judging import Verdict
from backend.rollouts.rows import (
    OPEN,
    REFUSED,
    RUNNING,
    WAITING,
    Rollout,
    RolloutBoard,
    Totals,
)

CAUSE = "rollout/"
COMMAND = "update_firmware"


def order(rollout: Rollout, row: RolloutBoard, board: Presence) -> NewCommand:
    """The one command of this attempt."""
    release = releases.get(rollout.release)
    parameters = {
        "version": release.version,
        "url": releases.address(rollout.base, release.id, board.board_id, board.key),
        "sha256": releases.digest(release, board.key),
    }
    cause = f"{CAUSE}{rollout.id}/{row.id}.{row.attempt}"
    life, about = rollout.board_s, f"rollout {rollout.id} by {rollout.user}"
    return NewCommand(
        board.board_id, COMMAND, "", parameters, life, SYSTEM, cause, reason=about, cause=cause
    )


def without(rollout: Rollout, board: Presence) -> Verdict | None:
    """How it stands with a board that is to be sent nothing, now that its turn has come."""
    if rollout.site is not None and board.site != rollout.site:
        return Verdict(REFUSED, f"it has left the site {rollout.site}")
    release = releases.get(rollout.release)
    if board.firmware == release.version:
        return Verdict(RUNNING, "it had it already")
    why = unfit(release, board)
    if not why and not rollout.allow_downgrade and is_step_back(release, board):
        why = f"runs {board.firmware} meanwhile"
    return Verdict(REFUSED, f"it {why}") if why else None


def too_bad(rollout: Rollout, totals: Totals) -> str:
    """Why it must not go on, or ""."""
    enough = rollout.min_finished if rollout.proved else max(rollout.canary, 1)
    share = rollout.error_share
    if totals.finished < enough or totals.bad * 100 <= share * totals.finished:
        return ""
    return f"{totals.bad} of {totals.finished} boards went wrong, which is more than {share} %"


def next_at(rollout: Rollout) -> int:
    """When the next board may be sent it."""
    mine = RolloutBoard.rollout_id == rollout.id
    last = RolloutBoard.select(fn.MAX(RolloutBoard.sent_at)).where(mine).scalar()
    return 0 if last is None else int(last) + 60_000 // rollout.per_minute


def open_rows(rollout_id: int, where: Any) -> list[RolloutBoard]:
    """Boards of a rollout for which it has not ended, in the order in which they come."""
    mine = (RolloutBoard.rollout_id == rollout_id) & (RolloutBoard.state << OPEN)
    return list(RolloutBoard.select().where(mine & where).order_by(RolloutBoard.id))


def waiting(rollout_id: int, new: bool = False) -> list[tuple[int, str]]:
    """(row, board) of those whose turn it may be: nothing was sent to them yet, or it was."""
    mine = (RolloutBoard.rollout_id == rollout_id) & (RolloutBoard.state == WAITING)
    ready = RolloutBoard.sent_at.is_null(new) & RolloutBoard.due_at.is_null()
    query = RolloutBoard.select(RolloutBoard.id, RolloutBoard.board_id).where(mine & ready)
    found: Any = query.order_by(RolloutBoard.id).tuples()
    return list(found)


def times(now: int) -> list[int | None]:
    """When something of what goes on is due."""
    going = Rollout.ended_at.is_null()
    due = RolloutBoard.select(fn.MIN(RolloutBoard.due_at)).where(RolloutBoard.state << OPEN)
    later = going & (Rollout.deadline_at > now)
    return [due.scalar(), Rollout.select(fn.MIN(Rollout.deadline_at)).where(later).scalar()]
