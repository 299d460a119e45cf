"""One run in the core: its place in the file, its rows, and what it has asked of boards."""

import json
from typing import Any

from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.fleet.presence import Roster
from backend.scenes import rows
from backend.scenes.asked import Asked, Step
from backend.scenes.cast import Cast, Order, obeyed
from backend.scenes.plan import Plan, plan_of
from backend.scenes.rows import SceneRun
from backend.scenes.run import Played, Run
from backend.scenes.schema import CHANNELS, CONTINUE, SAFE
from backend.scenes.settling import SAFE_STATE, safe_orders
from backend.scenes.steps import Steps

KEEP_ALIVE = "keep alive"
NOBODY = Order("", "", "", {})
NO_PLAYER = "no player is set: see SCENE_PLAYER"


class Playing:
    """A run of the scene in this row. `used`: all (board, target) its actions are for; `lead`: by
    how many ms what is to come is written down before its time.
    """

    def __init__(self, roster: Roster, row: Any, now: int, nulls: bool, lead: int = 0) -> None:
        self._lead = lead
        self._next: int | None = None  # when the next thing is to be prepared
        self._prepared: dict[tuple[str, int], Asked] = {}  # by place and time
        self._roster, self._nulls = roster, nulls
        self.scene_id, self.site, self._definition = str(row.id), row.site, row.definition
        self.plan: Plan = plan_of(json.loads(row.definition))
        self._cast = Cast(roster, self.site, self.plan)
        # Once, for a board may be changed meanwhile: by place, the orders, or why there are none.
        playing = (one for one in self.plan.actions() if one.kind not in CHANNELS)
        self._obeyed = {one.place: obeyed(self._cast, one) for one in playing}
        self.used = {order.place for found, _ in self._obeyed.values() for order in found}
        self.run = Run(self.plan, now, nulls)
        self.run_id = self._number = 0
        self._shown: tuple[str, int, bool] = ("", 0, False)
        self._simulated = False
        self._touched: dict[tuple[str, str], None] = {}
        self._wanted: dict[tuple[str, str], Order] = {}  # what is on, as the run wants it

    @property
    def cause(self) -> str:
        """As its commands have it."""
        return f"scene/{self.scene_id}/{self.run_id}"

    def write(self, user: str, now: int) -> None:
        """Make the run's row."""
        self._shown = (self.run.state.name, self.run.entered, False)
        row = {"scene_id": self.scene_id, "site": self.site, "definition": self._definition}
        row |= {"state": self._shown[0], "entered_at": self._shown[1]}
        row |= {"user": user, "started_at": now}
        self.run_id = int(SceneRun.insert(row).execute())

    def asked(
        self, place: str, text: str, planned: int, policy: str, state: str = "", **more: Any
    ) -> Asked:
        """A step in the making, with the next number."""
        self._number += 1
        state = state or self.run.state.name
        about = (self.run_id, self.scene_id, self._number, state)
        return Asked(*about, place, text, planned, policy, **more)

    def turn(self, work: Work, steps: Steps) -> None:
        """Play all that is due, and keep alive what would go off by itself."""
        self.run.turn(work.now)
        done = [one for one in self.run.take() if self._prepared.pop(_key(one), None) is None]
        coming = self._coming(work, steps)
        for played in done:
            self._play(work, steps, played)
        for played in coming:
            self._prepare(work, steps, played)
        for board_id, at in self._leases(steps):
            if at <= work.now:
                self._keep_alive(work, steps, board_id)
        self._show(steps)

    def again(self, work: Work, steps: Steps, step: Step) -> None:
        """Try a step that failed once more, now."""
        one, tries = step.asked, step.asked.tries + 1
        text = f"{one.text} (again)" if tries == 1 else one.text
        asked = self.asked(one.place, text, work.now, one.policy, tries=tries)
        self._send(work, steps, asked, step.order)

    def ends_safe(self, status: str) -> bool:
        """Whether an end by itself switches off what was used."""
        said = self.plan.at_end if status == rows.COMPLETED else self.plan.on_interrupt
        return said == SAFE

    def make_safe(self, work: Work, steps: Steps) -> None:
        """Switch off what was used, or do what the scene says in its place."""
        for order in safe_orders(self._cast, self.plan, [*self._touched]):
            text = f"{order.board_id} {order.target} off"
            asked = self.asked(SAFE_STATE, text, work.now, CONTINUE, must=True)
            steps.send(work, asked, order)

    def next_due(self, steps: Steps) -> int | None:
        """When there is something to do for it, or None."""
        times = [self.run.next_due(), self._next, *(at for _, at in self._leases(steps))]
        return min((time for time in times if time is not None), default=None)

    def take_back(self, work: Work, steps: Steps) -> None:
        """Nothing of what was prepared is to happen any more."""
        for asked in self._prepared.values():
            steps.withdraw(work, asked)
        self._prepared.clear()

    def _coming(self, work: Work, steps: Steps) -> list[Played]:
        """What is to come if nothing comes between; what is no more to come is taken back."""
        if not self._lead:
            return []
        ahead = self.run.copy()
        ahead.turn(work.now + self._lead)
        due = ahead.next_due()
        self._next = None if due is None else due - self._lead
        coming = {_key(one): one for one in ahead.take()}
        for key in [key for key in self._prepared if key not in coming]:
            steps.withdraw(work, self._prepared.pop(key))
        return [one for key, one in coming.items() if key not in self._prepared]

    def _prepare(self, work: Work, steps: Steps, played: Played) -> None:
        one = played.action
        orders = self._obeyed.get(one.place, ((), ""))[0]
        if len(orders) == 1 and steps.may_prepare(work, orders[0]):
            asked = self.asked(one.place, one.text, played.at, one.on_failure, played.state)
            self._prepared[_key(played)] = asked
            self._send(work, steps, asked, orders[0], played.at)

    def pause(self, now: int) -> None:
        """Stand still; outputs stay as they are, and are kept alive."""
        self.run.pause(now)
        SceneRun.update(status=rows.PAUSED).where(SceneRun.id == self.run_id).execute()

    def resume(self, now: int) -> None:
        """Go on where it stood still; all that is to come is later by as much."""
        self.run.resume(now)
        SceneRun.update(status=rows.RUNNING).where(SceneRun.id == self.run_id).execute()

    def _play(self, work: Work, steps: Steps, played: Played) -> None:
        one = played.action
        about = (one.place, one.text, played.at, one.on_failure, played.state)
        if one.kind in CHANNELS:
            status = rows.SIMULATED if self._nulls else rows.PLAYED
            why = NO_PLAYER if self._nulls else ""
            steps.record(self.asked(*about), status, why, sent_at=work.now)
            work.out.local.append((self.run_id, one.kind, one.message))
            return
        orders, why = self._obeyed[one.place]
        if why:
            steps.give_up(self.asked(*about), NOBODY, why)
        for order in orders:
            self._send(work, steps, self.asked(*about), order)

    def _send(
        self,
        work: Work,
        steps: Steps,
        asked: Asked,
        order: Order,
        not_before: int | None = None,
    ) -> None:
        board = self._roster.get(order.board_id)
        if board is not None and board.site != self.site:
            self._wanted.pop(order.place, None)
            about = {"board_id": order.board_id, "target": order.target}
            steps.give_up(asked, order, "the board has left the scene's site", **about)
            return
        status = steps.send(work, asked, order, not_before)
        if status == rows.SIMULATED:
            self._simulated = True
        if status != rows.WAITING:
            return
        if order.target:
            self._touched[order.place] = None
        if not order.stops:
            self._wanted[order.place] = order
        for place in [place for place in self._wanted if order.stops]:
            if place == order.place or (not order.target and place[0] == order.board_id):
                del self._wanted[place]

    def _leases(self, steps: Steps) -> list[tuple[str, int]]:
        """[(board, when to speak to it again)] of those that would switch off by themselves."""
        out = []
        for board_id in {place[0] for place in self._wanted}:
            board = self._roster.get(board_id)
            lease = DIALECTS[board.dialect].lease_ms if board else None
            last = steps.last.get((self.run_id, board_id))
            if lease is not None and last is not None:
                out.append((board_id, last + lease * 2 // 3))
        return out

    def _keep_alive(self, work: Work, steps: Steps, board_id: str) -> None:
        steps.last[self.run_id, board_id] = work.now  # even where it can't be reached
        for place, order in list(self._wanted.items()):
            if place[0] == board_id:
                text = f"{board_id} {order.target} again"
                self._send(work, steps, self.asked(KEEP_ALIVE, text, work.now, CONTINUE), order)

    def _show(self, steps: Steps) -> None:
        shown = (self.run.state.name, self.run.entered, self._simulated)
        if shown != self._shown:
            self._shown = shown
            steps.changed.add(self.run_id)
            row = dict(zip(("state", "entered_at", "simulated"), shown, strict=True))
            SceneRun.update(row).where(SceneRun.id == self.run_id).execute()


def _key(played: Played) -> tuple[str, int]:
    return played.action.place, played.at
