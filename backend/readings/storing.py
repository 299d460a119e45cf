"""Readings into the database, in the transaction that took them in.

Rules of this file:
- all readings of a transaction are two statements, however many there are: see `store`;
- a reading that is there already, by its series and time, is not taken twice, and does not count
  twice in its hour;
- where a board did not know the time it is the time of hearing; such a reading is taken for a
  repetition where the same value came within REPEATED_MS;
- where a sensor begins to fail, a reading without a value says so: a chart has a gap there.
"""

import json
from collections import Counter

from backend.database.models import database
from backend.delivery.part import Orders, Part
from backend.delivery.work import Work
from backend.fleet.presence import Presence, Roster
from backend.fleet.sensors import Reading
from backend.readings.tables import SensorNote, Series

SERIES_MAX = 256  # of one board: names and units may change with each message
REPEATED_MS = 60_000
ASLEEP_MS = 86_400_000  # no sensor is read less often
HOUR_MS = 3_600_000

# Of each row: series, time, value or null, 1 where the board did not know the time.
_INSERT = f"""
    WITH new AS (
        SELECT json_extract(value, '$[0]') AS series, json_extract(value, '$[1]') AS at,
            json_extract(value, '$[2]') AS value, json_extract(value, '$[3]') AS guessed
        FROM json_each(?)
    )
    INSERT INTO reading (series, at, value) SELECT series, at, value FROM new
    WHERE NOT guessed OR NOT EXISTS (
        SELECT 1 FROM reading AS r WHERE r.series = new.series AND r.value = new.value
            AND r.at > new.at - {REPEATED_MS}
    )
    ON CONFLICT (series, at) DO UPDATE SET value = excluded.value
        WHERE reading.value IS NULL AND excluded.value IS NOT NULL
    RETURNING series, at, value
"""
_ADD_UP = f"""
    INSERT INTO reading_hour (series, at, low, high, total, count)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') / {HOUR_MS} * {HOUR_MS},
        MIN(json_extract(value, '$[2]')), MAX(json_extract(value, '$[2]')),
        SUM(json_extract(value, '$[2]')), COUNT(*)
    FROM json_each(?) WHERE true GROUP BY 1, 2
    ON CONFLICT (series, at) DO UPDATE SET low = MIN(low, excluded.low),
        high = MAX(high, excluded.high), total = total + excluded.total,
        count = count + excluded.count
"""
_LAST = """
    SELECT s.board_id, s.sensor, s.unit, s.id, r.at, r.value FROM series AS s
    LEFT JOIN reading AS r ON r.series = s.id AND r.at = (
        SELECT MAX(at) FROM reading WHERE series = s.id AND value IS NOT NULL
    ) ORDER BY r.at DESC
"""


class Readings(Part):
    """Stores what `work.readings` and `work.failures` hold. `plausible`: the least and the most
    that a (board, sensor) is believed, see `SensorNote`.
    """

    def __init__(self, orders: Orders) -> None:
        super().__init__(orders)
        self.plausible: dict[tuple[str, str], tuple[float | None, float | None]] = {}
        self._series: dict[tuple[str, str, str], int] = {}
        self._count: Counter[str] = Counter()  # by board

    def recall(self, roster: Roster) -> None:
        """After a start: know the series there are, and let boards show what they last said."""
        newest: dict[str, int] = {}
        for board_id, sensor, unit, number, at, value in database.execute_sql(_LAST).fetchall():
            self._know((board_id, sensor, unit), number)
            board = roster.get(board_id)
            # Not what it once measured with sensors that it had long ago, or in other units.
            first = at is not None and at > newest.setdefault(board_id, at) - ASLEEP_MS
            if board and first and sensor not in board.sensors:
                board.sensors[sensor] = Reading(value, unit, at // 1000)
        for note in SensorNote.select():
            self.plausible[note.board_id, note.sensor] = note.low, note.high

    def believes(self, board_id: str, sensor: str, value: float) -> bool:
        """Whether a value can be right, as far as somebody has said what can."""
        low, high = self.plausible.get((board_id, sensor), (None, None))
        return (low is None or low <= value) and (high is None or value <= high)

    def hear(self, work: Work) -> None:
        """Store what this transaction has taken in."""
        rows: list[tuple[int, int, float | None, int]] = []
        without_time: Counter[int] = Counter()
        for one in work.readings:
            number = self._number(work, one.board, one.sensor, one.unit)
            if number is not None:
                later = without_time[number]  # of several at once each has a time of its own
                rows.append((number, one.at + later, one.value, int(one.guessed)))
                without_time[number] += one.guessed
        for board, sensor in work.failures:
            unit = board.sensors.get(sensor, Reading()).unit
            known = self._series.get((board.board_id, sensor, unit))
            if known is not None:
                rows.append((known, work.now, None, 0))
        if rows:
            store(rows)

    def _number(self, work: Work, board: Presence, sensor: str, unit: str) -> int | None:
        """The series, made where there is none; None where the board has too many."""
        key = (board.board_id, sensor, unit)
        if key not in self._series:
            if self._count[board.board_id] >= SERIES_MAX:
                work.refused["too_many_sensors"] += 1
                return None
            row = dict(zip(("board_id", "sensor", "unit"), key, strict=True))
            self._know(key, Series.insert(row).execute())
        return self._series[key]

    def _know(self, key: tuple[str, str, str], number: int) -> None:
        self._series[key] = number
        self._count[key[0]] += 1


def store(rows: list[tuple[int, int, float | None, int]]) -> None:
    """Insert rows of (series, at, value, 1 where `at` was guessed), and add up their hours."""
    fresh = database.execute_sql(_INSERT, (json.dumps(rows),)).fetchall()
    if values := [row for row in fresh if row[2] is not None]:
        database.execute_sql(_ADD_UP, (json.dumps(values),))
