"""The automations at work: what sensors say becomes commands (running), and what became of those
is kept (executions).

Rules of this file:
- all that counts is in the rows; only when a sensor was last heard, and its value, is in memory:
  after a restart its silence is counted from then;
- a reading is late, and changes nothing, where there was a newer one, it is older than LATE_MS, or
  nobody can tell how old it is;
- what is not of a later second than the last change changes nothing: after a restart a broker may
  say again what had led to it;
- while a sensor is silent, its rule holds no target and begins nothing but what clears it.
"""

from collections import defaultdict
from typing import Any

from backend.automations import executions, judging, notices, pushing
from backend.automations.models import (
    CLEAR,
    COMPLETED,
    CROSSED,
    FAILED,
    ON_CLEARED,
    ON_CROSSED,
    ON_SILENT,
    RUN_CLEAR,
    UNHEARD,
    Automation,
    keep_state,
    state_of,
)
from backend.automations.running import Running, cool_at
from backend.automations.wishes import cause_of, effects
from backend.database.store import Row
from backend.delivery.part import Orders, Part
from backend.delivery.priorities import Claim
from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.fleet.presence import Presence
from backend.fleet.sensors import Taken

LATE_MS = 120_000
_TIMES = ("since", "silent_at", "wanted_at", "started_at")


class Automations(Part):
    """All rules. `rules`: by id, as their rows are."""

    def __init__(self, orders: Orders) -> None:
        super().__init__(orders)
        orders.claims.append(self.claims)
        self._heard: dict[int, tuple[int, float]] = {}  # rule: when its sensor was, and its value
        self._watched: dict[int, int] = {}  # rule: since when somebody listens
        self._pushing = pushing.Pushing()
        self.load()

    def load(self) -> None:
        """Know the rules as the table has them."""
        self.rules = {rule.id: rule for rule in Automation.select()}
        self.running = Running(self.orders)
        self._due: int | None = 0 if self.rules else None
        self._all_new = True  # boards may have to be told

    def claims(self, board_id: str, target: str) -> list[Claim]:
        """Who holds a target: a rule whose limit is crossed, as far as anybody knows, and whose
        action is for it.
        """
        return [
            Claim(cause_of(rule), rule.priority, rule.since)
            for rule in self._enabled()
            if rule.phase == CROSSED and rule.action and not rule.silent_at
            if effects(rule) == (board_id, target)
        ]

    def hear(self, work: Work) -> None:
        """Judge what was read, in the order in which it was."""
        if not self.rules or not (work.readings or work.out.boards or work.reflexes):
            return
        said = defaultdict(list)
        for one in work.readings:
            if one.newest and one.at >= work.now - LATE_MS and not _of_unknown_age(one):
                said[one.board.board_id, one.sensor].append(one)
        for board_id, ack in work.reflexes:
            pushing.reflex(work, self.rules, board_id, ack, self._heard)
        for rule in self._enabled():
            before = state_of(rule)
            for one in said.get((rule.board_id, rule.sensor), ()):
                self._take(work, rule, one)
            if rule.board_id in work.out.boards:
                self._look(work, rule, work.out.boards[rule.board_id])
            self._keep(work, rule, before)

    def act(self, work: Work) -> None:
        """Begin what is due, and note who is silent; tell boards what they are to watch."""
        boards = self.orders.roster.all() if self._all_new else list(work.out.boards.values())
        self._pushing.settle(work, boards, self._enabled())
        self._all_new = False
        if self._due is None or work.now < self._due:
            return
        for rule in self._enabled():
            before = state_of(rule)
            self._watched.setdefault(rule.id, work.now)
            if rule.silent_s and not rule.silent_at and work.now >= self._silent_at(rule):
                self._silent(work, rule)
            if _may_run(rule) and rule.wanted_at <= work.now:
                self.running.run(work, rule, self._heard.get(rule.id, (0, None))[1])
            self._keep(work, rule, before)
        self._due = self._next()

    def follow(self, work: Work, changes: list[tuple[Row, Row]]) -> None:
        """Executions are what their commands are."""
        held = [one for one in self._enabled() if one.phase == CROSSED and one.acted]
        for entry, row in changes:
            if ids := executions.ids_of(row["cause"]):
                self._follow(work, ids[1], entry, row)
            if entry["to_status"] == COMPLETED:
                pushing.taken(work, self._enabled(), row)
                for rule in held:
                    before = state_of(rule)
                    self.running.disturbed(rule, row, work.now)
                    self._keep(work, rule, before)

    def next_due(self) -> int | None:
        """The first time at which a rule has something to do."""
        return self._due

    def shift(self, by: int) -> None:
        """What is waited for by spans moves along."""
        self._heard = {rule_id: (at + by, value) for rule_id, (at, value) in self._heard.items()}
        self._watched = {rule_id: at + by for rule_id, at in self._watched.items()}
        for rule in self.rules.values():
            for name in _TIMES:
                if getattr(rule, name):
                    setattr(rule, name, getattr(rule, name) + by)
            keep_state(rule)
        self._due = 0

    def limits(self, board_id: str) -> list[tuple[str, str, float]]:
        """See Part."""
        mine = [rule for rule in self._enabled() if rule.board_id == board_id]
        return [(rule.sensor, rule.name, rule.at) for rule in mine if not rule.limit_name]

    def release(self, work: Work, rule: Automation, because: str) -> None:
        """A rule is no more, or another: what it has under way is called off, and what was heard
        is forgotten.
        """
        self.running.call_off(work, rule, because)
        board = self.orders.roster.get(rule.board_id)
        if board is not None and rule.enabled:
            self._pushing.take_away(work, board, rule)
        notices.end(work, rule)
        notices.end_silence(work, rule)
        self._heard.pop(rule.id, None)
        self._watched.pop(rule.id, None)

    def _enabled(self) -> list[Automation]:
        return [rule for rule in list(self.rules.values()) if rule.enabled]

    def _take(self, work: Work, rule: Automation, one: Taken) -> None:
        at, known = min(one.at, work.now), self._heard.get(rule.id)
        self._heard[rule.id] = at, one.value
        if rule.silent_at:
            rule.silent_at = None
            notices.end_silence(work, rule)
        if pushing.limit_of(rule):
            self._look(work, rule, one.board, at)
        elif at > rule.since:
            gap = at - (known[0] if known else rule.since)
            self._want(work, rule, judging.judge(rule, one.value, at, gap))

    def _look(self, work: Work, rule: Automation, board: Presence, at: int | None = None) -> None:
        """At a limit that the board itself watches; `at`: when its sensor was read just now."""
        name = pushing.limit_of(rule)
        limit = board.limits.get(f"{rule.sensor}.{name}") if name else None
        if limit is None:
            return
        told = min(limit.timestamp * 1000 or work.now, work.now)
        at = at or told
        if at >= work.now - LATE_MS and told > rule.since:
            self._want(work, rule, judging.told(rule, limit.state == CROSSED, at))

    def _want(self, work: Work, rule: Automation, trigger: str) -> None:
        if trigger == ON_CROSSED:
            notices.begin(work, rule, self._heard.get(rule.id))
            here = rule.action and not pushing.acts(rule)
            rule.wanted, rule.tries = (ON_CROSSED if here else ""), 0
            rule.wanted_at = max(work.now, cool_at(rule))
        elif rule.phase == CLEAR:
            if trigger == ON_CLEARED:
                notices.end(work, rule)
            if rule.wanted not in (ON_CLEARED, ON_SILENT) and self.running.may_undo(rule):
                rule.wanted, rule.wanted_at, rule.tries = ON_CLEARED, work.now, 0
            elif rule.wanted == ON_CROSSED:
                rule.wanted = ""

    def _silent(self, work: Work, rule: Automation) -> None:
        """The sensor says nothing for too long: what it said last is no longer believed."""
        rule.silent_at = work.now
        notices.begin_silence(work, rule)
        if rule.on_silence == RUN_CLEAR and rule.clear_action:
            undo = self.running.may_undo(rule)
            rule.wanted, rule.wanted_at, rule.tries = (ON_SILENT if undo else ""), work.now, 0
            rule.phase, rule.since = UNHEARD, work.now

    def _silent_at(self, rule: Automation) -> int:
        """When the silence of its sensor will be too long."""
        last = self._heard.get(rule.id)
        return int((last[0] if last else self._watched[rule.id]) + rule.silent_s * 1000)

    def _follow(self, work: Work, execution_id: int, entry: Row, row: Row) -> None:
        execution = executions.get(execution_id)
        if execution is None:
            return
        ended = executions.follow(entry, row, execution, work.now) in (COMPLETED, FAILED)
        rule = self.rules.get(execution.automation_id)
        if rule is None:
            self.running.open.pop(execution.automation_id, None)
            return
        before = state_of(rule)
        if ended:
            self.running.ended(work, rule, execution, row)
            self._due = 0
        self._keep(work, rule, before)
        notices.tell(work, rule)

    def _keep(self, work: Work, rule: Automation, before: tuple[Any, ...]) -> None:
        if state_of(rule) != before:
            keep_state(rule)
            self._due = 0
            notices.tell(work, rule)

    def _next(self) -> int | None:
        rules = self._enabled()
        waiting = [one for one in rules if _may_run(one) and one.id not in self.running.open]
        times = [one.wanted_at for one in waiting]
        times += [self._silent_at(one) for one in rules if one.silent_s and not one.silent_at]
        return min(times, default=None)


def _may_run(rule: Automation) -> bool:
    """Something is wanted, and not by what a sensor said that is silent now."""
    return bool(rule.wanted and not (rule.silent_at and rule.wanted == ON_CROSSED))


def _of_unknown_age(one: Taken) -> bool:
    """A board that does not know the time yet may have kept it for long."""
    return one.guessed and DIALECTS[one.board.dialect].exact
