"""What is due has its run once: over restarts, clocks that are set, and two backends at once."""

import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backend.database.models import database
from backend.delivery import commands
from backend.delivery.core import Core
from backend.fleet import sites
from backend.fleet.provisioning import Mapping
from backend.schedules import records
from backend.schedules.models import ALL, CAUGHT_UP, DUE, ONCE, PASSED, SKIP, Schedule
from backend.schedules.part import GRACE_MS, plan
from backend.schedules.rules import Change, Creation, Deletion, Enabling, Now
from backend.schedules.times import local_of
from tests.backend.conftest import START, Desk
from tests.backend.fleet import done, refusal, site
from tests.schedules.conftest import (
    FEED,
    LIGHT,
    MINUTE,
    dues,
    made,
    minutes,
    ms,
    one_command_each,
    runs,
    schedule,
    until,
)


def test_a_due_time_makes_one_run_and_its_command(desk: Desk) -> None:
    desk.startup()
    number = schedule(desk, name="Morning feed")
    desk.at(300).startup("b1", 2)
    desk.tick()
    [command] = made()
    cause = (command["cause"], command["user"], command["priority"])
    assert cause == (f"schedule/{number}/1", "system", 500)
    assert command["created_at"] == START + 5 * MINUTE and command["status"] == "SENT"
    desk.ack(command, "completed")
    desk.tick()
    shown = records.schedule(number)
    assert shown["next_at"] == START + 10 * MINUTE
    last = shown["last_run"]
    assert (last["state"], last["counts"], last["how"]) == ("done", {"COMPLETED": 1}, "due")
    one_command_each()


def test_once_and_never_again(desk: Desk) -> None:
    number = schedule(desk, at="2027-01-15T08:10:00Z")
    until(desk, START + 60 * MINUTE)
    assert minutes(dues(number)) == [10] and records.schedule(number)["next_at"] is None
    desk.restart()
    desk.at(300).tick()  # the clock was set back
    until(desk, START + 60 * MINUTE)
    assert minutes(dues(number)) == [10]
    one_command_each()


@pytest.mark.parametrize(
    ("catch_up", "down", "wanted"),
    [
        # down over 20, 25 and 30 (minutes), back at 34:00
        (SKIP, (16, 34), [10, 15, 35]),
        (ONCE, (16, 34), [10, 15, 30, 35]),
        (ALL, (16, 34), [10, 15, 20, 25, 30, 35]),
        # back at 30:30, while 30 is still on time: that one is for the others, too
        (SKIP, (16, 30.5), [10, 15, 30, 35]),
        (ONCE, (16, 30.5), [10, 15, 30, 35]),
        (ALL, (16, 30.5), [10, 15, 20, 25, 30, 35]),
    ],
)
def test_what_was_missed_goes_by_the_policy(
    desk: Desk, catch_up: str, down: tuple[float, float], wanted: list[int]
) -> None:
    number = schedule(desk, window={"from": "08:10"}, catch_up=catch_up)
    until(desk, START + 16 * MINUTE)
    desk.restart()
    desk.now = START + int(down[1] * MINUTE)
    desk.tick()
    until(desk, START + 36 * MINUTE)
    assert minutes(dues(number)) == wanted
    told = [minutes([run["missed_from"]]) for run in runs(number) if run["missed_from"]]
    assert told == ([] if catch_up == ALL else [[20]])
    one_command_each()


def test_what_is_too_old_is_passed_over_and_what_is_too_much_is_cut() -> None:
    minute_by_minute = [START + n * MINUTE for n in range(1, 2000)]
    now = minute_by_minute[-1] + 30_000
    turns = plan(minute_by_minute[0], minute_by_minute, now, ALL, 10 * MINUTE)
    assert [one.how for one in turns] == [CAUGHT_UP] * 9 + [DUE]
    assert turns[0].missed_from == minute_by_minute[0] and turns[1].missed_from is None
    turns = plan(minute_by_minute[0], minute_by_minute, now, ALL, 86_400_000)
    assert len(turns) == 101 and turns[-1].due_at == minute_by_minute[-1]
    [turn] = plan(START, [START], START + 3_600_000, ONCE, 1800_000)
    assert turn == (START, PASSED, START)
    [turn] = plan(START, [START], START + GRACE_MS, SKIP, 0)
    assert turn == (START, DUE, None)


def test_a_clock_set_forward_is_like_being_away_and_set_back_repeats_nothing(desk: Desk) -> None:
    number = schedule(desk)
    until(desk, START + 11 * MINUTE)
    desk.core.clock_set(21 * MINUTE, START + 32 * MINUTE)
    until(desk.at(32 * 60), START + 36 * MINUTE)
    assert minutes(dues(number)) == [5, 10, 35]  # 15 to 30 are passed over
    desk.core.clock_set(-27 * MINUTE, START + 9 * MINUTE)
    until(desk.at(9 * 60), START + 41 * MINUTE)
    # what had none has its turn now; what had one has not, nor has 15, which is on record
    assert minutes(dues(number)) == [5, 10, 35, 20, 25, 30, 40]
    one_command_each()


def test_a_clock_that_was_years_ahead_does_not_end_a_schedule(desk: Desk) -> None:
    number = schedule(desk)
    desk.core.clock_set(10**12, START + 10**12)
    desk.at(10**9).tick()
    assert records.schedule(number)["next_at"] > START + 10**12
    desk.at(60).restart()
    until(desk, START + 11 * MINUTE)
    assert minutes(dues(number)) == [10]


NIGHTS = {
    # zone: the nights of a change forward and back, and what `30 0,1,2 * * *` is due then
    "Europe/Rome": ((3, 28), ["00:30", "01:30", "03:00"], (10, 31)),
    "America/New_York": ((3, 14), ["00:30", "01:30", "03:00"], (11, 7)),
    "Australia/Lord_Howe": ((10, 3), ["00:30", "01:30", "02:30"], (4, 4)),
    "Africa/Cairo": ((4, 30), ["01:00", "01:30", "02:30"], (10, 29)),
}


@pytest.mark.parametrize(
    ("zone", "forward"),
    [(zone, True) for zone in NIGHTS] + [("Europe/Rome", False), ("Australia/Lord_Howe", False)],
)
def test_a_night_of_a_change_through_the_core(desk: Desk, zone: str, forward: bool) -> None:
    """Two schedules, and a backend that is started anew every few minutes."""
    there, wanted, back = NIGHTS[zone]
    site("shore", timezone=zone)
    done(desk, Mapping("pond", "shore", "ann"))
    begin = desk.now = ms(zone, 2027, *(there if forward else back)) - 30 * MINUTE
    fixed = schedule(desk, "30 0,1,2 * * *", site="shore")
    even = schedule(desk, "*/30 * * * *", site="shore", **LIGHT)
    choice = random.Random(zone)
    while desk.now < begin + 4 * 60 * MINUTE:
        until(desk, desk.now + choice.randrange(60 * MINUTE))
        desk.restart()
    step = 30 * MINUTE
    assert dues(even) == list(range(begin + step, desk.now + 1, step))
    shown = [f"{local_of(at, ZoneInfo(zone)):%H:%M}" for at in dues(fixed)]
    assert shown == (wanted if forward else ["00:30", "01:30", "02:30"])
    one_command_each()


def test_it_dies_at_any_statement_and_does_all_once(desk: Desk, monkeypatch: Any) -> None:
    number = schedule(desk, "* * * * *")
    execute, left = database.obj.execute_sql, [0]

    class Died(BaseException):
        pass

    def mortal(*args: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Died
        return execute(*args, **more)

    monkeypatch.setattr(database.obj, "execute_sql", mortal)
    died = 0
    for minute in range(1, 31):
        left[0] = minute
        desk.at(60 * minute)
        try:
            desk.tick()
        except Died:
            died += 1
            left[0] = -1
            desk.restart()
            desk.tick()
        left[0] = -1
        one_command_each()
    assert died > 10
    assert minutes(dues(number)) == list(range(1, 31))
    assert len(made()) == 30


def test_two_backends_on_one_database_do_it_once(desk: Desk) -> None:
    """A lock keeps the second one out; where that fails, the rows do."""
    numbers = [schedule(desk, cron) for cron in ("* * * * *", "*/2 * * * *")]
    other, first, choice = Core(random.Random(2)), desk.core, random.Random(3)
    for minute in range(1, 15):
        desk.at(60 * minute)
        for core in choice.sample([first, other, first], 3):
            desk.core = core
            desk.tick()
    assert [minutes(dues(one)) for one in numbers] == [list(range(1, 15)), list(range(2, 15, 2))]
    one_command_each()


def test_a_pause_calls_off_what_waits_and_is_not_made_up_for(desk: Desk) -> None:
    number = schedule(desk, expires_in=3600, catch_up=ALL)
    until(desk, START + 6 * MINUTE)
    done(desk, Enabling(number, False, "bob"))
    [command] = made()
    assert command["status"] == "CANCELLED"
    history = commands.get(command["id"])["history"]
    assert history[-1]["actor"] == "bob" and "paused" in history[-1]["detail"]["reason"]
    until(desk, START + 16 * MINUTE)
    done(desk, Enabling(number, True, "bob"))
    until(desk, START + 21 * MINUTE)
    assert minutes(dues(number)) == [5, 20]
    assert runs(number)[0]["state"] == "cancelled"


def test_what_it_does_may_change_and_what_was_sent_goes_on(desk: Desk) -> None:
    desk.startup()
    number = schedule(desk)
    desk.at(300).startup("b1", 2)
    desk.tick()
    done(desk, Change(number, {"parameters": {"amount": 9}}, "bob"))
    assert made()[0]["status"] == "SENT"
    done(desk, Change(number, {"cron": "*/7 * * * *"}, "bob"))
    assert minutes([records.schedule(number)["next_at"]]) == [7]
    done(desk, Deletion(number, "bob"))
    assert refusal(desk, Deletion(number, "bob")) == ("unknown_schedule", "schedule_id")
    until(desk, START + 60 * MINUTE)
    assert len(made()) == 1
    assert records.runs(5, schedule_id=number)  # what it did stays on record


def test_run_now_is_by_hand_and_a_double_click_is_one(desk: Desk) -> None:
    number = schedule(desk, enabled=False)
    run_id = done(desk, Now(number, "bob", "session", "::1"))
    assert done(desk, Now(number, "bob", "session", "::1")) == run_id
    [command] = made()
    assert (command["user"], command["priority"], command["source"]) == ("bob", 1000, "::1")


def test_a_zone_follows_its_site_and_a_zone_that_is_gone_ends_nothing(desk: Desk) -> None:
    site("lake", timezone="UTC")
    done(desk, Mapping("pond", "lake", "ann"))
    number = schedule(desk, "0 10 * * *", site="lake")
    done(desk, sites.Change("lake", {"timezone": "Europe/Rome"}))
    assert minutes([records.schedule(number)["next_at"]]) == [60]
    Schedule.update(timezone="Gone/Away").execute()
    desk.restart()
    until(desk, START + 120 * MINUTE)
    assert made() == [] and records.schedule(number)["zone"] == "Gone/Away"


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"cron": "61 * * * *"}, "bad_cron", "cron"),
        ({"cron": ""}, "bad_parameter", "cron"),
        ({"at": "2027-01-15T09:00"}, "bad_parameter", "cron"),  # both
        ({"cron": "", "at": "tomorrow"}, "bad_parameter", "at"),
        ({"cron": "", "at": "2027-01-15T07:59:00Z"}, "never_due", "at"),
        ({"timezone": "Mars/Base"}, "bad_parameter", "timezone"),
        ({"window": {"days": ["someday"]}}, "bad_parameter", "window"),
        ({"window": {"from": "8:00"}}, "bad_parameter", "window"),
        ({"window": {"hours": [1]}}, "bad_parameter", "window"),
        ({"window": {"last_date": "2026-01-01"}}, "never_due", "window"),
        ({"cron": "0 7 * * *", "window": {"from": "08:00"}}, "never_due", "window"),
        ({"catch_up": "maybe"}, "bad_parameter", "catch_up"),
        ({"catch_up_s": 10**30}, "bad_parameter", "catch_up_s"),
        ({"priority": 1000}, "bad_parameter", "priority"),
        ({"per_minute": 0}, "bad_parameter", "per_minute"),
        ({"expires_in": 10**30}, "bad_parameter", "expires_in"),
        ({"name": " "}, "bad_parameter", "name"),
        ({"boards": ["pond", "moon"]}, "unknown_board", "boards"),
        ({"boards": None}, "bad_parameter", "site"),
        ({"site": "moon"}, "unknown_site", "site"),
        ({"target": "motor9"}, "unknown_target", "target"),
        ({"command_type": "dance", "boards": None, "label": "none"}, "unknown_type",
         "command_type"),
        ({"parameters": {"amount": [[1]]}}, "bad_parameter", "parameters"),
        ({"command_type": "update_config", "target": "",
          "parameters": {"wifi-0-password": "x"}}, "has_secret", "parameters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_changes_nothing(
    desk: Desk, more: dict[str, Any], code: str, field: str
) -> None:
    desk.startup()
    values = {**FEED, "boards": ["pond"], "cron": "0 9 * * *", **more}
    assert refusal(desk, Creation(values, "ann")) == (code, field)
    assert Schedule.select().count() == 0
    desk.tick()


def test_a_picture_on_a_schedule_waits_for_the_wake(desk: Desk) -> None:
    desk.startup(has="camera sleep")
    desk.status("asleep", until=START // 1000 + 6 * 3600)
    capture = {"command_type": "capture_image", "target": "", "parameters": {}}
    schedule(desk, "0 9 * * *", **capture)
    until(desk, START + 6 * 60 * MINUTE)
    [command] = commands.find(command_type="capture_image")
    assert command["status"] == "PENDING"
    desk.at(6 * 3600 + 30).startup("b2", has="camera sleep")
    assert ("capture_image", command["id"]) in desk.sent()


def test_with_a_site_go_its_schedules(desk: Desk) -> None:
    site("lake")
    number = schedule(desk, site="lake")
    sites.delete("lake")
    until(desk, START + 6 * MINUTE)
    assert Schedule.get_or_none(Schedule.id == number) is None and made() == []


def test_many_that_are_due_at_once_take_turns(desk: Desk) -> None:
    numbers = [schedule(desk, "*/5 * * * *", **LIGHT) for _ in range(60)]
    until(desk, START + 5 * MINUTE)
    assert all(minutes(dues(number)) == [5] for number in numbers)
    one_command_each()


def test_a_new_schedule_has_nothing_of_one_that_was_deleted(desk: Desk) -> None:
    first = schedule(desk)
    until(desk, START + 6 * MINUTE)
    assert len(runs(first)) == 1
    done(desk, Deletion(first, "ann"))
    second = schedule(desk)
    assert runs(second) == [] and second != first
