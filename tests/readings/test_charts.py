"""Buckets say what the readings in them say, whatever is asked for."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peewee import SqliteDatabase

from backend import schema
from backend.readings import charts
from backend.readings.storing import HOUR_MS, store
from backend.readings.tables import ReadingHour, Series, StoredReading

BEGIN = 1_800_000_000_000
SPAN = 4 * charts.DAY_MS

moments = st.integers(0, SPAN // 500).map(lambda half_seconds: BEGIN + half_seconds * 500)
values = st.one_of(st.none(), st.floats(-1e6, 1e6).map(lambda value: round(value, 3)))
windows = st.lists(moments, min_size=2, max_size=2, unique=True).map(sorted)
rows = st.dictionaries(moments, values, min_size=1, max_size=40)


@pytest.fixture(scope="module")
def database() -> Iterator[SqliteDatabase]:
    opened = schema.open_database("sqlite://")
    Series.insert(board_id="pond", sensor="oxygen1", unit="mg/l").execute()
    yield opened
    opened.close()


@given(rows, windows, st.integers(2, 400))
@settings(max_examples=40)
def test_buckets_are_the_readings_in_them(
    database: SqliteDatabase, found: dict[int, float | None], window: list[int], points: int
) -> None:
    with database.atomic() as transaction:
        told = [(1, at, value, 0) for at, value in found.items()]
        store(told[::2])
        store(told)  # the broker repeats some
        (line,) = charts.lines("pond")
        span, buckets = charts.buckets(line, window[0], window[1], points)
        transaction.rollback()
    start, end = window[0] // span * span, -(-window[1] // span) * span
    full = [one for one in buckets if one.count]
    assert len(full) <= points and (span in charts.SPANS or span % charts.DAY_MS == 0)
    assert all(start <= one.at < end and one.at % span == 0 for one in buckets)
    assert [one.at for one in buckets] == sorted({one.at for one in buckets})
    wanted: dict[int, list[float]] = {}
    for at, value in found.items():
        if value is not None and start <= at < end:
            wanted.setdefault(at // span * span, []).append(value)
    assert {one.at: one.count for one in full} == {at: len(some) for at, some in wanted.items()}
    for one in full:
        some = wanted[one.at]
        assert (one.low, one.high) == (min(some), max(some))
        assert one.mean == pytest.approx(sum(some) / len(some), abs=1e-6)


@pytest.mark.parametrize("length", [1, 999, 60_000, HOUR_MS, charts.DAY_MS, 4_000 * charts.DAY_MS])
@pytest.mark.parametrize("points", [2, 3, 300, 2_000])
def test_a_span_is_whole_and_its_buckets_are_no_more_than_asked_for(
    length: int, points: int
) -> None:
    span = charts.span_of(BEGIN, BEGIN + length, points)
    assert span in charts.SPANS or span % charts.DAY_MS == 0
    for begin in (BEGIN, BEGIN + 1, BEGIN + span - 1):
        first, last = begin // span, (begin + length - 1) // span
        assert last - first + 1 <= points


def gaps(seconds: list[int], length: int, points: int = 200) -> list[int]:
    """After which seconds a line through readings at these ones breaks."""
    store([(1, BEGIN + s * 1000, 1.0, 0) for s in seconds])
    (line,) = charts.lines("pond")
    _, found = charts.buckets(line, BEGIN, BEGIN + length * 1000, points)
    StoredReading.delete().execute()
    ReadingHour.delete().execute()
    pairs = itertools.pairwise(found)
    return [(one.at - BEGIN) // 1000 for one, later in pairs if one.count and not later.count]


def test_a_line_breaks_where_nothing_came_and_nowhere_else(database: SqliteDatabase) -> None:
    steady = list(range(0, 3600, 10))
    assert gaps(steady, 3600) == []
    assert gaps(steady, 3600, 1_000) == []  # finer than the readings
    assert gaps([s for s in steady if not 1000 < s < 1200], 3600, 1_000) == [1000]
    assert gaps([s for s in steady if s != 1000], 3600, 1_000) == []  # one was lost
    slow = list(range(0, 86_400, 900))
    assert gaps(slow, 86_400) == []
    assert gaps([s for s in slow if not 36_000 < s < 45_000], 86_400) == [36_000]
    assert gaps([5], 3600) == []


def test_what_is_exported_comes_in_pages_and_whole(database: SqliteDatabase) -> None:
    store([(1, BEGIN + i * 1000, float(i), 0) for i in range(4_500)])
    (line,) = charts.lines("pond")
    pages = list(charts.readings(line, BEGIN + 1_000, BEGIN + 4_400_000))
    assert [value for page in pages for _, value in page] == list(range(1, 4_400))
    assert max(map(len, pages)) == 2_000
