"""The board as a whole: puts the parts together and keeps them going.

Rules of this file:
- the long-lived tasks are gathered: the first that fails takes the whole program with it, for a
  board of which half runs looks alive and obeys nothing;
- the watchdog is fed by the loop that ends actions, and by nothing else;
- memory is tidied when a connection begins and with each heartbeat, not in between.
"""

import asyncio
import gc
import os

import machine
from micropython import const
from protocol import encode
from protocol.limits import HEARTBEAT_SECONDS
from protocol.topics import ACK, COMMANDS, topic

from . import actuators, board, connection, once
from .clock import Clock, ticks_diff, ticks_ms
from .commands import Dispatcher
from .journal import Journal
from .latch import Latch
from .link import Link
from .mqtt import Codec
from .outbox import Outbox
from .presence import Presence
from .services import Services
from .wifi import Wifi

_IDLE_MS = const(1000)
_FAREWELL_MS = const(2000)
_TRIES_MS = const(4)  # times what it takes to be healthy, and a trial has failed


class Node:
    """Made from what `settings.load` returned, with the journal on `flash`.

    `slot` and `slot_state`: which release runs, and what is to be said of it.
    """

    def __init__(self, flash, settings, config, slot="", slot_state=""):
        self.slot, self.slot_state, self.updating = slot, slot_state, False
        self._flash, self._healthy_ms = flash, settings["health_s"] * 1000
        self._began_ms, self._reached_ms = ticks_ms(), None  # the broker
        self._id, self.key = settings["board_id"], settings["key"]
        self.hold_s = settings["hold_s"]
        boot = os.urandom(4).hex()
        self._outbox, self._clock = Outbox(), Clock()
        self._actuators = actuators.build(config, board)
        self.commands = Dispatcher(
            self.key, boot, self._clock, Journal(flash, boot), self._actuators,
            Latch(flash), Services(self), self._say, self.restart, self._hello,
        )  # fmt: skip
        self.presence = Presence(self._id, self.key, boot, self._outbox)
        self.wifi = Wifi(settings["wifi"])
        broker = settings["broker"]
        codec = Codec(
            self._id, broker["user"] or self._id, broker["password"],
            connection.KEEPALIVE_S, self._heard,
        )  # fmt: skip
        address = (broker["host"], broker["port"])
        self.link = Link(address, codec, self._outbox, topic(self._id, COMMANDS), self)
        self._watchdog = board.Watchdog()
        self._due = asyncio.Event()
        self.restarting = None  # ticks
        self._held = set()  # outputs made safe since the link went
        self._failed = None
        self._latched = self.commands.latch.on  # as it was said last

    async def run(self):
        """For ever; raises what the first task to fail has raised."""
        await asyncio.gather(self._act(), self.link.run(), self.beat(), self.wifi.run())

    def stop(self):
        """All outputs safe."""
        self.commands.set_safe()

    def network_up(self):
        """Whether it is worth trying to connect."""
        return self.wifi.connected()

    def online(self):
        """Whether a connection to the broker stands."""
        return self.link.down_since is None

    def moving(self):
        """Whether an action is on, which nothing may hold up."""
        return bool(self.commands.running())

    def opening(self, session):
        """(topic, message): the last will of a connection."""
        return self.presence.will(session)

    def opened(self, session):
        """A connection stands."""
        gc.collect()
        if self._reached_ms is None:
            self._reached_ms = ticks_ms()
        self._held.clear()
        self.commands.connected(session, ticks_ms())
        self._hello()
        self.presence.online(session)

    def say(self, leaf, kind, message):
        """Send a message of QoS 1 that outlives the connection."""
        self._outbox.ack(topic(self._id, leaf), encode(kind, message, self.key))
        self.link.wake()

    def unconfirmed(self):
        """How many messages wait to be sent or confirmed."""
        return len(self._outbox)

    def finish(self, command_id, state, error, result):
        """What became of a command that a service has accepted."""
        self.commands.finish(command_id, state, error, result, ticks_ms())

    def spawn(self, coroutine):
        """Do it beside everything else; an exception that leaves it ends the program."""
        return asyncio.create_task(self._spawned(coroutine))

    async def _spawned(self, coroutine):
        try:
            await coroutine
        except Exception as why:
            self._failed = why
            self._due.set()

    def _heard(self, _topic, data):
        self.commands.receive(data, ticks_ms())
        self._due.set()

    def _say(self, kind, message):
        self.say(ACK, kind, message)

    def confirmed(self, slot_state):
        """This release has proved itself."""
        self.slot_state = slot_state
        self._hello()

    def restart(self):
        """Begin again once what was said is out."""
        self.restarting = ticks_ms()
        self._due.set()

    def _hello(self, again=False):
        if again:
            self.link.number += 1
        facts, now = actuators.describe(self._actuators), self._clock.now(ticks_ms())
        slot = (self.slot, self.slot_state)
        self.presence.startup(self.link.number, facts, slot, self.commands.latch.on, now)
        self.link.wake()
        return self.link.number

    async def _act(self):
        """Ends what has run its time; the loop that matters."""
        while True:
            self._watchdog.feed()
            now = ticks_ms()
            self.commands.tick(now)
            self._hold(now)
            if self._healthy_ms:
                self._prove(now)
            if self._latched != self.commands.latch.on:
                self._beat()  # people must not wait ten seconds to see that
            if self._failed:
                raise self._failed
            if self.restarting is not None:
                await self._say_goodbye()
            due = self.commands.next_due(ticks_ms())
            wait_ms = _IDLE_MS if due is None else min(due, _IDLE_MS)
            try:
                await asyncio.wait_for_ms(self._due.wait(), wait_ms)
            except asyncio.TimeoutError:
                pass
            self._due.clear()

    def _hold(self, now):
        """Without a link for too long, nothing stays on; how long is for each output to say."""
        down = self.link.down_since
        if down is None:
            return
        down_ms = ticks_diff(now, down)
        for name, actuator in self._actuators.items():
            hold_s = actuator.hold_s or self.hold_s
            if name not in self._held and down_ms >= hold_s * 1000:
                self._held.add(name)
                self.commands.set_safe(now, [name])

    def _prove(self, now):
        """Until it is known whether this release does well; see `health`."""
        reached, healthy_ms = self._reached_ms, self._healthy_ms
        if reached is not None and self.online() and ticks_diff(now, reached) >= healthy_ms:
            if once("health").confirm(self, self._flash):
                self._healthy_ms = 0
            return
        late = ticks_diff(now, self._began_ms) >= _TRIES_MS * healthy_ms
        if late and self.slot_state == "trial" and not self.moving():
            why = "no broker" if reached is None else "no steady connection"
            self._healthy_ms = once("health").give_up(self, self._flash, why)

    async def _say_goodbye(self):
        """Let out what was said, and restart."""
        while len(self._outbox) and ticks_diff(ticks_ms(), self.restarting) < _FAREWELL_MS:
            await asyncio.sleep_ms(20)
        once("health").well()  # it was meant to
        machine.reset()

    async def beat(self):
        """The heartbeat."""
        while True:
            await asyncio.sleep_ms(HEARTBEAT_SECONDS * 1000)
            gc.collect()
            self.presence.age()
            self._beat()

    def _beat(self):
        self._latched = latched = self.commands.latch.on
        if self.online():
            running, rssi = self.commands.running(), self.wifi.rssi()
            self.presence.beat(self.link.number, rssi, running, latched, self.dropped())
            self.link.wake()

    def dropped(self):
        """{reason: count} of all parts."""
        dropped = dict(self.commands.dropped)
        dropped.update(self._outbox.dropped)
        for reason in self.link.dropped:
            dropped["link_" + reason] = self.link.dropped[reason]
        return dropped
