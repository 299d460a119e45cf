"""What a click to completed takes at least here, whoever writes the backend.

One HTTP answer for which nothing is done, one MQTT round trip, and two small writes that reach the
disk: the command's before the 202, its result's before the board is believed. Each is measured
alone, a hundred times a second, as the clicks come at the lowest rate.
"""

import os
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from io import FileIO

from backend.brokers.broker import BACKEND_USER
from tools import bench_mqtt, bench_site
from tools.bench_parts import COMPLETED_AT_100, Size
from tools.bench_report import Report

PAUSE = 0.01
PAGE = 4096  # SQLite's
WRITES = 2
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def floor_steps(size: Size) -> int:
    """How often `floor` yields."""
    return 3


def floor(size: Size, report: Report, broker: str) -> Iterator[None]:
    """The three, their sum, and how much longer a command took in this run."""
    part = "The least: what a click to completed takes here with no work done for it"
    with bench_site.running(broker) as site:
        ends = site.login(BACKEND_USER), site.login(next(iter(site.keys)))
        round_trip = 1000 / bench_mqtt.ceiling(*ends, 1, size.ceiling)
        yield
        with site.backend(), socket.create_connection(("127.0.0.1", site.http_port)) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer = _median_ms(lambda: _ask(sock), size.latency)
        yield
        with (site.folder / "floor").open("wb", buffering=0) as file:
            write = _median_ms(lambda: _write(file), size.latency)
        yield
    least = answer + round_trip + WRITES * write
    report.add(part, "an HTTP answer that asks nothing, p50", answer, "ms")
    report.add(part, "an MQTT QoS 1 round trip", round_trip, "ms")
    report.add(part, "4 KB on the disk (fdatasync), p50", write, "ms")
    report.add(part, "answer + round trip + two writes", least, "ms")
    took = report.value(f"{COMPLETED_AT_100} p50")
    if took:
        report.add(part, f"{COMPLETED_AT_100} p50 is so many times that", took / least, "")


def _median_ms(once: Callable[[], None], seconds: float) -> float:
    times = []
    for _ in range(int(seconds / PAUSE)):
        time.sleep(PAUSE)
        began = time.perf_counter()
        once()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _ask(sock: socket.socket) -> None:
    sock.sendall(b"GET /api/v1/nothing HTTP/1.1\r\nHost: bench\r\n\r\n")
    sock.recv(65536)


def _write(file: FileIO) -> None:
    file.write(bytes(PAGE))
    _sync(file.fileno())
