"""Readings: what a flood of them costs everybody else, and how long a chart takes.

The flood comes from a process of its own that speaks for all boards, 8 readings in a message, as
boards send them after they were out of reach. Commands are measured with and without it in turns,
so that both see the same machine; what counts is the ratio. Afterwards every reading that the
broker took must be in the database once.

Charts are asked for from a database of a month of readings every 10 s, of several sensors.
"""

import contextlib
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from protocol import encode
from protocol.signature import key_from_hex
from protocol.topics import SENSORS, topic

from backend.brokers.broker import BACKEND_USER
from backend.database.models import database
from backend.readings import charts
from backend.readings.storing import HOUR_MS
from backend.readings.tables import Series
from backend.schema import open_database
from tools import bench_site
from tools.bench_load import Times
from tools.bench_mqtt import Login, make_client, spawn
from tools.bench_parts import Size, rate_of, since
from tools.bench_presence import cpu_seconds
from tools.bench_report import Report, percentile
from tools.chaos_http import until

FLOOD = "Readings: commands beside a flood of them"
CHARTS = "Readings: charts out of many rows"
IN_A_MESSAGE = 8
RATE = 250  # messages per second; 10,000 boards that send one each 40 s
LOAD = 50  # commands per second, for latency
BEGINS, TURN_S = 1_750_000_000, 1_000_000  # Unix seconds; no reading is of the same time twice
TIMES_SLOWER, SHARE_LEFT = 2.0, 0.5  # targets
_SENSORS = tuple(f"sensor{number}" for number in range(IN_A_MESSAGE))
_FILL = """
    INSERT INTO reading (series, at, value)
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)
    SELECT :series, :start + i * 10000, (i * 7919 + :series) % 1000 / 10.0 FROM n
"""
_FILL_HOURS = f"""
    INSERT INTO reading_hour (series, at, low, high, total, count)
    SELECT series, at / {HOUR_MS} * {HOUR_MS}, MIN(value), MAX(value), SUM(value), COUNT(*)
    FROM reading GROUP BY 1, 2
"""


def readings_steps(size: Size) -> int:
    """How often `readings` yields."""
    return 2 * size.rounds + 3


def readings(size: Size, report: Report, broker: str) -> Iterator[None]:
    """The flood, then the charts."""
    times: dict[bool, list[tuple[Times, Times]]] = {False: [], True: []}
    with bench_site.running(broker) as site:
        with site.backend() as process, site.light_boards():
            with _flood(site, True, BEGINS - TURN_S) as flood:
                used = cpu_seconds(process.pid)
                time.sleep(size.load)
            sent = flood.sent
            stored_alone = _stored(site.database, sent * IN_A_MESSAGE)
            used = cpu_seconds(process.pid) - used
            yield
            for turn in range(size.rounds):
                for flooded, found in times.items():
                    with _flood(site, flooded, BEGINS + turn * TURN_S) as flood:
                        calm = site.load(size.load, rate=LOAD)
                        found.append((site.load(size.load, outstanding=128), calm))
                    sent += flood.sent
                    stored = _stored(site.database, sent * IN_A_MESSAGE)
                    yield
        report.broken += site.check()
    if stored != sent * IN_A_MESSAGE:
        report.broken.append(f"{sent * IN_A_MESSAGE} readings were sent, {stored} are stored")
    report.add(FLOOD, f"readings stored, each once, at {RATE * IN_A_MESSAGE:,}/s", stored, "")
    report.add(FLOOD, "CPU of the backend for each reading", used / stored_alone * 1e6, "us")
    _report_flood(report, times)
    yield
    _charts(size, report)
    yield


def _report_flood(report: Report, times: dict[bool, list[tuple[Times, Times]]]) -> None:
    rates = {
        key: statistics.median(rate_of(one[0]) for one in found) for key, found in times.items()
    }
    for flooded, words in ((False, "without"), (True, "with")):
        report.add(FLOOD, f"commands per second {words}", rates[flooded], "/s")
    report.add(FLOOD, "share that is left of them", rates[True] / rates[False], "", SHARE_LEFT)
    for share in (50, 99):
        ms = {
            key: percentile([t for _, one in found for t in since(one, one.completed)], share)
            for key, found in times.items()
        }
        report.add(FLOOD, f"click to completed p{share} without", ms[False], "ms")
        report.add(FLOOD, f"click to completed p{share} with", ms[True], "ms")
        ratio = ms[True] / ms[False]
        report.add(FLOOD, f"times as long at p{share}", ratio, "", TIMES_SLOWER, at_most=True)


def _stored(path: Path, wanted: int) -> int:
    """How many readings there are, once nothing more is to come."""

    def count() -> int:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT COUNT(*) FROM reading").fetchone()[0])

    with contextlib.suppress(TimeoutError):
        until(lambda: count() >= wanted)
    return count()


class _flood:  # noqa: N801 (used as a function)
    """The process that floods, while it runs; `sent`: messages that the broker has taken."""

    def __init__(self, site: bench_site.Site, really: bool, first: int) -> None:
        self.sent, self._really = 0, really
        keys = {name: told["key"] for name, told in site.keys.items()}
        self._ours, theirs = spawn.Pipe()
        arguments = (site.login(BACKEND_USER), keys, first, theirs)
        self._process = spawn.Process(target=_pour, args=arguments, daemon=True)

    def __enter__(self) -> "_flood":
        if self._really:
            self._process.start()
            assert self._ours.poll(60)
            self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        if self._really:
            self._ours.send("stop")
            if self._ours.poll(60):
                self.sent = self._ours.recv()
            self._process.terminate()
            self._process.join()


def _pour(login: Login, keys: dict[str, str], first: int, control: Connection) -> None:
    """Messages at RATE until it is told to stop; then it says how many were confirmed.

    `first`: when the first readings are of, in Unix seconds; each next one is a second later.
    """
    client, confirmed = make_client(login, "flood"), 0

    def published(*_: Any) -> None:
        nonlocal confirmed
        confirmed += 1

    client.on_publish = published
    client.connect(login.host, login.port)
    while not client.is_connected():
        client.loop(0.05)
    control.send(True)
    boards = [(name, key_from_hex(key)) for name, key in keys.items()]
    began, number = time.monotonic(), 0
    while not control.poll():
        client.loop(0.002)
        while number < (time.monotonic() - began) * RATE:
            name, key = boards[number % len(boards)]
            said = _message(first + number // len(boards))
            client.publish(topic(name, SENSORS), encode("sensors", said, key), 1)
            number += 1
    while confirmed < number:
        client.loop(0.05)
    control.recv()
    control.send(confirmed)


def _message(at: int) -> dict[str, Any]:
    values = [
        {"sensor": name, "value": at % 100 / 10, "unit": "mg/l", "timestamp": at}
        for name in _SENSORS
    ]
    return {"boot": "0123456789abcdef", "readings": values, "failed": {}}


def _charts(size: Size, report: Report) -> None:
    month = 30 * charts.DAY_MS
    end = int(time.time()) * 1000
    start = end - size.readings // IN_A_MESSAGE * 10_000
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        opened = open_database(f"sqlite:///{folder}/bench.db")
        with opened.atomic():
            for name in _SENSORS:
                number = Series.insert(board_id="pond", sensor=name, unit="mg/l").execute()
                told = {"series": number, "start": start, "count": size.readings // IN_A_MESSAGE}
                database.execute_sql(_FILL, told)
            database.execute_sql(_FILL_HOURS)
        report.add(CHARTS, "readings in the database", size.readings, "")
        for words, length in (("an hour", HOUR_MS), ("a day", charts.DAY_MS),
                              ("a week", 7 * charts.DAY_MS), ("a month", month)):  # fmt: skip
            ms = [_ask(end - length, end) for _ in range(5)]
            report.add(CHARTS, f"a sensor's chart of {words}, median", statistics.median(ms), "ms",
                       100.0, at_most=True)  # fmt: skip
        opened.close()


def _ask(start: int, end: int) -> float:
    began = time.perf_counter()
    (line,) = charts.lines("pond", (_SENSORS[0],))
    charts.buckets(line, start, end, charts.POINTS)
    return (time.perf_counter() - began) * 1000
