"""The board as a whole: keeps its parts going.

Rules of this file:
- the long-lived tasks are gathered: the first that fails takes the whole program with it, for a
  board of which half runs looks alive and obeys nothing;
- the watchdog is fed by the loop that ends actions, and by nothing else;
- memory is tidied when a connection begins and with each heartbeat, not in between.
"""

import asyncio
import gc

from micropython import const
from protocol import ProtocolError, encode
from protocol.limits import HEARTBEAT_SECONDS
from protocol.topics import ACK, topic

import app

from . import actuators, once
from .clock import ticks_add, ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BEAT_MS = HEARTBEAT_SECONDS * 1000

_IDLE_MS = const(1000)
_CALM_MS = const(600)


class Node:
    """What `assembly` makes of the settings; see there for the parts it has."""

    slot: str  # which release runs
    slot_state: str  # and what is to be said of it
    flash: "Any"
    key: bytes
    commands: "Any"
    presence: "Any"
    outbox: "Any"
    clock: "Any"
    wifi: "Any"
    link: "Any"
    sensors: "Any"  # or None
    camera: "Any"  # what is under way with it, see camera.py
    sleeper: "Any"  # see sleep.py
    id: str
    boot: str
    actuators: "Any"
    watchdog: "Any"
    due: "Any"  # the event that there is something to do
    hold_s: int
    health_s: int
    ntp: str
    reached_ms: "Any"  # ticks at which the broker was there first, or None
    began_ms: "Any"  # ticks
    look_ms: "Any"  # ticks at which to look whether it does well, or None
    heard_ms: "Any"  # ticks at which a message came
    restarting: "Any"  # ticks since when it does, or None
    held: "Any"  # the names of outputs made safe since the link went
    latched: bool  # as it was said last
    failed: "Any"  # what ends the program, or None
    updating: bool
    trying: bool  # settings are on trial
    leaving: bool

    def go(self):
        """Never returns but for Ctrl-C."""
        try:
            self._go()
        except KeyboardInterrupt:
            once("health").at_prompt()
            asyncio.new_event_loop()
            app.stopped = self  # type: ignore[attr-defined]  # for console.py
        except Exception:  # its tasks may hold all the memory there is, and to be safe takes some
            loop = asyncio.core  # type: ignore[attr-defined]
            loop.cur_task = loop._task_queue = loop._io_queue = None
            self.due = self.link.connection = None
            raise
        finally:
            self.commands.set_safe()
        print("answerback: stopped, outputs are safe; Ctrl-D starts it again")

    def _go(self):
        asyncio.run(self.run())  # in `go` its frame would keep that coroutine, and all tasks

    async def run(self):
        """For ever; raises what the first task to fail has raised."""
        self.look_ms = once("prove").first(self)
        if self.ntp or self.link.tls:
            self.spawn(once("ntp").keep(self, self.ntp))
        if self.presence.cause != "power_on" and once("rtc").read()["every_s"]:
            self.spawn(once("sleep").keep(self))
        await asyncio.gather(self._act(), self.link.run(), self.beat(), self.wifi.run())

    def network_up(self):
        """Whether it is worth trying to connect."""
        return self.wifi.connected() and not self.leaving

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

    def opened(self, session):
        """A connection stands."""
        gc.collect()
        if self.reached_ms is None:
            self.reached_ms = ticks_ms()
            self.look_ms = ticks_add(self.reached_ms, self.health_s * 1000)
        self.held.clear()
        self.commands.connected(session, ticks_ms())
        self.hello()
        self.presence.online(session)

    def say(self, leaf, kind, message):
        """Send a message of QoS 1 that outlives the connection. Returns it."""
        return self.publish(leaf, lambda key: encode(kind, message, key))

    def report(self, leaf, kind, message):
        """As `say`, of a kind that is in protocol.reports."""
        members = once("reports", "protocol").KINDS[kind]
        return self.publish(leaf, lambda key: encode(kind, message, key, members))

    def publish(self, leaf, write):
        """As `say`, but send what `write(key)` makes."""
        message = self.outbox.ack(topic(self.id, leaf), write(self.key))
        self.link.wake()
        return message

    def acknowledge(self, kind, message):
        """What became of a command."""
        self.say(ACK, kind, message)

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
            self.failed = why
            self.due.set()

    def heard(self, _topic, data):
        """A message has come."""
        self.heard_ms = ticks_ms()
        self.commands.receive(data, ticks_ms())
        self.due.set()

    def confirmed(self, slot_state):
        """This release has proved itself."""
        self.slot_state = slot_state
        self.hello()

    def restart(self):
        """Begin again once what was said is out."""
        self.restarting = ticks_ms()
        self.due.set()

    def hello(self, again=False):
        """Say what has started; `again`: as a new session. Returns which session that is."""
        if again:
            self.link.number += 1
        facts, slot = actuators.describe(self.actuators), (self.slot, self.slot_state)
        latched = self.commands.latch.on
        self.presence.startup(self.link.number, facts, slot, latched, self.time())
        self.link.wake()
        return self.link.number

    async def _act(self):
        """Ends what has run its time; the loop that matters."""
        while True:
            self.watchdog.feed()
            now = ticks_ms()
            self.commands.tick(now)
            self._hold(now)
            if self.latched != self.commands.latch.on:
                self._beat()  # people must not wait ten seconds to see that
            if self.look_ms is not None and ticks_diff(now, self.look_ms) >= 0:
                self.look_ms = once("prove").look(self)
            if self.failed:
                raise self.failed
            if self.restarting is not None:
                await once("farewell").say(self)
            due = self.commands.next_due(ticks_ms())
            wait_ms = _IDLE_MS if due is None else min(due, _IDLE_MS)
            try:
                await asyncio.wait_for_ms(self.due.wait(), wait_ms)
            except asyncio.TimeoutError:
                pass
            self.due.clear()

    def _hold(self, now):
        """Without a link for too long, nothing stays on; how long is for each output to say."""
        down = self.link.down_since
        if down is None:
            return
        long = actuators.held_too_long(self.actuators, ticks_diff(now, down), self.hold_s)
        names = [name for name in long if name not in self.held]
        if names:
            self.held.update(names)
            self.commands.set_safe(now, names)

    async def beat(self):
        """The heartbeat."""
        while True:
            await asyncio.sleep_ms(BEAT_MS)
            gc.collect()
            self.presence.age()
            self._beat()

    def _beat(self):
        self.latched = latched = self.commands.latch.on
        if self.link.down_since is None:
            running, rssi = self.commands.running(), self.wifi.rssi()
            self.presence.beat(self.link.number, rssi, running, latched, self.dropped())
            self.link.wake()

    def dropped(self):
        """{reason: count} of all parts."""
        dropped = dict(self.commands.dropped)
        dropped.update(self.outbox.dropped)
        dropped.update({"link_" + reason: n for reason, n in self.link.dropped.items()})
        return dropped
