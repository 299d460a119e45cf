"""Schedules on a real core and database, in a time of the test's own."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from backend.database.models import Command, as_rows
from backend.delivery import commands
from backend.schedules import records
from backend.schedules.models import Run, RunBoard
from backend.schedules.rules import Bulk, Creation
from tests.backend.conftest import START, Desk
from tests.backend.conftest import desk as desk
from tests.backend.fleet import done

MINUTE = 60_000
FEED = {"command_type": "feed", "target": "feeder1", "parameters": {"amount": 5}}
LIGHT = {"command_type": "switch", "target": "light1", "parameters": {"state": "on"}}


def schedule(desk: Desk, cron: str = "*/5 * * * *", **more: Any) -> int:
    """A schedule of feeds for `pond`; START is a Friday, 2027-01-15 08:00 UTC."""
    where = {} if more.keys() & {"site", "label", "boards"} else {"boards": ["pond"]}
    when = {} if "at" in more else {"cron": cron}
    made = done(desk, Creation({**FEED, **where, **when, **more}, "ann"))
    assert isinstance(made, int), made
    return made


def bulk(desk: Desk, key: str | None = None, **more: Any) -> Any:
    """A command to many boards, its run's number, or the Refusal."""
    return done(desk, Bulk({**FEED, **more}, "ann", "session", "127.0.0.1", key))


def turn(desk: Desk) -> None:
    """One transaction, at the time that the core itself asks for."""
    due = desk.core.next_due()
    assert due is not None
    desk.now = max(desk.now, due)
    desk.tick()


def until(desk: Desk, end: int) -> None:
    """Let time pass as the writer would, until `end` (ms)."""
    desk.tick()
    while (due := desk.core.next_due()) is not None and due <= end:
        turn(desk)
    desk.now = end
    desk.tick()


def runs(schedule_id: int) -> list[dict[str, Any]]:
    """What a schedule did, oldest first."""
    return records.runs(200, schedule_id=schedule_id)[::-1]


def dues(schedule_id: int) -> list[int]:
    """The due times at which it did something."""
    return [run["due_at"] for run in runs(schedule_id) if run["how"] != "passed_over"]


def minutes(times: Iterable[int]) -> list[float]:
    """Times as minutes since START."""
    return [(at - START) / MINUTE for at in times]


def made() -> list[dict[str, Any]]:
    """All feeds, oldest first."""
    rows = Command.select().where(Command.command_type == "feed").order_by(Command.seq)
    return [commands.public(row) for row in as_rows(rows)]


def one_command_each() -> None:
    """What must hold always: each board of a run has one command and no more, no run is twice."""
    posted = as_rows(RunBoard.select().where(RunBoard.state == "POSTED"))
    ours = as_rows(Command.select().where(Command.cause != ""))
    causes = [row["cause"] + row["board_id"] for row in ours]
    assert len(causes) == len(set(causes))
    assert sorted(row["id"] for row in ours) == sorted(row["command_id"] for row in posted)
    keys = [(run.schedule, run.due_at) for run in Run.select().where(Run.schedule.is_null(False))]
    assert len(keys) == len(set(keys))


def ms(zone: str, *when: int) -> int:
    """A local time as ms since 1970; the first of two."""
    year, month, day, hour, minute = (*when, 0, 0)[:5]
    return int(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
