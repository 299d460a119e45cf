"""Schedules: what is due begins a run, once.

Rules of this file:
- a due time is an instant of the wall clock. It has its turn in the transaction in which its run
  is written with its first commands, and a schedule has at most one run for it;
- one that is noticed up to GRACE_MS late is on time. What is later was missed: the backend was
  away, or the clock was set forward. It is passed over ("skip"), done once ("once": by the due
  time that is on time, else by the newest that was missed), or done for each ("all": the newest
  CATCH_UP_MAX); never what is older than `catch_up_s`. The record says what was passed over;
- where the clock was set back, what had its turn has it no more, and what had none is yet to come;
- what falls into a pause is not made up for. Whoever pauses or deletes a schedule, or changes what
  it does, calls off what it has not sent; what was sent goes on. A change of the times changes
  only what is to come.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from peewee import fn

from backend.database.models import Site, as_rows
from backend.delivery.part import Orders, Part
from backend.delivery.queueing import SYSTEM
from backend.delivery.work import Work
from backend.schedules.models import CAUGHT_UP, DUE, ONCE, PASSED, SKIP, Run, Schedule
from backend.schedules.runs import Runs
from backend.schedules.timetable import BAD_TIMES, timetable

log = logging.getLogger(__name__)

GRACE_MS = 60_000
CATCH_UP_MAX = 100
AT_ONCE = 50  # schedules in one transaction


class Turn(NamedTuple):
    """A due time and what becomes of it: see models.Run."""

    due_at: int
    how: str
    missed_from: int | None = None


def plan(first: int, due: Iterable[int], now: int, catch_up: str, catch_up_ms: int) -> list[Turn]:
    """What becomes of the due times from `first`, the oldest that had no turn, until `now`.

    `due`: those of them that may have one, in order; see `missed`.
    """
    times = [at for at in due if at <= now]
    on_time = [Turn(at, DUE) for at in times if at >= now - GRACE_MS]
    late = [Turn(at, CAUGHT_UP) for at in times if now - catch_up_ms <= at < now - GRACE_MS]
    if catch_up == SKIP or (catch_up == ONCE and on_time):
        late = []
    turns = late[-1 if catch_up == ONCE else -CATCH_UP_MAX :] + on_time
    if not turns:
        return [Turn(first, PASSED, first)]
    return [turns[0]._replace(missed_from=first), *turns[1:]] if turns[0].due_at > first else turns


class Schedules(Part):
    """Begins the runs of all schedules."""

    def __init__(self, orders: Orders, runs: Runs) -> None:
        super().__init__(orders)
        self._runs = runs
        self._due_at: int | None = None
        self._reckon = True

    def act(self, work: Work) -> None:
        """Begin what is due."""
        if self._reckon:
            self._reckon_anew(work)
        if self._due_at is None or self._due_at > work.now:
            return
        ready = (Schedule.next_at <= work.now) & Schedule.enabled
        due = Schedule.select().where(ready).order_by(Schedule.next_at).limit(AT_ONCE)
        for row in as_rows(due):
            self._turn(work, row)
        self._due_at = Schedule.select(fn.MIN(Schedule.next_at)).where(Schedule.enabled).scalar()

    def next_due(self) -> int | None:
        """When something is due."""
        return self._due_at

    def shift(self, by: int) -> None:
        """The clock was set: what is to come is another, perhaps."""
        self._reckon = True

    def reckon_anew(self) -> None:
        """Schedules, or the zones of sites, were changed."""
        self._reckon = True

    def _turn(self, work: Work, row: dict[str, Any]) -> None:
        first, catch_up_ms = row["next_at"], row["catch_up_s"] * 1000
        since = max(first, work.now - max(catch_up_ms, GRACE_MS))
        times = _until(_times(row, since - 1), work.now)
        for turn in plan(first, times, work.now, row["catch_up"], catch_up_ms):
            self._begin(work, row, turn)
        Schedule.update(next_at=_next(row, work.now)).where(Schedule.id == row["id"]).execute()
        work.out.news.append(("schedule", {"id": row["id"], "site": row["site"]}))

    def _begin(self, work: Work, row: dict[str, Any], turn: Turn) -> None:
        self._runs.begin(work, row, schedule=row["id"], user=SYSTEM, **turn._asdict())

    def _reckon_anew(self, work: Work) -> None:
        """Set what is to come, where that is not due yet."""
        self._reckon, self._due_at = False, 0
        waits = Schedule.next_at.is_null() | (Schedule.next_at > work.now)
        for row in as_rows(Schedule.select().where(Schedule.enabled, waits)):
            next_at = _next(row, work.now)
            if next_at != row["next_at"]:
                Schedule.update(next_at=next_at).where(Schedule.id == row["id"]).execute()
                work.out.news.append(("schedule", {"id": row["id"], "site": row["site"]}))


def _next(row: dict[str, Any], now: int) -> int | None:
    """The first due time after `now` that had no turn, or None."""
    had = Run.select(Run.due_at).where(Run.schedule == row["id"], Run.due_at > now)
    done = {run["due_at"] for run in as_rows(had)}
    return next((at for at in _times(row, now) if at not in done), None)


def _times(row: dict[str, Any], after: int) -> Iterator[int]:
    """The due times of a schedule after `after`; none where its zone is gone."""
    try:
        zone = Site.select(Site.timezone).where(Site.id == row["site"]).scalar() or "UTC"
        yield from timetable(row, zone).after(after)
    except BAD_TIMES as why:  # zones come and go with systems
        log.error("schedule %s has no due times: %s; correct it", row["id"], why)


def _until(times: Iterator[int], end: int) -> Iterator[int]:
    for at in times:
        if at > end:
            return
        yield at
