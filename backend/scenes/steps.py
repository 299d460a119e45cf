"""A run's steps: each becomes a command, and its answer is waited for, FEEDBACK_MS.

Rules of this file:
- nothing is sent to a board that is not there, or by a link that is down: neither waits for better
  times, but for what switches off at the end;
- what could not be sent within FEEDBACK_MS, because of a command before it, is called off;
- where boards answer by topic, a second command for a target replaces the wait for the first,
  whose step says so;
- a step that failed is put into `failed`, once, for its policy.
"""

import json
from typing import Any

from backend.brokers.outbox import Outbox
from backend.database import store
from backend.database.store import Row
from backend.delivery.lifecycle import ENDED, PENDING, SENT, UNKNOWN
from backend.delivery.part import Orders
from backend.delivery.priorities import Outranked
from backend.delivery.queueing import SYSTEM
from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.errors import Refusal
from backend.scenes import rows
from backend.scenes.asked import Asked, Step, hindered
from backend.scenes.cast import GUESSED_LIFE_S, LIFE_S, Order
from backend.scenes.schema import CONTINUE

FEEDBACK_MS = 1_000
_GOOD = ("accepted", "progress", "completed")
_BAD = ("failed", "rejected")
_OPEN = (rows.WAITING, rows.SENT)


class Steps:
    """The open steps of all runs. `changed`: the runs with news; `last`: when a run last sent
    something to a board, by (run, board).
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._open: dict[str, Step] = {}  # by command
        self.failed: list[Step] = []
        self.changed: set[int] = set()
        self.outbox: Outbox | None = None
        self.last: dict[tuple[int, str], int] = {}

    def record(self, asked: Asked, status: str, detail: str = "", **more: Any) -> int:
        """Write a step down; its id."""
        self.changed.add(asked.run_id)
        names = ("run_id", "number", "state", "place", "text")
        row = {name: getattr(asked, name) for name in names}
        row |= {"planned_at": asked.planned, "status": status, "detail": detail, **more}
        return int(rows.SceneStep.insert(row).execute())

    def give_up(
        self, asked: Asked, order: Order, why: str, status: str = rows.NOT_SENT, **more: Any
    ) -> None:
        """Write down a step that can't be done; its policy is asked."""
        step_id = self.record(asked, status, why[:200], **more)
        self.failed.append(Step(step_id, asked, order, status, None))

    def may_prepare(self, work: Work, order: Order) -> bool:
        """Whether a command can be written down before its time: its board is there, and nothing
        else is under way for its target.
        """
        if not order.target or hindered(self._orders.roster, order.board_id)[0]:
            return False
        work.flush()
        under_way = work.take(store.unfinished_of_board(order.board_id))
        return not any(row["target"] in ("", order.target) for row in under_way)

    def early(self, command_id: str, now: int) -> bool:
        """Whether a command waits in the outbox for its time: what is answered is not this."""
        step = self._open.get(command_id)
        return step is not None and step.asked.planned > now

    def withdraw(self, work: Work, asked: Asked) -> None:
        """A step that was prepared is not to be: as if it had never been, where it can be."""
        outbox, later = self.outbox, work.out.later
        for name, step in list(self._open.items()):
            if step.asked is asked and outbox and (name in later or outbox.withdraw(name)):
                del self._open[name]
                for row in work.take(store.by_ids([name])):
                    about = {"reason": "taken back before its time"}
                    if work.step(row, "cancelled", "cancelled", about, SYSTEM):
                        row["error"] = "cancelled"
                rows.SceneStep.delete().where(rows.SceneStep.id == step.id).execute()

    def send(self, work: Work, asked: Asked, order: Order, not_before: int | None = None) -> str:
        """Command a board, at once or at a time; the status of the step that was made."""
        about = {"board_id": order.board_id, "target": order.target}
        status, why = hindered(self._orders.roster, order.board_id)
        if status and not asked.must:
            step_id = self.record(asked, status, why, **about)
            if status == rows.NOT_SENT:
                self.failed.append(Step(step_id, asked, order, status, None))
            return status
        self._supersede(work, order)
        try:
            new = order.command(self._life(asked, order), asked.key, asked.cause)
            row = self._orders.post(work, new, not_before=not_before)
        except Refusal as refusal:
            status = rows.NOT_SENT if isinstance(refusal, Outranked) else rows.FAILED
            self.give_up(asked, order, f"refused: {refusal}", status, **about)
            return status
        self.last[asked.run_id, order.board_id] = work.now
        step_id = self.record(asked, rows.WAITING, command_id=row["id"], **about)
        deadline = (not_before or work.now) + FEEDBACK_MS
        self._open[row["id"]] = Step(step_id, asked, order, rows.WAITING, deadline)
        return rows.WAITING

    def follow(self, work: Work, changes: list[tuple[Row, Row]]) -> None:
        """Note what has become of the steps' commands."""
        for entry, row in changes:
            step = self._open.get(row["id"])
            if step is None:
                continue
            at = work.out.later.get(row["id"], work.now)
            self._take(at, step, entry["event"], entry["error"])
            if row["status"] in ENDED or (row["status"] == UNKNOWN and step.deadline is None):
                del self._open[row["id"]]

    def look(self, work: Work) -> None:
        """Note what has gone out, and which answers are overdue."""
        for out in self.outbox.done() if self.outbox else ():
            gone = self._open.get(out.command_id)
            if gone is not None:
                lost = {} if out.ok else {"detail": "the broker went away", "sent_at": None}
                status = gone.status if out.ok else rows.SIMULATED
                self._change(gone, status, **{"sent_at": out.at, **lost})
        late = [
            (name, step)
            for name, step in self._open.items()
            if step.deadline is not None and step.deadline <= work.now
        ]
        for name, step in late:
            step.deadline = None
            if step.status == rows.SENT:
                self._settle(step, rows.SILENT, f"no answer within {FEEDBACK_MS / 1000:g} s")
            elif step.waits and self._call_off(work, name):
                self._settle(step, rows.NOT_SENT, "a command before it was still under way")
                del self._open[name]

    def adopt(self, work: Work, step: rows.SceneStep) -> None:
        """Follow a step of an earlier process whose command may still be sent."""
        for row in work.take(store.by_ids([str(step.command_id)])):
            if row["status"] == PENDING:
                told = (row["command_type"], json.loads(row["parameters"]))
                order = Order(step.board_id, step.target, *told)
                about = (step.run_id, "", step.number, step.state, step.place, step.text)
                asked = Asked(*about, step.planned_at, CONTINUE, must=True)
                self._open[row["id"]] = Step(step.id, asked, order, rows.WAITING, None)

    def finish(self, work: Work, run_id: int) -> None:
        """A run is over: what waits is not sent any more, and only answers that may still be in
        time are waited for.
        """
        for name, step in list(self._open.items()):
            if step.asked.run_id != run_id or step.asked.must:
                continue
            if step.waits and self._call_off(work, name):
                self._change(step, rows.NOT_SENT, detail="the run ended before it could be sent")
            if step.deadline is None or step.status == rows.NOT_SENT:
                del self._open[name]
        for key in [key for key in self.last if key[0] == run_id]:
            del self.last[key]

    def next_due(self) -> int | None:
        """When the next answer is overdue, or None."""
        if self.failed:
            return 0
        times = (step.deadline for step in self._open.values())
        return min((time for time in times if time is not None), default=None)

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        for step in self._open.values():
            step.deadline = None if step.deadline is None else step.deadline + by
        self.last = {key: at + by for key, at in self.last.items()}

    def _life(self, asked: Asked, order: Order) -> int | None:
        """How long the command may wait to be sent, s; None: as long as anybody's."""
        if asked.must:
            return None
        board = self._orders.roster.get(order.board_id)
        return LIFE_S if board and DIALECTS[board.dialect].exact else GUESSED_LIFE_S

    def _expects(self, step: Step) -> bool:
        board = self._orders.roster.get(step.order.board_id)
        return board is None or step.order.command_type not in DIALECTS[board.dialect].mute

    def _supersede(self, work: Work, order: Order) -> None:
        """Let a target whose board answers by topic be free for this order."""
        board = self._orders.roster.get(order.board_id)
        if board is None or DIALECTS[board.dialect].exact:
            return
        mine = [name for name, step in self._open.items() if step.order.place == order.place]
        if mine:
            self._orders.send_ready(work)
        for row in work.take(store.by_ids(mine)) if mine else ():
            if row["status"] in (PENDING, SENT):
                self._orders.call_off(work, row, SYSTEM)

    def _call_off(self, work: Work, command_id: str) -> bool:
        """Whether it waits, and is not sent any more; it may have gone out just now."""
        found = work.take(store.by_ids([command_id]))
        for row in (waits := [row for row in found if row["status"] == PENDING]):
            self._orders.call_off(work, row, SYSTEM)
        return bool(waits)

    def _take(self, now: int, step: Step, event: str, error: str | None) -> None:
        if event == "send" and not step.sent:
            step.sent, status = True, rows.SENT if self._expects(step) else rows.PLAYED
            step.deadline = now + FEEDBACK_MS
            self._change(step, status, sent_at=now)
        elif event in _GOOD and (step.status in (*_OPEN, rows.SILENT) or step.missed):
            late = step.status == rows.SILENT
            self._change(step, rows.LATE if late else rows.OK, feedback_at=now)
        elif event in _BAD:
            self._settle(step, rows.FAILED, error or "", feedback_at=now)
        elif error == "superseded" and step.status in _OPEN and step.asked.planned > now:
            self._settle(step, rows.NOT_SENT, "another command came before its time")
        elif error == "superseded" and step.status in _OPEN:
            why = "another command followed for this target: no answer tells anything of this one"
            self._change(step, rows.SUPERSEDED, detail=why)
        elif event in ("cancel", "expire") and not step.sent:
            self._settle(step, rows.NOT_SENT, error or event)
        elif event == "cancel" and step.status in _OPEN and step.asked.planned > now:
            why = "it was called off before its time"
            self._change(step, rows.NOT_SENT, detail=why, sent_at=None)
        elif event == "cancelled" and step.status in _OPEN:
            self._change(step, rows.FAILED, detail=event, feedback_at=now)
        else:
            return
        if step.status not in _OPEN:
            step.deadline = None

    def _settle(self, step: Step, status: str, detail: str, **more: Any) -> None:
        """It failed; its policy is asked the first time that is known."""
        if step.status in (*_OPEN, rows.OK):
            self.failed.append(step)
        self._change(step, status, detail=detail, **more)

    def _change(self, step: Step, status: str, **more: Any) -> None:
        step.status = status
        self.changed.add(step.asked.run_id)
        rows.SceneStep.update(status=status, **more).where(rows.SceneStep.id == step.id).execute()
