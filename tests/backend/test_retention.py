"""The sweep: what is old goes in small steps, what is needed stays, and nobody waits for it."""

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from backend.brokers.parsing import ParsingLog
from backend.database.models import Command, History, LogPart
from backend.database.retention import BUSY_MS, CHUNK, FIRST_MS, PAUSE_MS, REST_MS
from backend.delivery.core import Core
from backend.delivery.lifecycle import STATUSES
from backend.delivery.messages import MessageLog
from backend.delivery.upkeep import Options
from backend.fleet import stats
from backend.fleet.alerts import Alert
from backend.fleet.downtime import Downtime
from backend.people.audit import AuditEntry
from tests.backend.conftest import START, Desk

DAY = 86_400
OLD = START - 40 * DAY * 1000


def fill(desk: Desk, count: int, at: int = OLD, status: str = "COMPLETED", first: int = 1) -> None:
    """Commands of that age, each with four steps, two messages and a part of a log."""
    ids = [f"c-{number}" for number in range(first, first + count)]
    common = {"board_id": "pond", "command_type": "feed", "target": "feeder1", "user": "ann",
              "parameters": "{}", "status": status, "created_at": at, "updated_at": at,
              "expires_at": at}  # fmt: skip
    step = {"at": at, "event": "send", "from_status": "SENT", "to_status": "SENT"}
    said = {"at": at, "board_id": "pond", "direction": "in", "kind": "ack", "size": 1}
    with desk.database.atomic():
        for one in ids:
            command = Command.create(id=one, **common)
            History.insert_many([{"command": command.seq, **step}] * 4).execute()
            MessageLog.insert_many([{"command_id": one, "sample": "", **said}] * 2).execute()
            LogPart.insert(command_id=one, part=0, text="").execute()


def left() -> tuple[int, ...]:
    return tuple(table.select().count() for table in (Command, History, MessageLog, LogPart))


def sweep(desk: Desk, turns: int = 200) -> None:
    """Let the time pass in which nothing else happens, as the writer does."""
    desk.tick()
    desk.now += FIRST_MS
    for _ in range(turns):
        desk.tick()
        desk.now += PAUSE_MS


def test_what_is_old_goes_and_what_is_young_stays(desk: Desk) -> None:
    fill(desk, 250)
    fill(desk, 30, START - 29 * DAY * 1000, first=1000)
    sweep(desk)
    assert left() == (30, 120, 60, 30)
    assert {row.id for row in Command.select()} == {f"c-{n}" for n in range(1000, 1030)}


def test_a_step_takes_a_chunk_and_pauses_and_a_pass_rests(desk: Desk) -> None:
    fill(desk, 250)
    fill(desk, 1, START, first=1000)
    desk.tick()
    desk.at(FIRST_MS / 1000 - 1).tick()
    assert left()[0] == 251
    taken = []
    while (desk.core.next_due() or 0) < desk.now + REST_MS:
        before = sum(left()[::2])
        desk.now = desk.core.next_due() or 0
        desk.tick()
        taken.append(before - sum(left()[::2]))
    assert max(taken) == CHUNK and sum(taken) == 250 * 3


@pytest.mark.parametrize("status", STATUSES)
def test_open_commands_stay_however_old(desk: Desk, status: str) -> None:
    fill(desk, 3, status=status)
    fill(desk, 1, START, first=1000)
    sweep(desk)
    kept = {row.id for row in Command.select()} - {"c-1000"}
    still_open = status in ("PENDING", "SENT", "ACKNOWLEDGED", "UNKNOWN")
    # PENDING and SENT ones expire first: the core looks at them as at any others.
    assert kept == ({"c-1", "c-2", "c-3"} if still_open else set())


def test_what_an_open_alert_is_about_stays_until_it_ends(desk: Desk) -> None:
    fill(desk, 3, status="FAILED")
    fill(desk, 1, START, first=1000)
    with desk.database.atomic():
        one: Any = {"board_id": "pond", "failures": 3, "since": OLD}
        Alert.insert(command_id="c-2", **one).execute()
        Alert.insert(command_id="c-3", until_at=OLD, **one).execute()
        Downtime.insert(board_id="pond", from_at=OLD, why="silent").execute()
        Downtime.insert(board_id="x", from_at=OLD, until_at=OLD, why="silent").execute()
        Downtime.insert(board_id="x", from_at=START, until_at=START, why="silent").execute()
    sweep(desk)
    assert {row.id for row in Command.select()} == {"c-2", "c-1000"}
    assert [row.from_at for row in Downtime.select().order_by(Downtime.id)] == [OLD, START]
    # The newest row of a table stays: else its number would be given again.
    assert [row.id for row in Alert.select()] == [1, 2]


def test_numbers_are_never_given_twice(desk: Desk) -> None:
    fill(desk, 20)
    newest = (Command.select().count(), History.select().count(), MessageLog.select().count())
    sweep(desk)
    assert left() == (1, 4, 1, 1)
    desk.startup()
    assert desk.post()["seq"] == newest[0] + 1
    assert min(row.id for row in History.select().where(History.at > OLD)) == newest[1] + 1


def test_each_table_has_its_own_days_and_0_is_for_ever(desk: Desk) -> None:
    fill(desk, 20)
    desk.core = Core(desk.rng, options=Options(days={"commands": 0, "messages": 1}))
    desk.core.roster.listen(desk.now)
    sweep(desk)
    assert left() == (20, 80, 1, 20)


def test_logs_go_by_age_and_the_audit_stays_for_a_year(desk: Desk) -> None:
    common = {"via": "", "source": "", "user": "ann", "action": "x", "subject": "y"}
    wrong = dict.fromkeys(
        ("topic", "parser", "error_type", "message", "exception_type", "traceback", "sample"), ""
    )
    ages = (START - 400 * DAY * 1000, OLD, START)
    with desk.database.atomic():
        AuditEntry.insert_many([{"at": at, **common} for at in ages]).execute()
        ParsingLog.insert_many([{"at": at, "count": 1, **wrong} for at in ages]).execute()
    sweep(desk)
    assert [row.at for row in AuditEntry.select().order_by(AuditEntry.id)] == [OLD, START]
    assert [row.at for row in ParsingLog.select()] == [START]


def test_a_clock_that_was_set_empties_nothing_at_once(desk: Desk) -> None:
    fill(desk, 20, START)
    fill(desk, 1, START + 100 * DAY * 1000, first=1000)
    desk.tick()
    desk.at(100 * DAY)
    desk.core.clock_set(100 * DAY * 1000, desk.now)
    desk.tick()
    assert left()[0] == 21
    desk.now += FIRST_MS
    desk.tick()
    desk.now += PAUSE_MS * 5
    desk.tick()


def test_traffic_puts_it_off_but_not_for_ever(desk: Desk) -> None:
    fill(desk, 20)
    desk.tick()
    desk.now += FIRST_MS
    desk.startup()
    assert left()[0] == 20
    desk.now += BUSY_MS
    for _ in range(30):
        desk.heartbeat()
        desk.now += BUSY_MS
    assert left()[0] == 1


def test_traffic_does_not_feel_it(
    desk: Desk, record_property: Callable[[str, object], None]
) -> None:
    def feeds() -> list[float]:
        times = []
        for _ in range(60):
            began = time.perf_counter()
            desk.ack(desk.post(), "completed", grams=1)
            times.append(time.perf_counter() - began)
            desk.now += PAUSE_MS
            desk.tick()  # the writer has nothing to do: a step of the sweep
        return times

    desk.startup()
    fill(desk, 2_000)
    desk.now += 1
    without = statistics.median(feeds())
    desk.now += FIRST_MS
    desk.heartbeat()
    swept = statistics.median(feeds())
    assert sum(desk.core.upkeep.sweep.deleted.values()) > 2_000
    record_property("a command while the sweep runs, times that without", swept / without)
    assert swept < 4 * without + 0.01


def test_where_a_window_begins_is_found_by_halving(desk: Desk, seed: int) -> None:
    rng, at = random.Random(seed), OLD
    times = {}
    for number in range(1, 60):
        at += rng.randrange(3) * 500
        fill(desk, 1, at, first=number)
        times[number] = at
    for number in rng.sample(range(1, 60), 30):
        with desk.database.atomic():
            History.delete().where(History.command == number).execute()
            Command.delete().where(Command.seq == number).execute()
        times.pop(number)
    for since in {OLD - 1, at, at + 1, *times.values()}:
        found = stats.first_seq(since)
        assert [n for n in times if n >= found] == [n for n in times if times[n] >= since]
