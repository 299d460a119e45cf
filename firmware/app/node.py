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

from micropython import const
from protocol import ProtocolError, encode
from protocol.limits import HEARTBEAT_SECONDS
from protocol.topics import ACK, COMMANDS, topic

import app

from . import actuators, board, connection, once
from .clock import Clock, ticks_diff, ticks_ms
from .commands import Dispatcher
from .journal import Journal
from .latch import Latch
from .link import Link
from .mqtt import Codec
from .outbox import Outbox
from .presence import Presence
from .wifi import Wifi

BEAT_MS = HEARTBEAT_SECONDS * 1000

_IDLE_MS = const(1000)
_CALM_MS = const(600)


class Node:
    """Made from what `settings.load` returned, with the journal on `flash`.

    `slot` and `slot_state`: which release runs, and what is to be said of it.
    """

    def __init__(self, flash, settings, config, slot="", slot_state=""):
        self.slot, self.slot_state, self.updating = slot, slot_state, False
        self.flash, self.hold_s, self._ntp = flash, settings["hold_s"], settings["ntp"]
        self._health_s, self.reached_ms = settings["health_s"], None  # ticks: the broker
        self._id, self.key = settings["board_id"], settings["key"]
        self.boot = boot = os.urandom(4).hex()
        self.outbox, self.clock = Outbox(), Clock()
        self._actuators = actuators.build(config, board)
        self.commands = Dispatcher(
            self.key, boot, self.clock, Journal(flash, boot), self._actuators,
            Latch(flash), self.serve, lambda kind, ack: self.say(ACK, kind, ack),
            self.restart, self._hello,
        )  # fmt: skip
        self.presence = Presence(self._id, self.key, boot, self.outbox)
        self.wifi = Wifi(settings["wifi"])
        self.link = Link(
            settings["addresses"], self.codec(settings["broker"]), self.outbox,
            topic(self._id, COMMANDS), self, settings["tls"],
        )  # fmt: skip
        self.trying = False  # settings are on trial
        self.sleeper, self.leaving = None, False  # see sleep.py
        self.heard_ms = ticks_ms()  # when a message came
        self._watchdog = board.Watchdog()
        self._due = asyncio.Event()
        self.restarting = None  # ticks
        self._held = set()  # outputs made safe since the link went
        self._failed = None
        self.camera = None  # what is under way with it: see camera.py
        self._latched = self.commands.latch.on  # as it was said last
        self.sensors = None  # see start.py

    def codec(self, broker):
        """What speaks MQTT, for these settings of a broker."""
        return Codec(
            self._id, broker["user"] or self._id, broker["password"],
            connection.KEEPALIVE_S, self._heard,
        )  # fmt: skip

    def go(self):
        """Never returns but for Ctrl-C."""
        try:
            asyncio.run(self.run())
        except KeyboardInterrupt:
            once("health").at_prompt()
            asyncio.new_event_loop()
            app.stopped = self  # type: ignore[attr-defined]  # for console.py
        finally:
            self.commands.set_safe()
        print("answerback: stopped, outputs are safe; Ctrl-D starts it again")

    async def run(self):
        """For ever; raises what the first task to fail has raised."""
        self.spawn(once("prove").prove(self, self._health_s * 1000))
        if self._ntp or self.link.tls:
            self.spawn(once("ntp").keep(self, self._ntp))
        if self.presence.cause != "power_on" and once("rtc").read()["every_s"]:
            self.spawn(once("sleep").keep(self))
        await asyncio.gather(self._act(), self.link.run(), self.beat(), self.wifi.run())

    def network_up(self):
        """Whether it is worth trying to connect."""
        return self.wifi.connected() and not self.leaving

    def online(self):
        """Whether a connection to the broker stands."""
        return self.link.down_since is None

    def moving(self):
        """Whether an action is on, which nothing may hold up."""
        return bool(self.commands.running())

    def calm(self):
        """Whether half a second may pass without a look at what moves."""
        due = self.commands.next_due(ticks_ms())
        return due is None or due > _CALM_MS

    def time(self):
        """Unix seconds, or 0 while the backend has not told the time."""
        return self.clock.now(ticks_ms())

    def opening(self, session):
        """(topic, message): the last will of a connection."""
        return self.presence.will(session)

    def opened(self, session):
        """A connection stands."""
        gc.collect()
        if self.reached_ms is None:
            self.reached_ms = ticks_ms()
        self._held.clear()
        self.commands.connected(session, ticks_ms())
        self._hello()
        self.presence.online(session)

    def say(self, leaf, kind, message):
        """Send a message of QoS 1 that outlives the connection. Returns it."""
        return self.publish(leaf, lambda key: encode(kind, message, key))

    def publish(self, leaf, write):
        """As `say`, but send what `write(key)` makes."""
        message = self.outbox.ack(topic(self._id, leaf), write(self.key))
        self.link.wake()
        return message

    def unconfirmed(self):
        """How many messages wait to be sent or confirmed."""
        return len(self.outbox)

    def serve(self, command_id, verb, parameters):
        """As `start` in `services`."""
        try:
            module = once("services").module_of(verb, self.flash)
        except MemoryError:
            raise ProtocolError("busy", "command_type", "needs more memory than there is now")
        return module.start(self, command_id, verb, parameters)

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
        self.heard_ms = ticks_ms()
        self.commands.receive(data, ticks_ms())
        self._due.set()

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
        facts, slot = actuators.describe(self._actuators), (self.slot, self.slot_state)
        latched = self.commands.latch.on
        self.presence.startup(self.link.number, facts, slot, latched, self.time())
        self.link.wake()
        return self.link.number

    async def _act(self):
        """Ends what has run its time; the loop that matters."""
        while True:
            self._watchdog.feed()
            now = ticks_ms()
            self.commands.tick(now)
            self._hold(now)
            if self._latched != self.commands.latch.on:
                self._beat()  # people must not wait ten seconds to see that
            if self._failed:
                raise self._failed
            if self.restarting is not None:
                await once("farewell").say(self)
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
        long = actuators.held_too_long(self._actuators, ticks_diff(now, down), self.hold_s)
        names = [name for name in long if name not in self._held]
        if names:
            self._held.update(names)
            self.commands.set_safe(now, names)

    async def beat(self):
        """The heartbeat."""
        while True:
            await asyncio.sleep_ms(BEAT_MS)
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
        dropped.update(self.outbox.dropped)
        dropped.update({"link_" + reason: n for reason, n in self.link.dropped.items()})
        return dropped
