"""The rows of rollouts: which release goes where, how fast, and how it stands with each board.

Rules of this file:
- a board is in one open row at most; the database itself sees to that;
- what a board's state says comes from the board (see judging), but for what it never said;
- a board counts as finished once something was sent to it and has come to an end; RUNNING is good,
  every other end is an error, but CANCELLED. Boards that nothing was sent to count for nothing.
Times are ms.
"""

import json
from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    IntegerField,
    TextField,
    fn,
)

from backend.database.models import Base, as_rows
from backend.errors import NotFound

# Of a rollout. STOPPED: by itself, for its errors; ABORTED: by a person.
ACTIVE, PAUSED, STOPPED, ABORTED, DONE = ROLLOUT_STATES = (
    "active", "paused", "stopped", "aborted", "done",
)  # fmt: skip
GOING_ON = (ACTIVE, PAUSED)

# Of a board in it.
WAITING = "waiting"  # its turn has not come, or it is not there
SENT = "sent"
DOWNLOADING = "downloading"
TRIAL = "trial"
RUNNING = "running"  # the release has proved itself there
ROLLED_BACK = "rolled_back"
FAILED = "failed"  # the board could not install it, and runs what it ran
REFUSED = "refused"
NO_ANSWER = "no_answer"
CANCELLED = "cancelled"  # called off after something was sent
UNTOUCHED = "untouched"  # called off before anything was
UNDER_WAY = (SENT, DOWNLOADING, TRIAL)
OPEN = (WAITING, *UNDER_WAY)
BAD = (ROLLED_BACK, FAILED, REFUSED, NO_ANSWER)
BOARD_STATES = (*OPEN, RUNNING, *BAD, CANCELLED, UNTOUCHED)

Values = dict[str, Any]


class Rollout(Base):
    """A release on its way to boards. `selection`: JSON, as it was asked for; `skipped`: JSON, who
    was selected and is not in it, {board: why}. `base`: where boards fetch from.

    `canary`: how many boards come first, `proved`: these have ended well; `at_once`, `per_minute`
    (0: any number), `error_share` (%), `min_finished`: see conductor; `board_s`: how long a board
    may take.
    """

    id = AutoField()
    site = TextField(null=True)  # whose people may see it; None: administrators of the whole
    release = TextField()
    board = TextField()
    version = TextField()
    selection = TextField()
    skipped = TextField(default="{}")
    base = TextField()
    canary = IntegerField()
    proved = BooleanField(default=False)
    at_once = IntegerField()
    per_minute = IntegerField()
    error_share = IntegerField()
    min_finished = IntegerField()
    board_s = IntegerField()
    allow_downgrade = BooleanField()
    state = TextField(default=ACTIVE)
    why = TextField(default="")
    user = TextField()
    created_at = BigIntegerField()
    deadline_at = BigIntegerField()
    ended_at = BigIntegerField(null=True, index=True)


class RolloutBoard(Base):
    """A board in a rollout. `attempt`: how often it was sent the command; `command_id`: the last
    of these, `boot`: of the board when it took it. `due_at`: when to look again.

    `firmware`, `slot`, `slot_state`: as the board last said.
    """

    id = AutoField()
    rollout_id = IntegerField()
    board_id = TextField()
    state = TextField(default=WAITING)
    why = TextField(default="")
    attempt = IntegerField(default=0)
    command_id = TextField(null=True)
    boot = TextField(default="")
    sent_at = BigIntegerField(null=True)
    due_at = BigIntegerField(null=True)
    updated_at = BigIntegerField()
    firmware = TextField(default="")
    slot = TextField(default="")
    slot_state = TextField(default="")

    class Meta:
        indexes = ((("rollout_id", "state"), False),)


_OPEN_SQL = SQL("state IN ({})".format(", ".join(f"'{state}'" for state in OPEN)))
RolloutBoard.add_index(
    RolloutBoard.index(
        RolloutBoard.board_id, unique=True, where=_OPEN_SQL, name="rolloutboard_open"
    )
)


def get(rollout_id: int) -> Rollout:
    """A rollout's row. Raises NotFound."""
    found = Rollout.get_or_none(Rollout.id == rollout_id)
    if not isinstance(found, Rollout):
        raise unknown(rollout_id)
    return found


def unknown(rollout_id: object) -> NotFound:
    """What is said of a rollout there is not, or that is none of somebody's business."""
    return NotFound("unknown_rollout", "rollout", f"there is no rollout {rollout_id}")


def open_boards() -> dict[str, int]:
    """{board: the rollout that it is in and that has not ended for it}"""
    found = RolloutBoard.select(RolloutBoard.board_id, RolloutBoard.rollout_id)
    rows: Any = found.where(RolloutBoard.state << OPEN).tuples()
    return dict(rows)


def of_release(release_id: str) -> int | None:
    """A rollout of it that has not ended, or None."""
    going = (Rollout.release == release_id) & Rollout.ended_at.is_null()
    found = Rollout.select(Rollout.id).where(going).tuples().first()
    return None if found is None else int(found[0])


def is_fetching(board_id: str, release_id: str) -> bool:
    """Whether a rollout that goes on brings the release to the board."""
    here = (RolloutBoard.board_id == board_id) & (RolloutBoard.state << OPEN)
    going = (Rollout.release == release_id) & (Rollout.state << GOING_ON)
    joined = RolloutBoard.select().join(Rollout, on=RolloutBoard.rollout_id == Rollout.id)
    return bool(joined.where(here & going).exists())


class Totals:
    """How many boards of a rollout are in each state; `sent`: to how many something was."""

    def __init__(self, rollout_id: int) -> None:
        touched = RolloutBoard.sent_at.is_null(False)
        query = (
            RolloutBoard.select(RolloutBoard.state, touched, fn.COUNT(RolloutBoard.id))
            .where(RolloutBoard.rollout_id == rollout_id)
            .group_by(RolloutBoard.state, touched)
        )
        self.states = dict.fromkeys(BOARD_STATES, 0)
        ended: dict[str, int] = {}
        self.sent = self.trying = 0
        found: Any = query.tuples()
        for state, was_sent, count in found:
            self.states[state] += count
            if was_sent:
                self.sent += count
                ended[state] = count
        self.trying = sum(ended.get(state, 0) for state in OPEN)  # sent to, and not at an end
        self.bad = sum(ended.get(state, 0) for state in BAD)
        self.finished = self.bad + ended.get(RUNNING, 0)

    @property
    def under_way(self) -> int:
        """Boards that work on it now."""
        return sum(self.states[state] for state in UNDER_WAY)

    @property
    def open(self) -> int:
        """Boards for which it has not ended."""
        return sum(self.states[state] for state in OPEN)


_SHOWN = (
    "id", "site", "release", "board", "version", "canary", "proved", "at_once", "per_minute",
    "error_share", "min_finished", "board_s", "allow_downgrade", "state", "why", "user",
    "created_at", "deadline_at", "ended_at",
)  # fmt: skip
_BOARD_SHOWN = (
    "board_id", "state", "why", "attempt", "command_id", "sent_at", "updated_at", "firmware",
    "slot", "slot_state",
)  # fmt: skip


def public(row: Rollout) -> Values:
    """A rollout as the API shows it; times are ms."""
    totals = Totals(row.id)
    shown = {name: getattr(row, name) for name in _SHOWN}
    read = {name: json.loads(getattr(row, name)) for name in ("selection", "skipped")}
    counts = {"states": totals.states, "finished": totals.finished, "bad": totals.bad}
    return {**shown, **read, **counts}


def boards_of(rollout_id: int) -> list[Values]:
    """How it stands with each board of a rollout, in the order in which they come."""
    columns = [getattr(RolloutBoard, name) for name in _BOARD_SHOWN]
    mine = RolloutBoard.select(*columns).where(RolloutBoard.rollout_id == rollout_id)
    return as_rows(mine.order_by(RolloutBoard.id))
