"""What boards measure is kept once, with its own time, over whatever happens in between."""

from typing import Any

from backend.database.models import database
from backend.database.retention import FIRST_MS
from backend.database.retention import PAUSE_MS as SWEEP_MS
from backend.delivery.core import Batch
from backend.delivery.intake import MEASURED, PAUSE_MS, Aside
from backend.delivery.work import Outcome
from backend.fleet import boards
from backend.fleet.sensors import AHEAD_S
from backend.readings import charts
from backend.readings.notes import Note
from backend.readings.storing import SERIES_MAX
from backend.readings.tables import ReadingHour, Series, StoredReading
from tests.backend.conftest import START, Desk

NOW = START // 1000
DAY = 86_400


def read(desk: Desk, *values: tuple[str, float, int], boot: str = "b1", **failed: str) -> Outcome:
    """The board says (sensor, value, timestamp) of each; all in mg/l."""
    readings = [
        {"sensor": name, "value": value, "unit": "mg/l", "timestamp": timestamp}
        for name, value, timestamp in values
    ]
    return desk.say(
        "data/sensors", "sensors", {"boot": boot, "readings": readings, "failed": failed}
    )


def kept(sensor: str = "oxygen1") -> list[tuple[float, float | None]]:
    """[(seconds since the start, value)] of what is stored of a sensor."""
    rows = StoredReading.select(StoredReading.at, StoredReading.value).join(
        Series, on=Series.id == StoredReading.series
    )
    found = rows.where(Series.sensor == sensor).order_by(StoredReading.at)
    return [((row.at - START) / 1000, row.value) for row in found]


def hours() -> list[tuple[int, float, float, float, int]]:
    """[(hours since the start, low, high, total, count)]"""
    rows = ReadingHour.select().order_by(ReadingHour.at)
    first = START // 3_600_000
    return [(r.at // 3_600_000 - first, r.low, r.high, r.total, r.count) for r in rows]


def shown(desk: Desk, sensor: str = "oxygen1") -> Any:
    """(value, unit, at in ms, error) as the API shows it."""
    board = desk.core.roster.get("pond")
    assert board
    return tuple(boards.public(board)["sensors"][sensor].values())


def test_what_the_broker_repeats_is_stored_once(desk: Desk) -> None:
    desk.startup()
    for _ in range(3):
        read(desk, ("oxygen1", 6.5, NOW), ("oxygen1", 7, NOW + 10))
        desk.now += 5_000
    assert kept() == [(0, 6.5), (10, 7)]
    assert hours() == [(0, 6.5, 7, 13.5, 2)]


def test_what_was_read_while_away_is_stored_at_its_own_time(desk: Desk) -> None:
    desk.startup()
    desk.at(7200)
    read(desk, ("oxygen1", 6.5, NOW + 7200))
    read(desk, ("oxygen1", 5, NOW + 10), ("oxygen1", 6, NOW + 3610), boot="b0")
    assert kept() == [(10, 5), (3610, 6), (7200, 6.5)]
    assert [hour[::4] for hour in hours()] == [(0, 1), (1, 1), (2, 1)]
    assert shown(desk)[0] == 6.5


def test_without_a_time_it_is_that_of_hearing_and_a_repetition_is_known(desk: Desk) -> None:
    desk.startup()
    for _ in range(2):
        read(desk, ("oxygen1", 6.5, 0), ("oxygen1", 6.75, 0))
        desk.now += 3_000
    assert [value for _, value in kept()] == [6.5, 6.75]
    read(desk, ("oxygen1", 8, 0))
    assert [value for _, value in kept()] == [6.5, 6.75, 8]


def test_a_time_far_ahead_is_none_and_hides_nothing(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW))
    read(desk, ("oxygen1", 9, NOW + AHEAD_S + 60))
    desk.at(20)
    read(desk, ("oxygen1", 7, NOW + 20))
    assert shown(desk)[:3] == (7, "mg/l", START + 20_000)
    assert [value for _, value in kept()] == [6.5, 7]


def test_a_restart_shows_the_last_value_with_its_age(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW), ("old1", 1, NOW - 3 * DAY), ("oxygen1", 4, NOW - 60))
    desk.at(600).restart()
    assert shown(desk) == (6.5, "mg/l", START, None)
    assert list(desk.core.roster.get("pond").sensors) == ["oxygen1"]  # type: ignore[union-attr]
    read(desk, ("oxygen1", 5, NOW + 600))
    assert kept()[-1] == (600, 5) and Series.select().count() == 2


def test_a_failure_is_a_gap_that_begins_once(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW))
    for second in (10, 20, 30):
        desk.at(second)
        read(desk, oxygen1="driver", never1="driver")
    read(desk, ("oxygen1", 6, NOW + 40))
    assert kept() == [(0, 6.5), (10, None), (40, 6)] and kept("never1") == []
    (line,) = charts.lines("pond")
    _, found = charts.buckets(line, START, START + 60_000, 100)
    assert [(one.at - START, one.mean) for one in found if one.at < START + 40_000][:2] == [
        (0, 6.5), (10_000, None)]  # fmt: skip
    assert hours()[0][4] == 2


def test_what_cannot_be_right_is_a_failure(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW))
    task = Note("pond", "oxygen1", "Oxygen", 0, 20)
    out = desk.core.apply(Batch([], [], [], [("me", task)]), desk.now)
    assert out.tasks[0][1] is None
    desk.at(10)
    read(desk, ("oxygen1", 77, NOW + 10), ("oxygen1", -1, NOW - 10))
    assert shown(desk) == (6.5, "mg/l", START, "range")
    assert kept() == [(0, 6.5), (10, None)]
    desk.at(20).restart()
    read(desk, ("oxygen1", 77, NOW + 20))
    assert shown(desk)[0] == 6.5 and kept()[-1] == (20, None)
    read(desk, ("oxygen1", 20, NOW + 30))
    assert shown(desk)[::3] == (20, None)


def test_another_unit_is_another_line_and_names_without_end_are_left_out(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW))
    Series.update(unit="%").execute()
    desk.restart()
    read(desk, ("oxygen1", 7, NOW + 10))
    found = charts.lines("pond", ("oxygen1",))
    assert [line.unit for line in found] == ["%", "mg/l"]
    assert [line.unit for line in charts.newest(found)] == ["mg/l"]
    for number in range(0, SERIES_MAX + 32, 16):
        read(desk, *((f"s{number + i}", 1, NOW) for i in range(16)))
    assert Series.select().count() == SERIES_MAX
    assert desk.core.refused["too_many_sensors"] > 0


def test_old_readings_go_and_their_hours_stay(desk: Desk) -> None:
    desk.startup()
    old = [("oxygen1", float(i), NOW - 40 * DAY + i * 300) for i in range(160)]
    for first in range(0, len(old), 16):
        read(desk, *old[first : first + 16])
    read(desk, ("oxygen1", 1, NOW - 10), ("oxygen1", 2, NOW))
    (line,) = charts.lines("pond")
    start, end = START - 41 * DAY * 1000, START - 39 * DAY * 1000
    before = charts.buckets(line, start, end, 60)
    desk.tick()
    desk.now += FIRST_MS
    for _ in range(60):
        desk.tick()
        desk.now += SWEEP_MS
    assert [value for _, value in kept()] == [1, 2]
    assert desk.core.upkeep.sweep.deleted["readings"] == 160
    (line,) = charts.lines("pond")
    assert charts.buckets(line, start, end, 60) == before
    span, fine = charts.buckets(line, start, end, 2_000)
    assert span == 3_600_000 and sum(one.count for one in fine) == 160


def test_readings_wait_aside_and_all_else_overtakes_them() -> None:
    now = 0
    aside = Aside(lambda: now)
    flood = [("message", f"devices/b{i}/data/sensors", b"", (i, 1, 1, "")) for i in range(500)]
    for other in (("message", "devices/b/ack", b"", (1, 1, 1, "")), ("ask", 1, 2), ("stop",)):
        assert not aside.takes(other)
    assert aside.wait() is None and aside.give() == []
    assert aside.takes(flood[0])
    assert aside.wait() == PAUSE_MS / 1000 and aside.give() == []
    now = PAUSE_MS
    assert aside.wait() == 0
    assert aside.give() == flood[:1]
    assert all(map(aside.takes, flood)) and aside.wait() == 0
    taken = [aside.give() for _ in range(500 // MEASURED + 1)]
    assert max(map(len, taken)) == MEASURED
    assert [one for some in taken for one in some] == flood
    assert aside.wait() is None


def test_a_month_is_read_by_its_key_alone(desk: Desk) -> None:
    for sql in (charts._FROM_READINGS, charts._FROM_HOURS):
        told = {"series": 1, "span": 1000, "start": 0, "end": 1}
        plan = database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", told).fetchall()
        assert any("PRIMARY KEY (series=? AND at>? AND at<?)" in row[3] for row in plan), plan
