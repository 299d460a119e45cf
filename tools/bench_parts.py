"""The parts of the benchmark that use light boards: throughput, its share of the ceiling, latency.

Every part is a generator: it yields after each step, so that progress can be shown.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from backend.brokers.broker import BACKEND_USER
from tools import bench_mqtt, bench_site
from tools.bench_load import Times
from tools.bench_report import Report

THROUGHPUT = "commands per second"
COMPLETED_AT_100 = "click to completed at 100/s"


@dataclass(frozen=True)
class Size:
    """How much is measured; times in seconds."""

    rounds: int
    ceiling: float
    load: float
    latency: float
    pins: float
    naive: float
    presence: float
    beating: int  # boards
    readings: int  # rows
    windows: tuple[int, ...] = (1, 64, 256)
    outstanding: tuple[int, ...] = (64, 128, 256)
    naive_rates: tuple[int, ...] = (0, 150, 250)  # clicks per second; 0: as fast as it takes them


WHOLE = Size(3, 1.5, 4, 10, 15, 10, 20, beating=10_000, readings=8 * 30 * 8_640)
QUICK = Size(1, 0.4, 1, 1, 3, 1, 2, 500, 80_000, (1, 256), (128,), naive_rates=(0,))


def throughput_steps(size: Size) -> int:
    """How often `throughput` yields."""
    return size.rounds * (len(size.windows) + len(size.outstanding))


def throughput(size: Size, report: Report, broker: str) -> Iterator[None]:
    """Ceiling and end to end in turns, so that both see the same machine; then their ratio."""
    ceilings: dict[int, list[float]] = {window: [] for window in size.windows}
    rates: dict[int, list[float]] = {count: [] for count in size.outstanding}
    cpu: list[float] = []
    with bench_site.running(broker) as site:
        names = BACKEND_USER, next(iter(site.keys))
        for _ in range(size.rounds):
            for window, found in ceilings.items():
                ends = [site.login(name) for name in names]
                found.append(bench_mqtt.ceiling(ends[0], ends[1], window, size.ceiling))
                yield
            with site.serving() as used:
                for count, found in rates.items():
                    times = site.load(size.load, outstanding=count)
                    found.append(rate_of(times))
                    cpu.append(times.cpu / max(len(times.due), 1))
                    yield
            cpu_boards = used.boards_cpu_us
        report.broken += site.check()
    _report_throughput(report, ceilings, rates)
    part = "What the measuring itself costs, on the same processors"
    report.add(part, "load: CPU for each command", statistics.median(cpu) * 1e6, "us")
    report.add(part, "light boards: CPU for each command", cpu_boards, "us")


def _report_throughput(
    report: Report, ceilings: dict[int, list[float]], rates: dict[int, list[float]]
) -> None:
    part = "Ceiling: raw MQTT QoS 1 round trips, paho to paho and back"
    for window, found in ceilings.items():
        report.add(part, f"{window} under way, median", statistics.median(found), "/s")
        report.add(part, f"{window} under way, best", max(found), "/s")
    part = "End to end: POST, durable, sent, accepted, completed, durable; one event stream"
    for count, found in rates.items():
        report.add(part, f"{count} under way, median", statistics.median(found), "/s")
        report.add(part, f"{count} under way, best", max(found), "/s")
    ceiling = max(map(statistics.median, ceilings.values()))
    rate = max(map(statistics.median, rates.values()))
    report.add(part, THROUGHPUT, rate, "/s")
    report.add(part, "share of the ceiling (medians of the best setting)", rate / ceiling, "", 0.2)


def rate_of(times: Times) -> float:
    """Commands per second from the first click to the last result."""
    return len(times.due) / (max(times.completed) - min(times.due)) if times.due else 0.0


def latency_steps(size: Size) -> int:
    """How often `latency` yields."""
    return 4


def latency(size: Size, report: Report, broker: str) -> Iterator[None]:
    """Clicks on a fixed schedule, timed from when each was due to when the stream told of it."""
    part = "Latency, light boards: from the click's due time to its event on the stream"
    with bench_site.running(broker) as site, site.serving():
        most = report.value(THROUGHPUT) or rate_of(site.load(size.load, outstanding=128))
        yield
        for rate, name in ((100, "100/s"), (500, "500/s"), (most / 2, "half the most")):
            times = site.load(size.latency, rate=rate)
            targets = (3.0, 12.0) if rate in (100, 500) else (0.0, 0.0)
            label = name if rate in (100, 500) else f"{name} ({rate:.0f}/s)"
            report.spread(part, f"click to 202 at {label}", since(times, times.answered))
            report.spread(part, f"click to accepted at {label}", since(times, times.accepted))
            report.spread(
                part, f"click to completed at {label}", since(times, times.completed), *targets
            )
            yield
        report.broken += site.check()


def since(times: Times, then: list[float]) -> list[float]:
    """ms from when each click was due."""
    return [(at - due) * 1000 for due, at in zip(times.due, then, strict=True)]
