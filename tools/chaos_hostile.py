"""Messages meant to hurt the backend: it stays small, and honest boards suffer nothing."""

import json
import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.brokers.parsing import KEPT
from backend.brokers.topics import STRANGE_MAX
from backend.fleet.newcomers import PENDING_MAX
from tools.brokers import Broker
from tools.chaos_http import PATIENCE, until
from tools.chaos_report import Report
from tools.chaos_site import PASSWORD, Site
from tools.chaos_truth import feeder

BOARD = "pond-1"
FEEDS = 20
MEMORY_SLACK = 64 << 20  # bytes: buffers of a flood, topics and samples, not the messages
AHEAD = 2_000  # messages that the broker has not confirmed yet
_LEAVES = ("ack", "status", "data/startup", "data/heartbeat", "data/image", "threshold", "x")
_DIALECTS = {"DIALECTS": "esp32cam,museum", "DISCOVER": "#"}


def messages(rng: random.Random, count: int) -> Any:
    """(topic, payload): unknown topics and boards, strangers, forgeries, noise, and huge ones."""
    kinds = (_nonsense, _nobody, _stranger, _forged, _museum)
    for number in range(count):
        topic, payload = rng.choice(kinds)(rng)
        yield topic, rng.randbytes(200_000) if number % 2_000 == 1_999 else payload


def _nonsense(rng: random.Random) -> tuple[str, bytes]:
    levels = [f"{rng.randrange(10**6):x}" for _ in range(rng.randint(1, 9))]
    return "/".join(levels), rng.randbytes(rng.randrange(100))


def _nobody(rng: random.Random) -> tuple[str, bytes]:
    return f"devices/nobody-{rng.randrange(10**6)}/{rng.choice(_LEAVES)}", b'{"status":"online"}'


def _stranger(rng: random.Random) -> tuple[str, bytes]:
    said = rng.choice([{"status": "Alive"}, {"chunk_id": 1, "image_name": "a"}, [], {"a": [[]]}])
    mac = f"{rng.randrange(1 << 48):012X}"
    return f"ESP32CAM/{mac}/{rng.choice(['status', 'data', 'ack'])}", json.dumps(said).encode()


def _forged(rng: random.Random) -> tuple[str, bytes]:
    said = {"command_id": "x", "state": "completed", "sig": f"{rng.randrange(1 << 256):064x}"}
    raw = json.dumps(said).encode()[: rng.randrange(1, 140)]
    return f"devices/{BOARD}/{rng.choice(_LEAVES)}", raw


def _museum(rng: random.Random) -> tuple[str, bytes]:
    return f"room{rng.randrange(10**5)}/status", rng.choice([b"OK", b"ERROR", b"?" * 99])


class Crowd:
    """A client with the backend's rights, which publishes as fast as the broker takes it."""

    def __init__(self, port: int) -> None:
        self._sent = self._confirmed = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "hostile")
        self._client.max_inflight_messages_set(0)
        self._client.username_pw_set(BACKEND_USER, PASSWORD)
        self._client.on_publish = self._published
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def say(self, topic: str, payload: bytes) -> None:
        """Publish, waiting while too much is under way."""
        self._client.publish(topic, payload, 1)
        self._sent += 1
        if self._sent - self._confirmed > AHEAD:
            self.wait(AHEAD // 2)

    def wait(self, left: int = 0) -> None:
        """Wait until the broker has confirmed all but so many."""
        until(lambda: self._sent - self._confirmed <= left)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _published(self, *_: Any) -> None:
        self._confirmed += 1


def _resident(pid: int) -> int:
    """Bytes of memory a process holds (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _broker(directory: Path, port: int, users: Mapping[str, str]) -> Broker:
    return EmbeddedBroker(directory, port, users, {BACKEND_USER: ["#"]})


def _settled(site: Site) -> int:
    """What the backend has refused, once that grows no more."""
    seen: list[int] = []

    def still() -> bool:
        seen.append(sum(site.api.get("health")["refused"].values()))
        time.sleep(0.2)
        return len(seen) > 3 and len(set(seen[-3:])) == 1

    until(still, 4 * PATIENCE)
    return seen[-1]


def _look(site: Site, before: int, report: Report) -> None:
    """Compare what is kept with what may be."""
    grown = _resident(site.backend.pid) - before
    report.count("messages refused and counted", _settled(site))
    report.count("bytes of memory more", max(grown, 0))
    if grown > MEMORY_SLACK:
        report.blame([f"the backend grew by {grown} bytes"])
    boards = site.api.get("boards")["boards"]
    report.count("strangers listed", len(boards) - 1)
    topics, page = 0, site.api.get("topics?limit=200")
    while page["topics"]:
        topics += len(page["topics"])
        page = site.api.get(page["next"].split("/v1/")[1]) if page["next"] else {"topics": []}
    report.count("topics kept", topics)
    newest = site.api.get("parsing-log?limit=1")["failures"][0]["id"]
    report.count("rows written to the parsing log", newest)
    if len(boards) - 1 > PENDING_MAX or topics > STRANGE_MAX + 100:
        report.blame([f"{len(boards)} boards and {topics} topics are kept"])
    oldest = site.api.get(f"parsing-log?limit=1&before={max(newest - KEPT, 1)}")["failures"]
    if oldest:
        report.blame(["the parsing log has no end"])


def run(folder: Path, count: int, seed: int, tick: Callable[[], object]) -> Report:
    """`count` hostile messages while an honest board is fed; `tick` is called after each."""
    report = Report("hostile messages")
    rng = random.Random(seed)
    with Site(folder, {BOARD: {"feeder1": feeder(16)}}, _broker, more=_DIALECTS) as site:
        crowd = Crowd(site.broker.port)
        before, posted = _resident(site.backend.pid), []
        for number, (topic, payload) in enumerate(messages(rng, count)):
            if number % max(count // FEEDS, 1) == 0:
                more = {"target": "feeder1", "parameters": {"amount": 1}, "expires_in": 600}
                posted.append(site.api.post(f"feed-{number}", BOARD, "feed", **more)[0]["id"])
            crowd.say(topic, payload)
            tick()
        crowd.wait()
        crowd.close()
        for found in site.settle(BOARD, 4 * PATIENCE):
            report.count(f"feeds of the honest board: {found['status']}")
            if found["status"] != "COMPLETED":
                report.blame([f"a feed is {found['status']}"])
        if report.counts["feeds of the honest board: COMPLETED"] != len(posted):
            report.blame([f"of {len(posted)} feeds some are gone"])
        report.count("hostile messages", count)
        _look(site, before, report)
    return report
