"""Readings as a chart wants them: buckets of whole spans, added up in SQL.

Rules of this file:
- a bucket is a whole span (1 s to 1 day, or whole days), beginning at a multiple of it since 1970;
  a range is widened to whole buckets, so what a bucket says does not hang on who asks;
- spans of an hour and more are added up from the hours that are kept, shorter ones from the
  readings themselves; where those are gone by age, hours stand in for them;
- where nothing was measured for longer than usual, or a sensor failed, there is a bucket without
  values: a line that is drawn through the buckets breaks there.
Times and spans are ms.
"""

import bisect
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from backend.database.models import database
from backend.readings.storing import HOUR_MS

POINTS, POINTS_MAX = 300, 2_000
ALL_POINTS_MAX = 20_000  # of all sensors together
DAY_MS = 86_400_000
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440)
SPANS = tuple(s * 1000 for s in (1, 2, 5, 10, 15, 30, *(60 * m for m in _MINUTES)))
DENSE = 2  # readings in a bucket on average, with which an empty one is a gap

_OF_BOARD = """
    SELECT s.id, s.sensor, s.unit, COALESCE((SELECT MAX(at) FROM reading WHERE series = s.id),
            (SELECT MAX(at) FROM reading_hour WHERE series = s.id)),
        (SELECT MIN(at) FROM reading WHERE series = s.id),
        (SELECT MIN(at) FROM reading_hour WHERE series = s.id)
    FROM series AS s WHERE s.board_id = ? ORDER BY s.sensor, s.id
"""
_FROM_READINGS = """
    SELECT at / :span * :span, MIN(value), AVG(value), MAX(value), COUNT(value) FROM reading
    WHERE series = :series AND at >= :start AND at < :end GROUP BY 1 ORDER BY 1
"""
_FROM_HOURS = """
    SELECT at / :span * :span, MIN(low), SUM(total) / SUM(count), MAX(high), SUM(count)
    FROM reading_hour
    WHERE series = :series AND at >= :start AND at < :end GROUP BY 1 ORDER BY 1
"""
_PAGE = """
    SELECT at, value FROM reading WHERE series = ? AND at >= ? AND at < ? AND value IS NOT NULL
    ORDER BY at LIMIT 2000
"""


class Line(NamedTuple):
    """A series: when its newest and its oldest value (or hour) are of, and the oldest reading that
    is still kept as it came (None: none is).
    """

    series: int
    sensor: str
    unit: str
    newest: int
    oldest: int
    raw_from: int | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was measured from `at` on; without values `count` is 0, and the others None."""

    at: int
    low: float | None
    mean: float | None
    high: float | None
    count: int


def lines(board_id: str, sensors: tuple[str, ...] = ()) -> list[Line]:
    """The series of a board that hold anything, by sensor; only of `sensors`, if there are any."""
    found = []
    for number, sensor, unit, *times in database.execute_sql(_OF_BOARD, (board_id,)).fetchall():
        last, raw_from, hours_from = times
        if last is not None and (not sensors or sensor in sensors):
            first_hour = None if raw_from is None else raw_from // HOUR_MS * HOUR_MS
            only_hours = hours_from is not None and (raw_from is None or hours_from < first_hour)
            oldest = hours_from if only_hours else raw_from
            found.append(Line(number, sensor, unit, last, oldest, raw_from))
    return found


def newest(found: list[Line]) -> list[Line]:
    """One line of each sensor: the one of the unit in which it measured last."""
    last: dict[str, Line] = {}
    for line in found:
        if line.sensor not in last or line.newest > last[line.sensor].newest:
            last[line.sensor] = line
    return list(last.values())


def span_of(start: int, end: int, points: int) -> int:
    """The shortest span of which at most `points` buckets cover a range; from a day on, days."""
    least = -(-(end - start) // max(points - 1, 1))
    place = bisect.bisect_left(SPANS, least)
    return SPANS[place] if place < len(SPANS) else -(-least // DAY_MS) * DAY_MS


def buckets(line: Line, start: int, end: int, points: int) -> tuple[int, list[Bucket]]:
    """(span, buckets that cover a range, with gaps): `points` with values at most."""
    span = max(span_of(start, end, points), HOUR_MS if _only_as_hours(line, start) else 0)
    start, end = start // span * span, -(-end // span) * span
    sql = _FROM_READINGS if span < HOUR_MS else _FROM_HOURS
    told = {"series": line.series, "span": span, "start": start, "end": end}
    rows = [Bucket(*row) for row in database.execute_sql(sql, told).fetchall()]
    return span, list(_with_gaps(rows, span))


def _only_as_hours(line: Line, start: int) -> bool:
    """Whether some of what came after `start` is kept no longer as it came."""
    kept_from = line.newest + HOUR_MS if line.raw_from is None else line.raw_from
    return max(start, line.oldest) < kept_from // HOUR_MS * HOUR_MS


def _with_gaps(rows: list[Bucket], span: int) -> Iterator[Bucket]:
    """The same, with an empty bucket wherever nothing came for too long."""
    full = [row for row in rows if row.count]
    pauses = [later.at - row.at for row, later in zip(full, full[1:], strict=False)]
    dense = sum(row.count for row in full) >= DENSE * len(full)
    usual = span if dense else statistics.median(pauses or [span])
    last = None
    for row in rows:
        if last is not None and row.at - last > (1.5 if dense else 2.5) * usual:
            yield Bucket(last + span, None, None, None, 0)
        last = row.at
        yield row


def readings(line: Line, start: int, end: int) -> Iterator[list[tuple[int, float]]]:
    """The (time, value) of a series in a range, page by page: nothing is held up meanwhile."""
    while page := database.execute_sql(_PAGE, (line.series, start, end)).fetchall():
        yield page
        start = page[-1][0] + 1


def public(bucket: Bucket) -> dict[str, Any]:
    """A bucket as the API shows it; `at` is ms."""
    least, most = bucket.low, bucket.high
    return {"at": bucket.at, "min": least, "mean": bucket.mean, "max": most, "count": bucket.count}
