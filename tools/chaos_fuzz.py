"""Malformed messages to a board: counted, never obeyed, and neither heap nor program suffers."""

import contextlib
import queue
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from protocol import decode
from protocol.signature import key_from_hex
from protocol.topics import ACK, COMMANDS, HEARTBEAT, PREFIX, STARTUP, topic

from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from tools.chaos_http import PATIENCE, until
from tools.chaos_noise import Noisemaker, command, missing
from tools.chaos_report import Report
from tools.chaos_site import PASSWORD, MakeBroker, Site, has_ended
from tools.chaos_truth import feeder, judge_feed, pulses_of

BOARD = "pond-1"
PIN = 16
HUGE = 3
BURST = 250  # messages between two questions whether the board has kept up
# Bytes: MicroPython's collector is conservative and may keep a message or two. A leak of a single
# byte for each message would be more.
HEAP_SLACK = 4096

_KINDS = {ACK: "ack", HEARTBEAT: "heartbeat", STARTUP: "startup"}
_STRANGE = ("commands/more", "command", "data", "ack/commands")


class Line:
    """A second client with the backend's rights: says anything, and hears the board."""

    def __init__(self, port: int, key: bytes) -> None:
        self._key = key
        self._heard: dict[str, queue.SimpleQueue[Any]] = {
            leaf: queue.SimpleQueue() for leaf in _KINDS
        }
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "chaos")
        self._client.max_inflight_messages_set(0)
        self._client.username_pw_set(BACKEND_USER, PASSWORD)
        self._client.on_message = self._message
        granted: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._client.on_subscribe = lambda *_: granted.put(True)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe([(topic(BOARD, leaf), 1) for leaf in _KINDS])
        granted.get(timeout=PATIENCE)

    def say(self, leaf: str, data: bytes) -> None:
        """Publish to one of the board's topics, or to what looks like one."""
        self._client.publish(f"{PREFIX}/{BOARD}/{leaf}", data, 1)

    def next(self, leaf: str) -> Any:
        """What the board says next on a topic, decoded. Raises queue.Empty."""
        return decode(_KINDS[leaf], self._heard[leaf].get(timeout=PATIENCE), self._key)

    def forget(self, leaf: str) -> None:
        """Drop what was heard and not asked for."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._heard[leaf].get_nowait()

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        leaf = message.topic.removeprefix(f"{PREFIX}/{BOARD}/")
        self._heard[leaf].put(bytes(message.payload))


class Fuzz:
    """Sends noise to the board and looks at what it says of itself."""

    def __init__(self, site: Site, line: Line, seed: int, report: Report) -> None:
        self._site, self._line, self._report = site, line, report
        self._key = key_from_hex(site.key(BOARD))
        now = int(time.time())
        self._noise = Noisemaker(self._key, now, seed)
        self._ping = command(self._key, "ping", "ping", now)
        self._session = 0
        self.sent: Counter[str] = Counter()

    def until_it_has_the_time(self) -> None:
        """A board without the time answers nothing: a first ping, by the backend."""
        first, _ = self._site.api.post("first", BOARD, "ping")
        until(lambda: has_ended(self._site.api.command(first["id"])))
        self._line.next(ACK)

    def send(self, count: int, tick: Callable[[], object]) -> None:
        """So much noise, no faster than the board can take it."""
        for number, (reason, data) in enumerate(self._noise.messages(count), 1):
            self._line.say(COMMANDS, data)
            self.sent[reason] += 1
            tick()
            if number % BURST == 0:
                self._line.say(_STRANGE[number // BURST % len(_STRANGE)], data)
                self.catch_up()

    def catch_up(self) -> None:
        """Wait until the board has read all that was sent."""
        self._line.forget(ACK)  # a broker may have brought an answer twice
        self._line.say(COMMANDS, self._ping)  # the same one, so that the journal does not grow
        self._line.next(ACK)

    def huge(self) -> None:
        """One message that is more than the board takes in; it connects again."""
        self._line.say(COMMANDS, self._noise.huge())
        self._line.next(STARTUP)
        self.sent["link_too_large"] += 1
        self._report.count("connections ended by a huge message")

    def heap(self) -> int:
        """The board's free heap, in bytes: the best of a few new connections."""
        return max(self._heap_once() for _ in range(3))

    def _heap_once(self) -> int:
        self._site.proxy.drop()
        said = self._line.next(STARTUP)
        self._session = said["session"]
        return int(said["heap"])

    def compare(self, boots: int) -> None:
        """What the board has counted, against what it was sent."""
        beat = self._line.next(HEARTBEAT)
        while beat["session"] != self._session:  # an earlier one, from among the noise
            beat = self._line.next(HEARTBEAT)
        self._report.count("messages dropped, by its heartbeat", sum(self.sent.values()))
        wrong = missing(self.sent, beat["dropped"])
        if wrong:
            self._report.blame([f"not counted as sent (sent, counted): {wrong}"])
        if len(self._site.board(BOARD).log.of("boot")) != boots:
            self._report.blame(["the board has started anew"])

    def feed(self) -> None:
        """A feed like any other."""
        more = {"target": "feeder1", "parameters": {"amount": 8}}
        posted, _ = self._site.api.post("afterwards", BOARD, "feed", **more)
        until(lambda: has_ended(self._site.api.command(posted["id"])))
        found = self._site.api.command(posted["id"])
        self._report.count(f"a feed afterwards: {found['status']}")
        self._report.blame(judge_feed(found, pulses_of(self._site.board(BOARD), PIN)))
        if found["status"] != "COMPLETED":
            self._report.blame([f"the feed afterwards is {found['status']} {found['error']}"])


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """`count` malformed messages, and a few huge ones; `tick` is called after each."""
    report = Report("malformed messages")
    with Site(folder, {BOARD: {"feeder1": feeder(PIN)}}, make_broker) as site:
        line = Line(site.broker.port, key_from_hex(site.key(BOARD)))
        try:
            fuzz = Fuzz(site, line, seed, report)
            fuzz.until_it_has_the_time()
            fuzz.send(BURST, lambda: None)  # every counter is there, every page compiled
            before = fuzz.heap()
            fuzz.send(count, tick)
            fuzz.catch_up()
            for _ in range(HUGE):
                fuzz.huge()
            after = fuzz.heap()
            report.count("bytes of heap lost", before - after)
            if before - after > HEAP_SLACK:
                report.blame([f"the heap went from {before} to {after} bytes"])
            fuzz.compare(boots=1)
            fuzz.feed()
        finally:
            line.close()
    return report
