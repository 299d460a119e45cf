"""What it costs to know who is there: many boards that beat, over a real broker, nothing else.

The beats come from a process of its own that speaks for all boards through one connection, each
signed with its board's key and evenly spread. What is measured is the CPU time of the whole
backend process, all threads, as the system counts it (Linux).
"""

import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from protocol import encode
from protocol.limits import HEARTBEAT_SECONDS
from protocol.signature import key_from_hex
from protocol.topics import HEARTBEAT, topic

from backend.broker import BACKEND_USER
from backend.models import Board
from backend.schema import open_database
from backend.writer import now_ms
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
        with site.backend() as process, _beating(site.login(BACKEND_USER), names):
            health = site.api
            until(lambda: health.get("health")["boards"]["online"] >= len(names), 120)
            yield
            used = _share(process.pid, 2)  # what the beginning has left to do
            yield
            written = (site.database.with_name(site.database.name + "-wal")).stat().st_size
            used = _share(process.pid, size.presence)
            grown = (site.database.with_name(site.database.name + "-wal")).stat().st_size - written
            online = health.get("health")["boards"]["online"]
            yield
    if online != len(names) or grown:
        report.broken.append(f"{online} of {len(names)} online; {grown} bytes were written")
    rate = len(names) / HEARTBEAT_SECONDS
    name = f"{len(names):,} boards, each every {HEARTBEAT_SECONDS} s: processors"
    report.add(PART, name, used, "", TARGET, at_most=True)
    report.add(PART, "for each beat", used / rate * 1e6, "us")


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
    before, began = _cpu(pid), time.monotonic()
    time.sleep(seconds)
    return (_cpu(pid) - before) / (time.monotonic() - began)


def _cpu(pid: int) -> float:
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
    due = time.monotonic()
    while True:
        for name in names:
            client.publish(topic(name, HEARTBEAT), payload, 0)
            due += pause
            wait = due - time.monotonic()
            if wait > 0.01:
                time.sleep(wait)
