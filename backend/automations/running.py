"""From what a rule wants to a command, and from what became of that to what the rule wants next.

Rules of this file:
- a rule has one open execution at most. What follows from a new trigger waits for its end, and
  hurries it by calling the command off;
- the action is not begun within `cooldown_s` of the time before; what clears it may be at once;
- what failed is tried again while it is still wanted, later each time, and only once its board is
  there and its target is free; but a dose that may have run is never done twice for one crossing;
- what others have made of the target of a rule that still holds is done anew after its hold.
"""

import json

from backend.automations import executions
from backend.automations.models import (
    CLEAR,
    COMPLETED,
    CROSSED,
    FAILED,
    ON_CLEARED,
    ON_CROSSED,
    ON_SILENT,
    UNHEARD,
    Automation,
    AutomationExecution,
)
from backend.automations.wishes import cause_of, command_for, effects, is_dose, parsed
from backend.database import store
from backend.database.store import Row
from backend.delivery.lifecycle import CANCELLED, EXPIRED, REJECTED
from backend.delivery.part import Orders
from backend.delivery.priorities import ALL_STOPS, OUTRANKED, Outranked, Rival, rule_of
from backend.delivery.work import Work
from backend.errors import Conflict, Refusal

RETRY_MS = 60_000
_DOUBLINGS = 6
_DID_NOT_RUN = (EXPIRED, REJECTED, CANCELLED)
_HOLDS = {ON_CROSSED: CROSSED, ON_CLEARED: CLEAR, ON_SILENT: UNHEARD}


class Running:
    """`open`: the execution of each rule that has one, with what it is for."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.open: dict[int, tuple[int, str]] = executions.open_ones()

    def may_undo(self, rule: Automation) -> bool:
        """Whether there may be something to clear that nobody clears yet."""
        _, trigger = self.open.get(rule.id, (0, ""))
        return bool(rule.clear_action and (trigger == ON_CROSSED or (rule.acted and not trigger)))

    def run(self, work: Work, rule: Automation, value: float | None) -> None:
        """Do what is wanted now, or say when to look again."""
        trigger = rule.wanted
        if rule.id in self.open:
            self._hurry(work, rule, trigger)
        elif trigger != ON_CROSSED and not rule.acted:
            rule.wanted = ""
        elif rule.tries and (later := self._not_yet(work, rule, trigger)):
            rule.wanted_at = later
        else:
            self._begin(work, rule, trigger, value)

    def ended(self, work: Work, rule: Automation, one: AutomationExecution, row: Row) -> None:
        """An execution has come to its end, whatever that is."""
        self.open.pop(rule.id, None)
        ran, status = row["status"] not in _DID_NOT_RUN, executions.status_of(row["status"])
        may_not_again = ran and is_dose(row["command_type"], json.loads(row["parameters"]))
        if one.trigger == ON_CROSSED:
            rule.acted = rule.acted or ran
        elif status == COMPLETED or may_not_again:
            rule.acted = False
        if rule.wanted or not rule.enabled or rule.phase != _HOLDS[one.trigger]:
            return
        if status == FAILED and not may_not_again:
            _later(rule, one.trigger, work.now)
        elif status == COMPLETED and one.trigger == ON_CROSSED and rule.repeat_s:
            again = (rule.started_at or work.now) + rule.repeat_s * 1000
            rule.wanted, rule.wanted_at, rule.tries = ON_CROSSED, max(again, cool_at(rule)), 0

    def disturbed(self, rule: Automation, row: Row, now: int) -> None:
        """A command of anybody has changed something; perhaps what this rule has done, and still
        holds.
        """
        if rule.wanted or rule.id in self.open:
            return
        board_id, target = effects(rule)
        same = row["target"] == target or row["command_type"] in ALL_STOPS and not row["target"]
        if row["board_id"] != board_id or not same or rule_of(row["cause"]) == cause_of(rule):
            return
        action = parsed(rule, ON_CROSSED)
        if not is_dose(action["command_type"], action.get("parameters", {})):
            rule.wanted, rule.tries = ON_CROSSED, 1
            rule.wanted_at = max(now + rule.manual_hold_s * 1000, cool_at(rule))

    def call_off(self, work: Work, rule: Automation, because: str) -> None:
        """What is under way is wanted no more."""
        execution = executions.get(self.open[rule.id][0]) if rule.id in self.open else None
        ids = [execution.command_id] if execution and execution.command_id else []
        for row in work.take(store.by_ids(ids)):
            if not row["cancelling"]:
                self._orders.call_off(work, row, cause_of(rule), {"because": because})

    def _hurry(self, work: Work, rule: Automation, trigger: str) -> None:
        if self.open[rule.id][1] != trigger:
            self.call_off(work, rule, trigger)

    def _not_yet(self, work: Work, rule: Automation, trigger: str) -> int | None:
        """When to look again, where a further try would be in vain."""
        new = command_for(rule, trigger, 0)
        if not self._orders.roster.is_online(new.board_id):
            return work.now + RETRY_MS
        rival = self._orders.rival(work, new, rule.manual_hold_s * 1000)
        return _free_at(rival, work.now) if rival else None

    def _begin(self, work: Work, rule: Automation, trigger: str, value: float | None) -> None:
        board_id = parsed(rule, trigger)["board_id"]
        execution_id = executions.begin(rule, trigger, value, board_id, work.now)
        rule.wanted = ""
        try:
            self._check_sites(rule, board_id)
            new = command_for(rule, trigger, execution_id)
            row = self._orders.post(work, new, rule.manual_hold_s * 1000)
        except Refusal as why:
            self._refused(work, rule, trigger, execution_id, why)
            return
        executions.change(execution_id, work.now, command_id=row["id"])
        self.open[rule.id] = execution_id, trigger
        if trigger == ON_CROSSED:
            rule.started_at = work.now

    @staticmethod
    def _refused(
        work: Work, rule: Automation, trigger: str, execution_id: int, why: Refusal
    ) -> None:
        """There is no command: the execution says why, and who has won."""
        rival = why.rival if isinstance(why, Outranked) else None
        detail = json.dumps(rival.detail if rival else {})
        told = {"error": OUTRANKED if rival else why.code, "message": str(why), "detail": detail}
        executions.change(execution_id, work.now, status=FAILED, **told)
        _later(rule, trigger, work.now)
        if rival:
            rule.wanted_at = _free_at(rival, work.now)

    def _check_sites(self, rule: Automation, board_id: str) -> None:
        """Raises Conflict where the boards are no longer of one site."""
        boards = [self._orders.roster.get(name) for name in (rule.board_id, board_id)]
        if len({board.site for board in boards if board}) > 1:
            raise Conflict("other_site", "action", "is for a board that is at another site now")


def cool_at(rule: Automation) -> int:
    """When the action may be begun again (ms)."""
    return 0 if rule.started_at is None else int(rule.started_at + rule.cooldown_s * 1000)


def _later(rule: Automation, trigger: str, now: int) -> None:
    rule.tries += 1
    rule.wanted = trigger
    wait = RETRY_MS * 2 ** min(rule.tries - 1, _DOUBLINGS)
    rule.wanted_at = max(now + wait, cool_at(rule) if trigger == ON_CROSSED else 0)


def _free_at(rival: Rival, now: int) -> int:
    return rival.until or now + RETRY_MS
