"""The same measurements of the naive backend, in `tools/naive.py`, and how they compare.

It has no event stream: what became of a command, and when, is read from its database, where the
times stand that were committed with each status. That is before anybody could have seen it.
"""

import contextlib
import json
import math
import sqlite3
import time
from collections.abc import Iterator

from tools import bench_site
from tools.bench_load import Plan, perform
from tools.bench_parts import COMPLETED_AT_100, THROUGHPUT, Size
from tools.bench_report import Report, percentile
from tools.bench_site import Site

RATE = 20  # clicks per second it can certainly hold
_PART = "The naive backend: polls every 5 s, a commit for each change"
_DRAIN_SECONDS = 120.0


def naive_steps(size: Size) -> int:
    """How often `naive` yields."""
    return len(size.naive_rates) + 1


def naive(size: Size, report: Report, broker: str) -> Iterator[None]:
    """Its throughput, as the best of some ways to load it; then its latency at a gentle rate.

    Throughput counts from its first result on: that it polls is held against it once, as latency.
    """
    rates = []
    for rate in size.naive_rates:
        with _running(broker) as site:
            ends = [at for _, at in _load(site, size.naive, rate, connections=4)]
        rates.append(len(ends) / (max(ends) - min(ends)))
        how = f"clicks at {rate}/s" if rate else "clicks as fast as it takes them"
        report.add(_PART, f"naive commands per second, {how}", rates[-1], "/s")
        yield
    with _running(broker) as site:
        times = _load(site, size.naive, rate=RATE)
    delays = [(completed - due) * 1000 for due, completed in times]
    report.spread(_PART, f"naive click to completed at {RATE}/s", delays)
    _compare(report, max(rates), percentile(delays, 50))
    yield


def _compare(report: Report, rate: float, p50: float) -> None:
    """How many times better ours is, where ours was measured in the same run."""
    ours, our_p50 = report.value(THROUGHPUT), report.value(f"{COMPLETED_AT_100} p50")
    if ours:
        report.add(_PART, "our throughput is so many times as much", ours / rate, "", 8)
    if our_p50:
        report.add(_PART, "our p50 is so many times as short", p50 / our_p50, "", 500)


@contextlib.contextmanager
def _running(broker: str) -> Iterator[Site]:
    """A site where the naive backend and the light boards run."""
    with bench_site.running(broker) as site:
        keys = site.folder / "keys.json"
        keys.write_text(json.dumps({name: told["key"] for name, told in site.keys.items()}))
        options = {
            "--database": str(site.folder / "naive.db"),
            "--broker-url": site.settings["BROKER_URL"],
            "--port": str(site.http_port),
            "--keys": str(keys),
        }
        words = [word for option in options.items() for word in option]
        with site.serving("tools.naive", *words):
            yield site


def _load(
    site: Site, seconds: float, rate: float = 0, connections: int = 32
) -> list[tuple[float, float]]:
    """(due, completed) of each click, seconds of the monotonic clock.

    Raises RuntimeError where a click was refused, TimeoutError where one never ended.
    """
    plan = Plan(
        site.http_port, site.token, site.targets, seconds, rate, connections,
        connections=connections, watch=False,
    )  # fmt: skip
    times = perform(plan)
    if times.refused:
        raise RuntimeError(f"the naive backend refused clicks: {dict(times.refused)}")
    shift = time.time() - time.monotonic()
    database = f"file:{site.folder / 'naive.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(database, uri=True, timeout=60)) as db:
        _drain(db, len(times.due))
        ends = dict(db.execute("SELECT CAST(reason AS INTEGER), completed_at FROM command"))
    return [(due, ends.get(n, math.nan) - shift) for n, due in enumerate(times.due)]


def _drain(db: sqlite3.Connection, count: int) -> None:
    """Wait until all are over; asked seldom, for whoever reads holds up whoever writes."""
    query = "SELECT COUNT(*) FROM command WHERE status = 'COMPLETED'"
    deadline = time.monotonic() + _DRAIN_SECONDS
    while (done := int(db.execute(query).fetchone()[0])) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the naive backend has completed {done} of {count} commands")
        time.sleep(0.5)
