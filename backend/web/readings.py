"""What boards have measured, over HTTP: the newest values, charts, CSV, and notes on sensors."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from protocol.fields import Number, identifier, reason
from protocol.limits import SAFE_INTEGER

from backend.delivery.writer import now_ms
from backend.errors import no_board
from backend.people.access import ADMIN, VIEWER, require
from backend.people.audit import Noted
from backend.readings import charts, notes
from backend.service import Backend
from backend.web import render
from backend.web.http import Answer, Call, Members, Reader, read_number, refuse, text
from backend.web.routes import API, Route

SENSORS_MAX = 16  # that may be named in a query
_YEARS = (2000, 2100)
_VALUE = Number(-SAFE_INTEGER, SAFE_INTEGER, "", True)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet would begin to compute


def read_time(name: str, value: str) -> int:
    """A Reader: RFC 3339 text as ms since 1970."""
    try:
        at = datetime.fromisoformat(value.replace(" ", "+"))  # a + that nobody has escaped
    except ValueError:
        refuse(name, "must be a time such as 2026-11-21T07:00:00Z")
    if at.tzinfo is None:
        refuse(name, "must say its offset, such as Z or +01:00")
    if not _YEARS[0] <= at.year < _YEARS[1]:
        refuse(name, f"must be a time from {_YEARS[0]} to {_YEARS[1]}")
    return round(at.timestamp() * 1000)


def read_sensors(name: str, value: str) -> tuple[str, ...]:
    """A Reader: names with commas between."""
    names = tuple(value.split(","))
    if len(names) > SENSORS_MAX:
        refuse(name, f"must name {SENSORS_MAX} sensors at most")
    for one in names:
        if why := identifier(one):
            refuse(name, f"must be a sensor's name, or several with commas between, which {why}")
    return names


def _bound(value: Any) -> str | None:
    why: str | None = None if value is None else reason(_VALUE, value)
    return why and f"{why}, or null for none"


_RANGE: dict[str, Reader] = {"sensor": read_sensors, "from": read_time, "to": read_time}
_NOTE = Members({}, {"label": text(64), "low": _bound, "high": _bound})


class ReadingRoutes:
    """`/boards/<board_id>/sensors`, `…/readings` and `…/readings.csv`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        board = f"{API}/boards/<board_id>"
        points = {"points": read_number(2, charts.POINTS_MAX)}
        return [
            Route("GET", f"{board}/sensors", self.sensors),
            Route("PUT", f"{board}/sensors/<sensor>", self.note),
            Route("GET", f"{board}/readings", self.readings, query={**_RANGE, **points}),
            Route("GET", f"{board}/readings.csv", self.download, query=_RANGE),
        ]

    def sensors(self, call: Call, board_id: str) -> Answer:
        """What a board measures, or once did: the newest value of each sensor, and its age."""
        self._require(call, VIEWER, board_id)
        return Answer({"sensors": self._sensors(board_id)})

    def note(self, call: Call, board_id: str, sensor: str) -> Answer:
        """The sensor, of which administrators now say something else."""
        self._require(call, ADMIN, board_id)
        values = call.body(_NOTE)
        task = notes.Note(board_id, sensor, **values)
        wish = Noted(task, call.actor, "sensor.note", f"{board_id}/{sensor}", values)
        self._backend.perform(wish)
        (row,) = (row for row in self._sensors(board_id) if row["sensor"] == sensor)
        return Answer(row)

    def readings(self, call: Call, board_id: str) -> Answer:
        """Buckets of each sensor in a range of time."""
        self._require(call, VIEWER, board_id)
        start, end = _range(call.query)
        points = call.query.get("points", charts.POINTS)
        found = charts.newest(charts.lines(board_id, call.query.get("sensor", ())))
        points = min(points, charts.ALL_POINTS_MAX // max(len(found), 1))
        series = [_series(line, *charts.buckets(line, start, end, points)) for line in found]
        told = {"from": render.rfc3339(start), "to": render.rfc3339(end)}
        return Answer({**told, "series": series})

    def download(self, call: Call, board_id: str) -> Answer:
        """Every reading in a range of time, as CSV, by sensor."""
        self._require(call, VIEWER, board_id)
        start, end = _range(call.query)
        found = charts.lines(board_id, call.query.get("sensor", ()))
        headers = {
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{board_id}.csv"',
        }
        return Answer(_csv(found, start, end), 200, headers)

    def _require(self, call: Call, role: str, board_id: str) -> None:
        require(call.who, role, self._backend.site_of(board_id), no_board(board_id))

    def _sensors(self, board_id: str) -> list[dict[str, Any]]:
        board, noted = self._backend.board(board_id), notes.of_board(board_id)
        lines = {line.sensor: line for line in charts.newest(charts.lines(board_id))}
        watched = self._backend.limits(board_id)
        return [
            {
                **_newest(name, board, lines.get(name)),
                "watched": [{"name": n, "value": v} for one, n, v in watched if one == name],
                **noted.get(name, notes.NOTHING),
            }
            for name in sorted({*lines, *board["sensors"]})
        ]


def _newest(name: str, board: dict[str, Any], line: charts.Line | None) -> dict[str, Any]:
    """How a sensor is; one that the board has no more has no value, but still its readings."""
    shown = board["sensors"].get(name, {"value": None, "unit": "", "at": None, "error": None})
    at = shown["at"] if line is None or shown["at"] is not None else line.newest
    limits = {key: state for key, state in board["limits"].items() if key.startswith(f"{name}.")}
    return {
        **shown,
        "sensor": name,
        "unit": shown["unit"] or (line.unit if line else ""),
        "at": render.optional_time(at),
        "age_s": None if at is None else max(0.0, (now_ms() - at) / 1000),
        "since": render.optional_time(line and line.oldest),
        "limits": {key[len(name) + 1 :]: state for key, state in limits.items()},
    }


def _range(query: dict[str, Any]) -> tuple[int, int]:
    """(from, to) in ms; the last day where nothing is said."""
    end = query.get("to", now_ms())
    start = query.get("from", end - charts.DAY_MS)
    if start >= end:
        refuse("from", "must be before to")
    return start, end


def _series(line: charts.Line, span: int, found: list[charts.Bucket]) -> dict[str, Any]:
    rows = [render.times(charts.public(one), "at") for one in found]
    return {"sensor": line.sensor, "unit": line.unit, "span_s": span // 1000, "buckets": rows}


def _csv(lines: list[charts.Line], start: int, end: int) -> Iterator[bytes]:
    yield b"time,sensor,value,unit\r\n"
    for line in lines:
        unit = f"'{line.unit}" if line.unit.startswith(_FORMULA) else line.unit
        for page in charts.readings(line, start, end):
            out = io.StringIO()
            rows = ((render.rfc3339(at), line.sensor, value, unit) for at, value in page)
            csv.writer(out).writerows(rows)
            yield out.getvalue().encode("utf-8", "replace")
