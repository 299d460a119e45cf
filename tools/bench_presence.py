"""What it costs to know who is there: many boards that beat, over a real broker, nothing else.

The beats come from a process of its own that speaks for all boards through one connection, each
signed with its board's key and evenly spread. What is measured is the CPU time of the whole
backend process, all threads, as the system counts it (Linux).
"""

import threading
import time
import urllib.request
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from protocol import encode
from protocol.limits import HEARTBEAT_SECONDS
from protocol.signature import key_from_hex
from protocol.topics import HEARTBEAT, topic

from backend.brokers.broker import BACKEND_USER
from backend.database.models import Board
from backend.delivery.writer import now_ms
from backend.schema import open_database
from tools import bench_site
from tools.bench_mqtt import Login, make_client, spawn
from tools.bench_parts import Size
from tools.bench_report import Report
from tools.chaos_http import until

PART = "Presence: CPU of the backend while boards beat"
TARGET = 0.5
_KEY = "ab" * 32
_TICKS = 100.0  # of /proc, in a second
_BEAT = {"boot": "0123456789abcdef", "session": 1, "uptime": 1, "heap": 100_000, "rssi": -50,
         "running": {}, "latched": False, "dropped": {}}  # fmt: skip


def presence_steps(size: Size) -> int:
    """How often `presence` yields."""
    return 3


def presence(size: Size, report: Report, broker: str) -> Iterator[None]:
    """All boards come, then beat for a while; nobody may be missed, nothing may be written."""
    names = [f"beat-{number:05}" for number in range(size.beating)]
    with bench_site.running(broker) as site:
        _enroll(site.database, names)
        wal = site.database.with_name(site.database.name + "-wal")
        with site.backend() as process, _beating(site.login(BACKEND_USER), names):
            until(lambda: _online(site) >= len(names), 120)
            yield
            _share(process.pid, 2)  # what the beginning has left to do
            yield
            written, heard, began = wal.stat().st_size, _heard(site), time.monotonic()
            used = _share(process.pid, size.presence)
            rate = (_heard(site) - heard) / (time.monotonic() - began)
            grown, online = wal.stat().st_size - written, _online(site)
            yield
    if online != len(names) or grown:
        report.broken.append(f"{online} of {len(names)} online; {grown} bytes were written")
    name = f"{len(names):,} boards, each every {HEARTBEAT_SECONDS} s: processors"
    report.add(PART, name, used, "", TARGET, at_most=True)
    report.add(PART, "beats heard", rate, "/s", 0.95 * len(names) / HEARTBEAT_SECONDS)
    report.add(PART, "CPU for each beat", used / rate * 1e6, "us")


def _online(site: bench_site.Site) -> int:
    return int(site.api.get("health")["boards"]["online"])


def _heard(site: bench_site.Site) -> float:
    """Heartbeats so far, as the backend's own metrics count them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{site.http_port}/metrics") as answer:
        text = answer.read().decode()
    wanted = 'answerback_messages_total{direction="in",kind="heartbeat"} '
    return sum(float(line[len(wanted) :]) for line in text.splitlines() if line.startswith(wanted))


def _enroll(database: Path, names: list[str]) -> None:
    opened = open_database(f"sqlite:///{database}")
    common = {"key": _KEY, "password": "", "created_at": now_ms()}
    with opened.atomic():
        for start in range(0, len(names), 100):
            rows = [{"id": one, "name": one, **common} for one in names[start : start + 100]]
            Board.insert_many(rows).execute()
    opened.close()


def _share(pid: int, seconds: float) -> float:
    """How many processors a process uses on average."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors, all its threads together (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class _beating:  # noqa: N801 (used as a function)
    """The process that beats, while it runs."""

    def __init__(self, login: Login, names: list[str]) -> None:
        self._ours, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_beat, args=(login, names, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> None:
        assert self._ours.poll(60)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def _beat(login: Login, names: list[str], ready: Connection) -> None:
    """Beats for all of them until it is ended."""
    key = key_from_hex(_KEY)
    payload = encode("heartbeat", _BEAT, key)
    client, there = make_client(login, "beating"), threading.Event()
    client.on_connect = lambda *_: there.set()
    client.connect(login.host, login.port)
    client.loop_start()
    there.wait()
    ready.send(True)
    pause = HEARTBEAT_SECONDS / len(names)
    due = time.monotonic() - 0.8 * HEARTBEAT_SECONDS  # the first round is a quick one
    while True:
        for name in names:
            client.publish(topic(name, HEARTBEAT), payload, 0)
            due += pause
            wait = due - time.monotonic()
            if wait > 0.01:
                time.sleep(wait)
