"""Readings and sensors over HTTP, and the files that draw them."""

import csv
import hashlib
import io
import time
from typing import Any

import pytest
from protocol.topics import SENSORS, THRESHOLD

from backend.delivery.part import Part
from backend.readings.charts import POINTS_MAX
from backend.web.render import rfc3339
from tests.backend.running import eventually
from tests.web.pond import Pond
from tests.web.site import Client, Site
from tests.web.test_openapi import validator
from tests.web.village import Village

NOW = int(time.time()) // 600 * 600  # nothing hangs on where in an hour this is


def read(pond: Pond, *values: tuple[str, float, int], unit: str = "mg/l") -> None:
    """The board tells of (sensor, value, Unix seconds)."""
    readings = [{"sensor": name, "value": value, "unit": unit, "timestamp": at}
                for name, value, at in values]  # fmt: skip
    pond.say_as(SENSORS, "sensors", {"boot": "b1", "readings": readings, "failed": {}})


def ask(client: Client, path: str = "", status: int = 200) -> Any:
    reply = client.call("GET", f"boards/pond/{path}")
    assert reply.status == status, reply.raw
    return reply.json


@pytest.fixture(scope="module")
def measured(site: Site) -> Pond:
    """The pond with an hour of readings of two sensors, each minute."""
    pond = Pond(site)
    for minute in range(60):
        at = NOW - 3600 + 60 * minute
        read(pond, ("oxygen1", minute, at), ("water1", 20, at))
    client = site.program()

    def count() -> int:
        series = ask(client, f"readings?from={rfc3339((NOW - 3600) * 1000)}")["series"]
        return sum(one["count"] for some in series for one in some["buckets"])

    eventually(lambda: count() == 120)
    return pond


def test_a_chart_is_a_bounded_number_of_buckets(measured: Pond, program: Client) -> None:
    window = f"from={rfc3339((NOW - 3600) * 1000)}&to={rfc3339(NOW * 1000)}"
    found = ask(program, f"readings?sensor=oxygen1&{window}&points=7")
    validator("Readings").validate(found)
    (series,) = found["series"]
    assert (series["sensor"], series["unit"], series["span_s"]) == ("oxygen1", "mg/l", 600)
    assert [one["count"] for one in series["buckets"]] == [10] * 6
    first = series["buckets"][0]
    assert (first["min"], first["mean"], first["max"]) == (0, 4.5, 9)
    assert first["at"] == rfc3339((NOW - 3600) * 1000)
    both = ask(program, f"readings?sensor=oxygen1,water1&{window}")["series"]
    assert [one["sensor"] for one in both] == ["oxygen1", "water1"]
    year = ask(program, f"readings?from={rfc3339((NOW - 365 * 86400) * 1000)}&points=400")
    assert year["series"][0]["span_s"] == 86_400


def test_the_newest_of_each_sensor_and_its_age(measured: Pond, program: Client) -> None:
    crossed = {"boot": "b1", "sensor": "oxygen1", "limit": "low", "state": "crossed", "value": 3,
               "unit": "mg/l", "timestamp": NOW}  # fmt: skip
    measured.say_as(THRESHOLD, "threshold", crossed)
    eventually(lambda: ask(program, "sensors")["sensors"][0]["limits"])
    found = ask(program, "sensors")
    validator("Sensors").validate(found)
    oxygen, water = found["sensors"]
    assert (oxygen["sensor"], oxygen["value"], oxygen["unit"]) == ("oxygen1", 59, "mg/l")
    assert oxygen["at"] == rfc3339((NOW - 60) * 1000) and 59 <= oxygen["age_s"] < 3600
    assert oxygen["limits"] == {"low": "crossed"} and water["limits"] == {}
    assert oxygen["since"] <= rfc3339((NOW - 3600) * 1000)


class Watching(Part):
    """Watches the oxygen of the pond."""

    def limits(self, board_id: str) -> list[tuple[str, str, float]]:
        return [("oxygen1", "too little", 4.0)] if board_id == "pond" else []


def test_what_is_watched_is_told_to_be_drawn(
    site: Site, measured: Pond, program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = site.station.backend._core.parts
    monkeypatch.setattr(parts, "all", (*parts.all, Watching(parts.orders)))
    oxygen, water = ask(program, "sensors")["sensors"][-2:]
    assert oxygen["watched"] == [{"name": "too little", "value": 4.0}]
    assert water["watched"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-11-21T07:00:00", "from"),
        ("to=1999-01-01T00:00:00Z", "to"),
        ("from=2026-11-21T07:00:00Z&to=2026-11-21T07:00:00Z", "from"),
        ("points=1", "points"),
        (f"points={POINTS_MAX + 1}", "points"),
        ("sensor=a b", "sensor"),
        ("sensor=", "sensor"),
        ("sensor=" + ",".join("abcdefghijklmnopq"), "sensor"),
        ("every=1", "every"),
    ],
)
def test_what_can_not_be_asked_is_told_by_name(program: Client, query: str, field: str) -> None:
    query = query.replace(" ", "%20")
    assert ask(program, f"readings?{query}", 400)["field"] == field


def test_csv_has_every_reading_and_computes_nothing(measured: Pond, program: Client) -> None:
    read(measured, ("odd1", 1.5, NOW - 30), unit="=1+1")
    window = f"from={rfc3339((NOW - 3600) * 1000)}"
    eventually(lambda: ask(program, f"readings?sensor=odd1&{window}")["series"])
    reply = program.call("GET", f"boards/pond/readings.csv?{window}")
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="pond.csv"'
    head, *rows = csv.reader(io.StringIO(reply.raw.decode()))
    assert head == ["time", "sensor", "value", "unit"] and len(rows) == 121
    assert rows[0] == [rfc3339((NOW - 30) * 1000), "odd1", "1.5", "'=1+1"]
    assert rows[1] == [rfc3339((NOW - 3600) * 1000), "oxygen1", "0.0", "mg/l"]
    some = program.call("GET", f"boards/pond/readings.csv?{window}&sensor=water1").raw
    assert some.count(b"\r\n") == 61


def test_a_sensor_gets_a_name_and_a_range(measured: Pond, program: Client) -> None:
    def note(status: int, sensor: str = "water1", **body: Any) -> Any:
        reply = program.call("PUT", f"boards/pond/sensors/{sensor}", body)
        assert reply.status == status, reply.raw
        return reply.json

    noted = note(200, label="Water", low=0, high=40)
    validator("Sensor").validate(noted)
    assert (noted["label"], noted["low"], noted["high"]) == ("Water", 0, 40)
    assert ask(program, "sensors")["sensors"][-1] == {**noted, "age_s": pytest.approx(
        noted["age_s"], abs=30)}  # fmt: skip
    read(measured, ("water1", 85, NOW))
    eventually(lambda: ask(program, "sensors")["sensors"][-1]["error"] == "range")
    assert note(400, low=5, high=5)["field"] == "low"
    assert note(400, low="x")["field"] == "low" and note(400, lo=1)["field"] == "lo"
    assert note(404, sensor="moon1")["error"] == "unknown_sensor"
    assert note(200)["label"] == ""
    (entry,) = program.call("GET", "audit?limit=1").json["entries"]
    assert (entry["action"], entry["subject"]) == ("sensor.note", "pond/water1")


def test_the_library_is_as_its_authors_released_it(site: Site) -> None:
    released = {
        "uplot.js": "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
        "uplot.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    }
    for name, digest in released.items():
        raw = site.client().call("GET", f"/page/{name}").raw
        assert hashlib.sha256(raw).hexdigest() == digest, name


def test_whose_site_it_is_not_sees_nothing(site: Site, measured: Pond, village: Village) -> None:
    eve = village.client("eve")
    for path in ("sensors", "readings", "readings.csv"):
        ask(eve, path, 403)
