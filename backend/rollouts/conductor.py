"""Rollouts as they go: who is sent the release when, what became of it, and when that is enough.

Rules of this file:
- first `canary` boards, and nothing else until so many have finished; then `at_once` at a time, no
  more than `per_minute`, whoever is online first. A board that is away gets it when it comes;
- it stops by itself where more than `error_share` % of the boards that have finished went wrong:
  asked once the canary has finished, and from then on wherever `min_finished` have;
- a board has `board_s` for each attempt, and the rollout until its deadline: then it is over for
  whoever has not begun. Nothing is left open for ever;
- one command for a board and attempt. It is given again, ATTEMPTS times at most, where the
  download broke off, the power failed or the board was busy: the board goes on where it was;
- all that is known stands in rows, but for which boards are in it and when to look again.
"""

import itertools
from typing import Any

from backend.database import store
from backend.database.store import Row
from backend.delivery.lifecycle import ACKNOWLEDGED, COMPLETED
from backend.delivery.lifecycle import OPEN as OPEN_COMMANDS
from backend.delivery.part import Orders, Part
from backend.delivery.queueing import SYSTEM
from backend.delivery.updates import TRIAL
from backend.delivery.work import Work
from backend.errors import Refusal
from backend.rollouts import judging, pace, rows
from backend.rollouts.judging import Verdict
from backend.rollouts.rows import Rollout, RolloutBoard, Totals

ATTEMPTS = 3
RETRY_MS = 30_000


class Rollouts(Part):
    """Every rollout that has not ended."""

    def __init__(self, orders: Orders) -> None:
        super().__init__(orders)
        self._open = rows.open_boards()
        self._due: int | None = None
        self._shift = 0
        self._wanted = Rollout.select().where(Rollout.ended_at.is_null()).exists()  # look at once
        self._told: set[int] = set()  # rollouts that pages are to be told of

    def begun(self, rollout_id: int, board_ids: list[str]) -> None:
        """There is a new one."""
        self._open.update(dict.fromkeys(board_ids, rollout_id))
        self.look(rollout_id)

    def look(self, rollout_id: int) -> None:
        """A rollout was changed."""
        self._wanted = True
        self._told.add(rollout_id)

    def hear(self, work: Work) -> None:
        """Boards say what they run, or are back."""
        for board_id in work.out.boards.keys() & self._open.keys():
            row = self._row(board_id)
            if row and row.state == rows.WAITING:
                self._wanted = self._wanted or self.orders.roster.is_online(board_id)
            elif row and (command := self._command(work, row)):
                self._judge(work, row, command)

    def follow(self, work: Work, changes: list[tuple[Row, Row]]) -> None:
        """Commands that were sent for a rollout have come further."""
        mine = {row["id"]: row for _, row in changes if row["cause"].startswith(pace.CAUSE)}
        for command in mine.values():
            row = self._row(command["board_id"]) if command["board_id"] in self._open else None
            if row and row.command_id == command["id"] and row.state in rows.UNDER_WAY:
                self._judge(work, row, command)
        self._tell(work)

    def act(self, work: Work) -> None:
        """Look after each of them, where there may be something to do."""
        self._move_along()
        if self._wanted or (self._due is not None and self._due <= work.now):
            self._wanted, sends = False, []
            for rollout in list(Rollout.select().where(Rollout.ended_at.is_null())):
                sends.append(self._turn(work, rollout))
            self._due = min(filter(None, [*sends, *pace.times(work.now)]), default=None)
        self._tell(work)

    def next_due(self) -> int | None:
        """See Part."""
        return 0 if self._wanted or self._shift else self._due

    def shift(self, by: int) -> None:
        """See Part; done with the next transaction."""
        self._shift += by if self._due is not None else 0

    def halt(self, work: Work, rollout: Rollout, state: str, why: str, actor: str) -> None:
        """Send nothing more, and call off what can be: a board that fetches gets no more files."""
        rollout.state, rollout.why = state, why
        rollout.save(only=[Rollout.state, Rollout.why])
        self._drop_waiting(work, rollout)
        fetching = (rows.SENT, rows.DOWNLOADING)
        for row in pace.open_rows(rollout.id, RolloutBoard.state << fetching):
            self._call_off(work, row, actor)
        self.look(rollout.id)

    def _turn(self, work: Work, rollout: Rollout) -> int | None:
        """Do for a rollout what there is to do. Returns when the next board may be sent it."""
        for row in pace.open_rows(rollout.id, RolloutBoard.due_at <= work.now):
            self._overdue(work, row)
        if rollout.deadline_at <= work.now:
            self._drop_waiting(work, rollout, late=True)
        totals = Totals(rollout.id)
        if rollout.state in rows.GOING_ON and (why := pace.too_bad(rollout, totals)):
            self.halt(work, rollout, rows.STOPPED, why, SYSTEM)
        next_at = self._send(work, rollout, totals) if rollout.state == rows.ACTIVE else None
        if not Totals(rollout.id).open:
            if rollout.state in rows.GOING_ON:
                rollout.state = rows.DONE
            rollout.ended_at = work.now
            rollout.save(only=[Rollout.state, Rollout.ended_at])
            self._told.add(rollout.id)
        return next_at

    def _overdue(self, work: Work, row: RolloutBoard) -> None:
        if row.state == rows.WAITING:
            row.due_at = None  # it may be sent again
            row.save(only=[RolloutBoard.due_at])
            return
        self._settle(work, row, judging.too_late(row.state, self.orders.roster.get(row.board_id)))
        self._call_off(work, row, SYSTEM)

    def _send(self, work: Work, rollout: Rollout, totals: Totals) -> int | None:
        """Send it to as many as it is time for. Returns when the next one may be sent it."""
        if not rollout.proved and totals.finished >= rollout.canary:
            rollout.proved = True
            rollout.save(only=[Rollout.proved])
            self._told.add(rollout.id)
        fresh = rollout.at_once - totals.under_way
        room = fresh
        if not rollout.proved:
            fresh = min(fresh, rollout.canary - totals.finished - totals.trying)
        for row in self._candidates(rollout, fresh, room):
            if rollout.per_minute and (next_at := pace.next_at(rollout)) > work.now:
                return next_at
            self._send_to(work, rollout, row)
        return None

    def _candidates(self, rollout: Rollout, fresh: int, room: int) -> list[RolloutBoard]:
        """As many boards that are there and wait as there is `room` for, `fresh` of them new."""
        if room <= 0:
            return []
        there = [row for row, board in pace.waiting(rollout.id) if self._may_go(rollout, board)]
        if (more := min(fresh, room - len(there))) > 0:
            new = pace.waiting(rollout.id, new=True)
            coming = (row for row, board in new if self._may_go(rollout, board))
            there += itertools.islice(coming, more)
        return [RolloutBoard.get_by_id(row) for row in there[:room]]

    def _may_go(self, rollout: Rollout, board_id: str) -> bool:
        """Whether a board is there, and does not try this very version already."""
        board = self.orders.roster.get(board_id)
        trying = board and (board.firmware, board.slot_state) == (rollout.version, TRIAL)
        return self.orders.roster.is_online(board_id) and not trying

    def _send_to(self, work: Work, rollout: Rollout, row: RolloutBoard) -> None:
        board = self.orders.roster.get(row.board_id)
        assert board is not None
        if verdict := pace.without(rollout, board):
            return self._settle(work, row, verdict)
        row.attempt += 1
        try:
            command = self.orders.post(work, pace.order(rollout, row, board))
        except Refusal as why:
            return self._settle(work, row, Verdict(rows.REFUSED, str(why)))
        row.command_id, row.sent_at, row.boot = command["id"], work.now, board.boot
        row.due_at = work.now + 1000 * rollout.board_s
        return self._settle(work, row, Verdict(rows.SENT))

    def _judge(self, work: Work, row: RolloutBoard, command: Row) -> None:
        board = self.orders.roster.get(row.board_id)
        assert board is not None
        if row.state == rows.SENT and command["status"] in (ACKNOWLEDGED, COMPLETED):
            row.boot = command["boot"]
        before = judging.Before(row.state, row.boot, row.slot_state)
        version = rows.get(row.rollout_id).version
        verdict = judging.judged(before, version, command, board)
        known = (row.firmware, row.slot, row.slot_state)
        news = known != (board.firmware, board.slot, board.slot_state)
        if verdict.state != row.state or (row.state == rows.TRIAL and news):
            self._settle(work, row, verdict)

    def _settle(self, work: Work, row: RolloutBoard, verdict: Verdict) -> None:
        """Write down how it stands with a board."""
        board = self.orders.roster.get(row.board_id)
        if board:
            about = (board.firmware, board.slot, board.slot_state)
            row.firmware, row.slot, row.slot_state = about
        row.state, row.why = verdict.state, verdict.why[:200]
        if verdict.again and rows.get(row.rollout_id).state not in rows.GOING_ON:
            row.state = rows.CANCELLED
        elif verdict.again and row.attempt < ATTEMPTS:
            row.state, row.due_at = rows.WAITING, work.now + RETRY_MS * row.attempt
        if row.state not in rows.OPEN:
            row.due_at = None
            self._open.pop(row.board_id, None)
        row.updated_at = work.now
        row.save()
        self.look(row.rollout_id)

    def _drop_waiting(self, work: Work, rollout: Rollout, late: bool = False) -> None:
        """What waits in a rollout is over; `late`: because it ends now."""
        for row in pace.open_rows(rollout.id, RolloutBoard.state == rows.WAITING):
            self._settle(work, row, self._dropped(row, late))

    def _dropped(self, row: RolloutBoard, late: bool) -> Verdict:
        if late and not self.orders.roster.is_online(row.board_id):
            return Verdict(rows.NO_ANSWER, "it was not there until the rollout's deadline")
        why = "its turn did not come before the rollout's deadline" if late else row.why
        return Verdict(rows.UNTOUCHED if row.sent_at is None else rows.CANCELLED, why)

    def _call_off(self, work: Work, row: RolloutBoard, actor: str) -> None:
        command = self._command(work, row)
        if command and command["status"] in OPEN_COMMANDS:
            self.orders.call_off(work, command, actor)

    def _row(self, board_id: str) -> RolloutBoard | None:
        here = (RolloutBoard.board_id == board_id) & (RolloutBoard.state << rows.OPEN)
        return RolloutBoard.get_or_none(here)

    @staticmethod
    def _command(work: Work, row: RolloutBoard) -> Row | None:
        found = work.take(store.by_ids([row.command_id])) if row.command_id else []
        return found[0] if found else None

    def _move_along(self) -> None:
        """Times of what is open, where the clock was set."""
        if self._shift:
            by, self._shift, self._wanted = self._shift, 0, True
            times = {"due_at": RolloutBoard.due_at + by, "sent_at": RolloutBoard.sent_at + by}
            RolloutBoard.update(times).where(RolloutBoard.state << rows.OPEN).execute()
            deadline = Rollout.update(deadline_at=Rollout.deadline_at + by)
            deadline.where(Rollout.ended_at.is_null()).execute()

    def _tell(self, work: Work) -> None:
        for row in Rollout.select().where(Rollout.id << list(self._told)) if self._told else ():
            said: dict[str, Any] = {"id": row.id, "state": row.state, "site": row.site}
            work.out.news.append(("rollout", said))
        self._told.clear()
