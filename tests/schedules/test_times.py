"""Due times against a reckoning of another kind: minute by minute, with zoneinfo alone."""

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from backend.errors import Invalid
from backend.schedules.times import DAYS, When, check_cron, instant, local_of
from tests.schedules.conftest import MINUTE, ms

ZONES = (
    "Europe/Rome",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Cairo",  # at midnight
    "America/Santiago",  # at midnight, in the south
    "Europe/Dublin",  # winter is what is not standard
    "America/St_Johns",
    "Asia/Kathmandu",  # never
)
APIA = "Pacific/Apia"  # had no 30 December 2011
DAY = 24 * 60 * MINUTE
SPAN = 2 * DAY


@functools.cache
def changes(zone: str) -> list[int]:
    """When the clocks of a zone were changed from 2026 to 2028, to the hour."""
    begin, out = ms("UTC", 2026, 1, 1), [ms("UTC", 2026, 6, 1)]
    before = None
    for hour in range(3 * 366 * 24):
        at = begin + hour * 60 * MINUTE
        offset = datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).utcoffset()
        if before not in (None, offset):
            out.append(at)
        before = offset
    return out


def values(field: str, low: int, high: int) -> set[int]:
    """What a field of a cron expression means."""
    out = set()
    for term in field.split(","):
        term, _, step = term.partition("/")
        first, _, last = (f"{low}-{high}" if term == "*" else term).partition("-")
        out |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return out


def reckoned(when: When, start: int, end: int) -> Iterator[int]:
    """Due times after `start`: each minute is looked at, and what the clocks show then."""
    fields = when.cron.split()
    wanted = [values(*one) for one in zip(fields[:2], (0, 0), (59, 23), strict=True)]
    days, even = values(fields[4], 0, 7), fields[0][0] == "*" or fields[1][0] == "*"

    def matches(local: datetime) -> bool:
        return (
            local.minute in wanted[0]
            and local.hour in wanted[1]
            and local.isoweekday() % 7 in days
        )

    def inside(local: datetime) -> bool:
        clock, window = f"{local:%H:%M}", when.window
        begin, over = window.get("from", "00:00"), window.get("until", "24:00")
        good = begin <= clock <= over if begin <= over else not over < clock < begin
        return good and DAYS[local.weekday()] in window.get("days", DAYS)

    shown = local_of(start - 2 * DAY, when.zone)  # the latest that the clocks have shown
    for at in range(start - 2 * DAY + MINUTE, end, MINUTE):
        local = datetime.fromtimestamp(at / 1000, when.zone).replace(tzinfo=None)
        passed = range(1, int((local - shown) / timedelta(minutes=1)) + 1)
        gone = any(matches(shown + timedelta(minutes=number)) for number in passed)
        if (matches(local) if even else gone) and at > start and inside(local):
            yield at
        shown = max(shown, local)


def a_field(high: int, steps: list[int]) -> some.SearchStrategy[str]:
    number = some.integers(0, high)
    span = some.tuples(number, number).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    pairs = some.lists(number.map(str), min_size=1, max_size=3).map(",".join)
    return some.one_of(some.just("*"), some.sampled_from(steps).map("*/{}".format), pairs, span)


CRONS = some.tuples(
    a_field(59, [5, 7, 30]), a_field(23, [2, 3]), some.sampled_from(["*", "1-5", "0,6"])
).map(lambda parts: f"{parts[0]} {parts[1]} * * {parts[2]}")
CLOCKS = some.tuples(some.integers(0, 23), some.integers(0, 59)).map("{0[0]:02}:{0[1]:02}".format)
WINDOWS: some.SearchStrategy[dict[str, Any]] = some.one_of(
    some.just({}),
    some.fixed_dictionaries({"from": CLOCKS, "until": CLOCKS}),
    some.fixed_dictionaries({"days": some.lists(some.sampled_from(DAYS), min_size=1)}),
)


@settings(max_examples=25)
@given(data=some.data(), zone=some.sampled_from(ZONES), cron=CRONS, window=WINDOWS)
def test_due_times_are_what_each_minute_says(
    data: some.DataObject, zone: str, cron: str, window: dict[str, Any]
) -> None:
    change = data.draw(some.sampled_from(changes(zone)))
    start = change + data.draw(some.integers(-36 * 60, 6 * 60)) * MINUTE
    when = When(cron, ZoneInfo(zone), window)
    found = list(takewhile(lambda at: at < start + SPAN, when.after(start)))
    assert found == list(reckoned(when, start, start + SPAN))


def shown(cron: str, zone: str, start: int, count: int, **window: Any) -> list[str]:
    times = islice(When(cron, ZoneInfo(zone), window).after(start), count)
    return [f"{datetime.fromtimestamp(at / 1000, ZoneInfo(zone)):%d %H:%M %z}" for at in times]


@pytest.mark.parametrize(
    ("cron", "zone", "day", "wanted"),
    [
        # forward: what is fixed comes at the end of the gap, once; what goes on leaves it out
        ("30 2 * * *", "Europe/Rome", (2027, 3, 28), ["28 03:00 +0200", "29 02:30 +0200"]),
        ("0,15,30 2 * * *", "Europe/Rome", (2027, 3, 28), ["28 03:00 +0200", "29 02:00 +0200"]),
        ("*/9 1-3 * * *", "Europe/Rome", (2027, 3, 28, 1, 50),
         ["28 01:54 +0100", "28 03:00 +0200"]),
        ("30 0 * * *", "Africa/Cairo", (2027, 4, 29, 23, 0), ["30 01:00 +0300", "01 00:30 +0300"]),
        ("15 2 * * *", "Australia/Lord_Howe", (2027, 10, 3), ["03 02:30 +1100", "04 02:15 +1100"]),
        # back: what is fixed comes at the first, what goes on comes at both
        ("30 2 * * *", "Europe/Rome", (2027, 10, 31), ["31 02:30 +0200", "01 02:30 +0100"]),
        ("*/30 2 * * *", "Europe/Rome", (2027, 10, 31, 2, 0),
         ["31 02:30 +0200", "31 02:00 +0100"]),
        ("45 1 * * *", "Australia/Lord_Howe", (2027, 4, 4), ["04 01:45 +1100", "05 01:45 +1030"]),
    ],
)  # fmt: skip
def test_where_the_clocks_are_changed(
    cron: str, zone: str, day: tuple[int, ...], wanted: list[str]
) -> None:
    assert shown(cron, zone, ms(zone, *day), 2) == wanted


def test_a_day_that_never_was() -> None:
    wanted = ["29 08:00 -1000", "31 00:00 +1400", "31 08:00 +1400"]
    assert shown("0 8 * * *", APIA, ms(APIA, 2011, 12, 29), 3) == wanted
    zone = ZoneInfo(APIA)
    assert local_of(instant(datetime(2011, 12, 30, 12), zone), zone) == datetime(2011, 12, 31)


def test_a_window_may_be_far_or_over_midnight_or_empty() -> None:
    def of(cron: str, count: int, **window: Any) -> list[str]:
        return shown(cron, "Europe/Rome", ms("Europe/Rome", 2027, 1, 1), count, **window)

    season = {"first_date": "2030-05-01", "last_date": "2030-05-02"}
    assert of("0 8 * * *", 5, **season) == ["01 08:00 +0200", "02 08:00 +0200"]
    night = {"from": "22:00", "until": "02:00"}
    assert of("0 */2 * * *", 3, **night) == ["01 02:00 +0100", "01 22:00 +0100", "02 00:00 +0100"]
    assert of("0 7 * * *", 5, **{"from": "08:00"}) == []
    assert of("0 0 29 2 *", 5, **{"from": "08:00"}) == []


@pytest.mark.parametrize(
    ("cron", "wrong"),
    [
        ("61 * * * *", "minute, '61'"), ("* 24 * * *", "hour, '24'"), ("", "five fields"),
        ("* * 0 * *", "day-of-month, '0'"), ("* * * 13 *", "month, '13'"),
        ("* * * * 8", "day-of-week, '8'"), ("a b c d e", "minute, 'a'"),
        ("0 0 31 2 *", "day-of-month, '31'"), ("*/0 * * * *", "minute, '*/0'"),
        ("0 8 * *", "five fields"), ("* * * * * *", "five fields"),
    ],
)  # fmt: skip
def test_a_wrong_cron_is_told_which_field(cron: str, wrong: str) -> None:
    with pytest.raises(Invalid, match="cron") as why:
        check_cron(cron)
    assert wrong in why.value.reason and why.value.field == "cron"


@given(some.lists(some.text("*/,-#L0123456789MONW", max_size=5), min_size=5, max_size=5))
def test_no_text_does_worse_than_to_be_refused(fields: list[str]) -> None:
    cron = " ".join(fields)
    try:
        check_cron(cron)
    except Invalid:
        return
    assert next(When(cron, ZoneInfo("Europe/Rome"), {}).after(ms("UTC", 2027, 1, 1)))


def test_utc_is_a_zone_like_others() -> None:
    start = int(datetime(2027, 3, 28, tzinfo=UTC).timestamp()) * 1000
    assert shown("30 2 * * *", "UTC", start, 2) == ["28 02:30 +0000", "29 02:30 +0000"]
