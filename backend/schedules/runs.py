"""Runs: the same command to many boards, each once, as fast as was asked for.

Rules of this file:
- which boards these are is settled when a run begins; a board that has left the run's site, or
  may not be commanded when its turn comes, is REFUSED, with the reason;
- all there is of a run are rows: a board is POSTED in the transaction that makes its command, so a
  restart neither loses one nor has one twice;
- where its target is somebody else's (see priorities), a board waits for it, others go first; but
  not for longer than its command would live: then it is REFUSED;
- with a rate, turns are evenly apart, and what was late is not made up for;
- to pause holds back the boards that wait for their turn. To cancel calls them off, and those
  commands that were not sent; what was sent goes on, and its command tells how it ended.
"""

import json
from typing import Any

from backend.database import store
from backend.database.models import MANUAL_COMMAND, Command, as_rows, database
from backend.delivery.lifecycle import ACKNOWLEDGED, PENDING, SENT
from backend.delivery.part import Orders, Part
from backend.delivery.priorities import Outranked
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Work
from backend.errors import Conflict, Refusal
from backend.fleet.selection import select
from backend.schedules.actions import life, life_ms
from backend.schedules.models import (
    ACTION,
    BY_HAND,
    CALLED_OFF,
    CANCELLED,
    DONE,
    PASSED,
    PAUSED,
    POSTED,
    REFUSED,
    RUNNING,
    WAITING,
    Run,
    RunBoard,
)

AT_ONCE = 50  # commands in one transaction
KINDS = ("schedule", "bulk")  # of causes: schedule/ID/RUN, or bulk/0/RUN
HELD_MS = 1_000  # until those that wait for their target look again
_MINUTE_MS = 60_000
_INSERT = f"""
    INSERT INTO runboard (run_id, number, board_id, state, error)
    SELECT ?, key, value, '{WAITING}', '' FROM json_each(?)
"""
_POSTED = (
    "UPDATE runboard SET state = ?, command_id = ?, error = ?, held_at = ?"
    " WHERE run_id = ? AND board_id = ?"
)
_UNDER_WAY = f"""
    SELECT 1 FROM runboard AS b LEFT JOIN command AS c ON c.id = b.command_id
    WHERE b.run_id = ? AND (b.state = '{WAITING}'
        OR c.status IN ('{PENDING}', '{SENT}', '{ACKNOWLEDGED}')) LIMIT 1
"""


class Runs(Part):
    """Gives the boards of all runs their turns, and notes when a run is over."""

    def __init__(self, orders: Orders) -> None:
        super().__init__(orders)
        self._due_at: int | None = None  # when the next board has its turn
        self._moved: set[int] = set()  # the runs of which there is something new
        self._anew = True  # nothing is known yet

    def begin(self, work: Work, action: dict[str, Any], **columns: Any) -> int | None:
        """Begin a run of an action (see models.ACTION) and give its id; None where the schedule
        has one for this due time.
        """
        values = {name: action[name] for name in ACTION} | columns
        if (schedule := values.get("schedule")) is not None and (
            Run.select().where(Run.schedule == schedule, Run.due_at == values["due_at"]).exists()
        ):
            return None
        run_id = int(Run.insert({"at": work.now, "next_at": work.now, **values}).execute())
        passed = values["how"] == PASSED
        boards = [] if passed else select(self.orders.roster, json.loads(action["selection"]))
        database.execute_sql(_INSERT, (run_id, json.dumps(boards)))
        self._due_at = work.now
        self._moved.add(run_id)
        return run_id

    def act(self, work: Work) -> None:
        """Post what has its turn; see which runs are over."""
        if self._anew:
            open_ones = Run.select(Run.id).where(Run.ended_at.is_null())
            self._moved.update(run.id for run in open_ones)
            self._anew, self._due_at = False, work.now
        if self._due_at is not None and self._due_at <= work.now:
            self._post_due(work)
        if self._moved:
            work.flush()
            for run_id in sorted(self._moved):
                self._look(work, run_id)
            self._moved.clear()

    def follow(self, work: Work, changes: list[tuple[store.Row, store.Row]]) -> None:
        """Note the runs whose commands took a step."""
        for _, row in changes:
            kind, _, name = row["cause"].partition("/")
            if kind in KINDS and (number := name.rpartition("/")[2]).isdigit():
                self._moved.add(int(number))

    def next_due(self) -> int | None:
        """When the next board has its turn; at once, where a run may be over."""
        return 0 if self._moved else self._due_at

    def shift(self, by: int) -> None:
        """Turns are a span apart, by whatever clock: see `_post_due`."""
        self._anew = True

    def pause(self, work: Work, run_id: int, on: bool) -> None:
        """Hold back the boards that wait, or go on. Raises Conflict where there are none."""
        run = _unfinished(run_id)
        if run.state not in (RUNNING, PAUSED) or not _waiting(run_id, 1):
            reason = "has no boards that wait for their turn; there is nothing to hold back"
            raise Conflict("nothing_waits", "run_id", reason)
        _set(run_id, state=PAUSED if on else RUNNING)
        self._due_at = work.now
        self._moved.add(run_id)

    def cancel(self, work: Work, run_id: int, actor: str, detail: dict[str, Any]) -> None:
        """Call off what was not sent. Raises Conflict where the run is over."""
        _unfinished(run_id)
        _set(run_id, state=CANCELLED, next_at=None)
        of_run = RunBoard.run_id == run_id
        RunBoard.update(state=CALLED_OFF).where(of_run, RunBoard.state == WAITING).execute()
        work.flush()
        posted = Command.select(Command.id).join(RunBoard, on=RunBoard.command_id == Command.id)
        unsent = as_rows(posted.where(of_run, Command.status == PENDING))
        for row in work.take(store.by_ids([one["id"] for one in unsent])):
            if row["status"] == PENDING:
                self.orders.call_off(work, row, actor, detail)
        self._moved.add(run_id)

    def _post_due(self, work: Work) -> None:
        """One turn of each run that has a rate, and what there is room for of the others. No turn
        is further away than the time between two: the clock may have been set.
        """
        left = AT_ONCE
        due: list[int] = []
        there = Run.select().where(Run.ended_at.is_null(), Run.next_at.is_null(False))
        for run in as_rows(there.where(Run.state == RUNNING).order_by(Run.next_at)):
            apart = -(-_MINUTE_MS // run["per_minute"]) if run["per_minute"] else 0
            next_at: int | None = min(run["next_at"], work.now + apart)
            if run["next_at"] <= work.now and left:
                turn = _waiting(run["id"], 1 if apart else left)
                held = [self._post(work, run, board) for board in turn]
                left -= len(turn)
                pause = max(apart, HELD_MS if all(held) else 0)
                next_at = work.now + pause if _waiting(run["id"], 1) else None
                self._moved.add(run["id"])
            _set(run["id"], next_at=next_at)
            due += [] if next_at is None else [next_at]
        self._due_at = min(due, default=None)

    def _post(self, work: Work, run: dict[str, Any], turn: dict[str, Any]) -> bool:
        """A board's turn; whether it has to wait, since its target is somebody else's now."""
        board_id, held_at = turn["board_id"], turn["held_at"] or work.now
        change: tuple[Any, ...]
        try:
            new = self._command(work, run, board_id)
            change = (POSTED, self.orders.post(work, new)["id"], "", None)
        except Refusal as why:
            patient = isinstance(why, Outranked) and work.now < held_at + life_ms(new)
            state, until = (WAITING, held_at) if patient else (REFUSED, None)
            change = (state, None, str(why)[:300], until)
        database.execute_sql(_POSTED, (*change, run["id"], board_id))
        return change[0] == WAITING

    def _command(self, work: Work, run: dict[str, Any], board_id: str) -> NewCommand:
        """The command of a board whose turn it is. Raises Conflict."""
        board = self.orders.roster.get(board_id)
        if board is None or (run["site"] is not None and board.site != run["site"]):
            raise Conflict("left", "board_id", f"has left the site {run['site']}")
        kind = f"schedule/{run['schedule']}" if run["schedule"] is not None else "bulk/0"
        return NewCommand(
            board_id,
            run["command_type"],
            run["target"],
            json.loads(run["parameters"]),
            run["expires_in"] or life(board, run["command_type"], work.now),
            run["user"],
            f"run/{run['id']}/{board_id}",
            run["source"],
            run["reason"],
            run["via"],
            f"{kind}/{run['id']}",
            run["priority"],
        )

    @staticmethod
    def _look(work: Work, run_id: int) -> None:
        """See whether a run is over, and let it be known that there is something new."""
        run = Run.get_or_none(Run.id == run_id)
        if run is None:
            return
        if run.ended_at is None and not database.execute_sql(_UNDER_WAY, (run_id,)).fetchone():
            state = CANCELLED if run.state == CANCELLED else DONE
            _set(run_id, state=state, ended_at=work.now, next_at=None)
        news = {"id": run_id, "schedule": run.schedule, "site": run.site}
        work.out.news.append(("run", news))


def by_hand(user: str, via: str, source: str, reason: str = "") -> dict[str, Any]:
    """The columns of a run that somebody asked for."""
    about = {"user": user, "via": via, "source": source, "reason": reason}
    return {"how": BY_HAND, "priority": MANUAL_COMMAND, **about}


def _waiting(run_id: int, limit: int) -> list[dict[str, Any]]:
    rows = RunBoard.select().where(RunBoard.run_id == run_id, RunBoard.state == WAITING)
    order = (RunBoard.held_at.is_null(False), RunBoard.held_at, RunBoard.number)
    return as_rows(rows.order_by(*order).limit(limit))


def _unfinished(run_id: int) -> Any:
    run = Run.get_by_id(run_id)
    if run.ended_at is not None or run.state == CANCELLED:
        raise Conflict("ended", "run_id", f"is {run.state} already; nothing of it waits")
    return run


def _set(run_id: int, **columns: Any) -> None:
    Run.update(columns).where(Run.id == run_id).execute()
