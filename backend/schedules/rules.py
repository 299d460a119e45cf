"""Making, changing and ending schedules, and commands to many boards. Tasks of the writer: each
checks first, and then acts. What follows for commands that wait is said in `part`.
"""

import json
from dataclasses import dataclass
from typing import Any

from peewee import fn

from backend.database.models import MANUAL_COMMAND, as_rows
from backend.delivery.work import Work
from backend.errors import Conflict, Invalid
from backend.fleet import sites
from backend.schedules import records
from backend.schedules.actions import PLAIN, action_of, check_action
from backend.schedules.models import CANCELLED, CATCH_UPS, Run, Schedule
from backend.schedules.runs import by_hand
from backend.schedules.timetable import Values, checked

PRIORITY = 500  # between automations and people, where nothing else was said
CATCH_UP_MAX_S = 86_400
_CALL_OFF = {"command_type", "target", "parameters", "expires_in", "selection"}
_DOES = {*PLAIN, "parameters", "label", "boards"}
_TIMES = {"cron", "at", "timezone", "window"}


@dataclass(frozen=True)
class Creation:
    """The wish for a schedule. `values`: as the API takes them."""

    values: Values
    user: str

    def __call__(self, work: Work) -> int:
        """Its id. Raises Invalid, NotFound, Conflict."""
        values = self.values
        columns = _columns(values) | action_of(values, PRIORITY)
        columns |= checked(values, _zone(values.get("site")), work.now)
        check_action(work.parts.orders.roster, columns, later=True)
        made = {"name": values["command_type"], **columns}
        row = {"id": _next_id(), "created_at": work.now, "created_by": self.user, **made}
        schedule_id = int(Schedule.insert(row).execute())
        _tell(work, schedule_id, values.get("site"))
        return schedule_id


@dataclass(frozen=True)
class Change:
    """The wish that a schedule have other values, but for its site."""

    schedule_id: int
    values: Values
    user: str

    def __call__(self, work: Work) -> None:
        """Raises Invalid, NotFound, Conflict."""
        row, values = records.row_of(self.schedule_id), self.values
        columns = _columns(values)
        if _TIMES & values.keys():
            columns |= checked(_merged(row, values), _zone(row["site"]), work.now)
        if _DOES & values.keys():
            asked = {**_as_asked(row, values), **values, "site": row["site"]}
            columns |= action_of(asked, PRIORITY)
            check_action(work.parts.orders.roster, columns, later=True)
        new = {name for name, value in columns.items() if value != row[name]}
        if new & _CALL_OFF or ("enabled" in new and row["enabled"]):
            _call_off(work, self.schedule_id, self.user)
        if new & {*_TIMES, "enabled"}:
            columns["next_at"] = None
        if columns:
            Schedule.update(columns).where(Schedule.id == self.schedule_id).execute()
        _tell(work, self.schedule_id, row["site"])


@dataclass(frozen=True)
class Deletion:
    """The wish that a schedule be no more. What it did stays on record."""

    schedule_id: int
    user: str

    def __call__(self, work: Work) -> None:
        """Raises NotFound."""
        row = records.row_of(self.schedule_id)
        _call_off(work, self.schedule_id, self.user)
        Schedule.delete().where(Schedule.id == self.schedule_id).execute()
        _tell(work, self.schedule_id, row["site"])


@dataclass(frozen=True)
class Enabling:
    """The wish that a schedule be at work, or pause."""

    schedule_id: int
    on: bool
    user: str

    def __call__(self, work: Work) -> None:
        """Doing it twice is doing it once. Raises NotFound."""
        if records.row_of(self.schedule_id)["enabled"] != self.on:
            Change(self.schedule_id, {"enabled": self.on}, self.user)(work)


@dataclass(frozen=True)
class Now:
    """The wish that a schedule do what it does now, by hand; whether it is at work or not."""

    schedule_id: int
    user: str
    via: str
    source: str

    def __call__(self, work: Work) -> int:
        """The id of the run. Raises NotFound, Conflict, Invalid."""
        row = records.row_of(self.schedule_id)
        check_action(work.parts.orders.roster, row)
        about = by_hand(self.user, self.via, self.source)
        run_id = work.parts.runs.begin(work, row, schedule=row["id"], due_at=work.now, **about)
        return run_id or _run_of(Run.schedule == row["id"], Run.due_at == work.now)


@dataclass(frozen=True)
class Bulk:
    """The wish that a command go to many boards; the same `key` is one wish."""

    values: Values
    user: str
    via: str
    source: str
    key: str | None

    def __call__(self, work: Work) -> int:
        """The id of the run. Raises Invalid, NotFound, Conflict."""
        action = action_of(self.values, MANUAL_COMMAND)
        known = self.key and _run_of(Run.user == self.user, Run.key == self.key)
        if known:
            return self._again(known, action)
        check_action(work.parts.orders.roster, action, key=self.key)
        about = by_hand(self.user, self.via, self.source, self.values.get("reason", ""))
        run_id = work.parts.runs.begin(work, action, due_at=work.now, key=self.key, **about)
        assert run_id is not None  # it is of no schedule
        return run_id

    @staticmethod
    def _again(run_id: int, action: Values) -> int:
        [row] = as_rows(Run.select().where(Run.id == run_id))
        if any(row[name] != action[name] for name in action):
            reason = f"was used before for something else, bulk {run_id}; use a new one"
            raise Conflict("key_reused", "Idempotency-Key", reason)
        return run_id


@dataclass(frozen=True)
class Steering:
    """The wish that a run pause, go on, or be cancelled."""

    run_id: int
    what: str  # "pause", "resume" or "cancel"
    user: str

    def __call__(self, work: Work) -> None:
        """Raises NotFound, Conflict."""
        records.run(self.run_id)
        if self.what == "cancel":
            detail = {"reason": f"the rest of run {self.run_id} was called off"}
            work.parts.runs.cancel(work, self.run_id, self.user, detail)
        else:
            work.parts.runs.pause(work, self.run_id, self.what == "pause")


def _next_id() -> int:
    """One that no run refers to either: SQLite would give the last one again."""
    used = Schedule.select(fn.MAX(Schedule.id)).scalar() or 0
    told = Run.select(fn.MAX(Run.schedule)).scalar() or 0
    return int(max(used, told)) + 1


def _columns(values: Values) -> Values:
    """The columns that stand for themselves. Raises Invalid."""
    out: Values = {
        n: values[n] for n in ("name", "enabled", "catch_up", "catch_up_s") if n in values
    }
    if "name" in out and not (out["name"].strip() and out["name"].isprintable()):
        raise Invalid("bad_parameter", "name", "must be printable text")
    if out.get("catch_up", CATCH_UPS[0]) not in CATCH_UPS:
        raise Invalid("bad_parameter", "catch_up", "must be one of " + ", ".join(CATCH_UPS))
    if not 0 <= out.get("catch_up_s", 0) <= CATCH_UP_MAX_S:
        raise Invalid("bad_parameter", "catch_up_s", f"must be from 0 to {CATCH_UP_MAX_S}")
    if not 0 <= values.get("priority", 0) < MANUAL_COMMAND:
        reason = f"must be from 0 to {MANUAL_COMMAND - 1}"
        raise Invalid("bad_parameter", "priority", reason)
    return out


def _as_asked(row: Values, values: Values) -> Values:
    """What a schedule does, as the API takes it; its boards where others are not asked for."""
    chosen = {} if {"label", "boards"} & values.keys() else json.loads(row["selection"])
    parameters = json.loads(row["parameters"])
    return {**{name: row[name] for name in PLAIN}, "parameters": parameters, **chosen}


def _merged(row: Values, values: Values) -> Values:
    when = {name: row[name] for name in _TIMES} | {"window": json.loads(row["window"])}
    if values.get("cron"):
        when["at"] = None
    if values.get("at") is not None:
        when["cron"] = ""
    return {**when, **{name: values[name] for name in _TIMES if name in values}}


def _call_off(work: Work, schedule_id: int, actor: str) -> None:
    detail = {"reason": f"schedule {schedule_id} was paused, changed or deleted"}
    of_it = (Run.schedule == schedule_id) & Run.ended_at.is_null() & (Run.state != CANCELLED)
    for run in list(Run.select(Run.id).where(of_it)):
        work.parts.runs.cancel(work, run.id, actor, detail)


def _run_of(*where: Any) -> int:
    found = Run.select(Run.id).where(*where).tuples().first()
    return int(found[0]) if found else 0


def _zone(site: str | None) -> str:
    return sites.get(site).timezone if site is not None else "UTC"


def _tell(work: Work, schedule_id: int, site: str | None) -> None:
    work.parts.schedules.reckon_anew()
    work.out.news.append(("schedule", {"id": schedule_id, "site": site}))
