"""The board as a whole: puts the parts together and keeps them going.

Rules of this file:
- the long-lived tasks are watched together: the first that ends takes the whole program with it,
  for a board of which half runs looks alive and obeys nothing;
- the watchdog is fed by the loop that ends actions, and by nothing else.
"""

import asyncio
import gc
import os
import sys

import machine
from protocol import encode
from protocol.limits import HEARTBEAT_SECONDS
from protocol.topics import ACK, COMMANDS, topic

from . import actuators, settings
from .board import Pins
from .clock import Clock
from .commands import Dispatcher
from .flash import Flash
from .journal import Journal
from .link import KEEPALIVE_S, Link
from .mqtt import Codec
from .outbox import Outbox
from .presence import Presence
from .ticks import ticks_diff, ticks_ms
from .wifi import Wifi

WATCHDOG_MS = 30000
_IDLE_MS = 1000
_FAREWELL_MS = 2000

_CAUSES = (
    ("PWRON_RESET", "power_on"),
    ("HARD_RESET", "hard"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deepsleep"),
    ("SOFT_RESET", "soft"),
)


def _cause():
    cause = machine.reset_cause()
    for constant, name in _CAUSES:
        if getattr(machine, constant, None) == cause:
            return name
    return "unknown"


class Node:
    """Made from what is on the flash. Raises ValueError where that is wrong."""

    def __init__(self):
        flash = Flash()
        wanted, wired = settings.load(flash)
        self._id, self._key, self._hold_ms = (
            wanted["board_id"],
            wanted["key"],
            wanted["hold_s"] * 1000,
        )
        boot = os.urandom(4).hex()
        self._outbox = Outbox()
        self._actuators = actuators.build(wired, Pins)
        self._clock = Clock()
        self.dispatcher = Dispatcher(
            self._key, boot, self._clock, Journal(flash, boot), self._actuators,
            self._say, self._restart, self._hello,
        )  # fmt: skip
        kind = getattr(sys.implementation, "_machine", "unknown").split(" ")[0]
        kind = "".join(ch for ch in kind if ch.isalpha() or ch.isdigit()) or "unknown"
        self._presence = Presence(self._id, self._key, boot, _cause(), kind, self._outbox)
        self._wifi = Wifi(wanted["wifi"])
        self._link = self._make_link(wanted["broker"])
        self._due = asyncio.Event()
        self._began_ms, self._uptime = ticks_ms(), 0
        self._restart_asked = None
        self._held = False

    async def run(self):
        """For ever; raises what the first task to fail has raised."""
        await asyncio.gather(self._act(), self._link.run(), self._beat(), self._wifi.run())

    def _make_link(self, broker):
        codec = Codec(
            self._id, broker["user"] or self._id, broker["password"], KEEPALIVE_S, self._heard
        )
        address = (broker["host"], broker["port"])
        return Link(
            address,
            codec,
            self._outbox,
            topic(self._id, COMMANDS),
            self._presence.will,
            self._opened,
        )

    def _heard(self, _topic, data):
        self.dispatcher.receive(data, ticks_ms())
        self._due.set()

    def _say(self, kind, message):
        self._outbox.ack(topic(self._id, ACK), encode(kind, message, self._key))
        self._link.wake()

    def _restart(self):
        self._restart_asked = ticks_ms()
        self._due.set()

    def _opened(self, session):
        self.dispatcher.connected(session, ticks_ms())
        gc.collect()
        self._hello()
        self._presence.online(session)
        self._held = False

    def _hello(self):
        now = self._clock.now(ticks_ms())
        self._presence.startup(self._link.number, actuators.describe(self._actuators), now)
        self._link.wake()

    async def _act(self):
        """Ends what has run its time; the loop that matters."""
        watchdog = machine.WDT(timeout=WATCHDOG_MS)
        while True:
            watchdog.feed()
            now = ticks_ms()
            self.dispatcher.tick(now)
            self._hold(now)
            if self._restart_asked is not None:
                await self._say_goodbye()
            due = self.dispatcher.next_due(ticks_ms())
            wait = _IDLE_MS if due is None else min(due, _IDLE_MS)
            try:
                await asyncio.wait_for_ms(self._due.wait(), wait)
            except asyncio.TimeoutError:
                pass
            self._due.clear()

    def _hold(self, now):
        """Without a link for too long, nothing stays on."""
        down = self._link.down_since
        if down is None or self._held or ticks_diff(now, down) < self._hold_ms:
            return
        self._held = True
        self.dispatcher.set_safe(now)

    async def _say_goodbye(self):
        """Let out what was said, and restart."""
        while len(self._outbox) and ticks_diff(ticks_ms(), self._restart_asked) < _FAREWELL_MS:
            await asyncio.sleep_ms(20)
        machine.reset()

    async def _beat(self):
        while True:
            await asyncio.sleep_ms(HEARTBEAT_SECONDS * 1000)
            self._uptime += HEARTBEAT_SECONDS
            gc.collect()
            if self._link.down_since is None:
                dropped = dict(self.dispatcher.dropped)
                dropped.update(self._outbox.dropped)
                dropped.update(self._link.dropped)
                running = self.dispatcher.running()
                self._presence.beat(
                    self._link.number, self._uptime, self._wifi.rssi(), running, dropped
                )
                self._link.wake()
