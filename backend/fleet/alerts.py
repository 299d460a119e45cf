"""Alerts: a board whose commands fail again and again is told of once, and once when it is well.

Rules of this file:
- a command has failed where the board refused it, could not do it, or did not answer; one that
  expired unsent has not, for then the board was away, nor one that a person's stop ended, or that
  nobody should have asked for: that says nothing of the board;
- an alert begins with `after` failures in a row, or where `share` % of the last RECENT (of MANY at
  least) have failed; it ends with `clear_after` successes in a row, and what was before is past;
- alerts of other kinds are begun and ended by whoever knows of them, and `error` says why;
- the rows are the truth: after a restart an open alert is still the same one.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from peewee import SQL, AutoField, BigIntegerField, IntegerField, TextField, fn

from backend.database.models import ACTIVE, Base, Board, Command, as_rows
from backend.database.store import Row
from backend.delivery.lifecycle import COMPLETED, FAILED, REJECTED, UNKNOWN
from backend.delivery.work import Work
from backend.fleet.presence import Roster

FAILURES = "failures"  # the kind
RECENT, MANY = 20, 10
_BAD = (FAILED, REJECTED, UNKNOWN)
_NOT_ITS_FAULT = (
    "stopped",
    "latched",
    "interlock",
    "condition",
    "unknown_type",
    "unknown_target",
    "wrong_target",
    "bad_parameter",
)


@dataclass(frozen=True)
class Rule:
    """When an alert begins and ends; `share` is in %."""

    after: int = 3
    share: int = 50
    clear_after: int = 3


class Alert(Base):
    """`until_at` is None while it is open. `error`, `command_id`: of the last failure."""

    id = AutoField()
    kind = TextField(default=FAILURES)
    board_id = TextField()
    site = TextField(null=True)  # as it was then
    since = BigIntegerField()
    until_at = BigIntegerField(null=True)
    failures = IntegerField()
    error = TextField(default="")
    command_id = TextField()


Alert.add_index(
    Alert.index(
        Alert.board_id, Alert.kind, unique=True, where=SQL("until_at IS NULL"), name="alert_open"
    )
)


class Alerts:
    """Looks at what became of commands; `take` is part of the writer's transaction."""

    def __init__(self, roster: Roster, rule: Rule) -> None:
        self._roster, self._rule = roster, rule
        mine = Alert.select().where(_IS_OPEN, Alert.kind == FAILURES)
        self._open = {row.board_id: row.id for row in mine}
        self._recent: dict[str, deque[bool]] = {}

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._open)

    def take(self, work: Work) -> None:
        """Look at the steps of a transaction; alerts that begin or end go to its outcome."""
        found = [(row, good) for entry, row in work.out.changes
                 if (good := _outcome(entry)) is not None]  # fmt: skip
        now_counted = {row["seq"] for row, _ in found}
        for row, good in found:
            recent = self._recent_of(row["board_id"], now_counted)
            recent.append(good)
            if row["board_id"] in self._open:
                self._still(work, row, recent, good)
            elif not good and self._is_bad(recent):
                self._begin(work, row, recent)

    def _is_bad(self, recent: deque[bool]) -> bool:
        failed = recent.count(False)
        in_a_row = list(recent)[-self._rule.after :]
        if len(in_a_row) == self._rule.after and not any(in_a_row):
            return True
        return len(recent) >= MANY and failed * 100 >= self._rule.share * len(recent)

    def _begin(self, work: Work, row: Row, recent: deque[bool]) -> None:
        board = self._roster.get(row["board_id"])
        if board is None or board.state != ACTIVE:
            return
        made = {
            "kind": FAILURES,
            "board_id": row["board_id"],
            "site": board.site,
            "since": work.now,
            "until_at": None,
            "failures": recent.count(False),
            "error": row["error"] or "",
            "command_id": row["id"],
        }
        made["id"] = self._open[row["board_id"]] = Alert.insert(made).execute()
        work.out.alerts.append(made)

    def _still(self, work: Work, row: Row, recent: deque[bool], good: bool) -> None:
        this = Alert.id == self._open[row["board_id"]]
        last = list(recent)[-self._rule.clear_after :]
        if not good:
            news = {"error": row["error"] or "", "command_id": row["id"]}
            Alert.update(failures=Alert.failures + 1, **news).where(this).execute()
        elif len(last) == self._rule.clear_after and all(last):
            self.end(work, row["board_id"])

    def end(self, work: Work, board_id: str) -> None:
        """End a board's alert, if there is one: what was before is past."""
        if board_id in self._open:
            this = Alert.id == self._open.pop(board_id)
            Alert.update(until_at=work.now).where(this).execute()
            work.out.alerts += as_rows(Alert.select().where(this))
            self._recent[board_id] = deque(maxlen=RECENT)

    def _recent_of(self, board_id: str, counted: set[int]) -> deque[bool]:
        """The last outcomes of a board, out of the table where they are not known yet."""
        if board_id not in self._recent:
            self._recent[board_id] = deque(_past(board_id, counted), RECENT)
        return self._recent[board_id]


_IS_OPEN = Alert.until_at.is_null()


def begin_other(work: Work, kind: str, board_id: str, site: str | None, text: str) -> None:
    """Open an alert of another kind, said in words, where there is none of it for this board."""
    this = (Alert.kind == kind) & (Alert.board_id == board_id)
    if Alert.select().where(this, _IS_OPEN).exists():
        return
    about = {"kind": kind, "board_id": board_id, "site": site, "error": text, "failures": 0}
    made = {**about, "since": work.now, "until_at": None, "command_id": ""}
    made["id"] = Alert.insert(made).execute()
    work.out.alerts.append(made)


def end_other(work: Work, kind: str) -> None:
    """End the alerts of such a kind."""
    for row in as_rows(Alert.select().where(Alert.kind == kind, _IS_OPEN)):
        Alert.update(until_at=work.now).where(Alert.id == row["id"]).execute()
        work.out.alerts.append({**row, "until_at": work.now})


def _outcome(entry: Row) -> bool | None:
    """Whether a step is a success, a failure (once for each command), or neither."""
    if entry["from_status"] == UNKNOWN and entry["to_status"] != COMPLETED:
        return None
    return _verdict(entry["to_status"], entry["error"])


def _verdict(status: str, error: str | None) -> bool | None:
    if status == COMPLETED:
        return True
    return False if status in _BAD and error not in _NOT_ITS_FAULT else None


def _past(board_id: str, counted: set[int]) -> list[bool]:
    """What became of a board's last commands, oldest first, since its last alert ended."""
    ended = Alert.select(fn.MAX(Alert.until_at)).where(Alert.board_id == board_id).scalar() or 0
    rows = (
        Command.select(Command.seq, Command.status, Command.error)
        .where(Command.board_id == board_id, Command.updated_at > ended)
        .order_by(Command.seq.desc())
        .limit(RECENT + len(counted))
    )
    known = [_verdict(row.status, row.error) for row in rows if row.seq not in counted]
    return [good for good in known if good is not None][:RECENT][::-1]


def find(
    limit: int,
    before: int | None = None,
    sites: list[str] | None = None,
    open_only: bool = False,
) -> list[dict[str, Any]]:
    """Alerts, open ones first, then newest first; `before` is the `id` to go on from, for those
    that have ended. `sites`: only of boards at these.
    """
    query = Alert.select().order_by(_IS_OPEN.desc(), Alert.id.desc()).limit(limit)
    if sites is not None:
        seen = Board.select(Board.id).where(Board.site << sites)
        query = query.where(Alert.board_id << seen)
    if open_only:
        query = query.where(_IS_OPEN)
    if before is not None:
        query = query.where(Alert.id < before, ~_IS_OPEN)
    return as_rows(query)
