"""Sensors: read in turn beside everything else, held against their limits, and told.

Rules of this file:
- a driver that holds up the loop does not begin while something is about to be switched off;
- whatever a driver raises is counted, and is that sensor's failure, never the program's;
- one message at a time is on its way, and the next waits for its PUBACK: acks always have room.
"""

import asyncio

from micropython import const
from protocol.messages import COMPLETED
from protocol.reports import CLEARED, CROSSED
from protocol.topics import SENSORS, THRESHOLD

from . import once
from .clock import ticks_add, ticks_diff, ticks_ms
from .readings import Readings
from .sampling import Schedule, measured
from .thresholds import News

_BATCH = const(4)  # readings in a message
_UNCONFIRMED = const(4)  # messages in the outbox beyond which none is added
_BLOCK_MS = const(60)  # longer than any driver takes
_PATIENCE = const(20)
_LOOK_MS = const(2000)  # between two looks at a value that is beyond a limit
_IDLE_MS = const(500)
_SENDING_MS = const(100)


class Sensors:
    """Of a node; what is counted goes to its `commands.dropped`. `config`: see sensor_setup.

    `failed`: {name: why} of those whose last reading was none. `asked`: ids of commands that want
    everything read at once.
    """

    def __init__(self, node, outbox, clock, config):
        keep, self.sensors, self.limits = config
        self._node, self._outbox, self._clock = node, outbox, clock
        self._readings, self._news = Readings(keep), News(self.limits)
        now = ticks_ms()
        self._schedule, self._look = Schedule([one.every_ms for one in self.sensors], now), now
        self.failed, self.asked = {}, []
        self._untold = False  # that one has failed
        self._sent = None
        node.spawn(self.run())

    async def run(self):
        """For ever."""
        while True:
            asked, self.asked = self.asked, []
            now = ticks_ms()
            due = list(range(len(self.sensors))) if asked else self._schedule.due(now)
            count = await self.sample(due, self._watched(now))
            self.send()
            for command_id in asked:
                self._node.finish(command_id, COMPLETED, None, {"readings": count})
            await asyncio.sleep_ms(self._pause())

    def _watched(self, now):
        """The sensors that may be about to cross a limit, once in a while."""
        if ticks_diff(now, self._look) < 0:
            return []
        self._look = ticks_add(now, _LOOK_MS)
        return [limit.number for limit in self.limits if limit.pending]

    async def sample(self, due, watched):
        """Read all those; `due` ones are told. Returns how many of them have a value."""
        numbers = due + [number for number in set(watched) if number not in due]
        begun, longest = {}, 0
        for source in [self.sensors[number].source for number in numbers]:
            if source not in begun:
                await self._calm()
                begun[source] = ms = _tried(source.begin)
                longest = max(longest, ms or 0)
        if longest:
            await asyncio.sleep_ms(longest)
        count = 0
        for number in numbers:
            if begun[self.sensors[number].source] is not None:
                await self._calm()
                value = self._read(number)
            else:
                value = self._fail(number, "driver")
            if number in due:
                self._schedule.done(number, ticks_ms())
                count += self._keep(number, value)
        return count

    async def _calm(self):
        """Until nothing has to be switched off for a while, or for some time at most."""
        for _ in range(_PATIENCE):
            due = self._node.commands.next_due(ticks_ms())
            if due is None or due > _BLOCK_MS:
                return
            await asyncio.sleep_ms(due + 5)

    def _read(self, number):
        """Its value, which its limits have seen; None where there is none."""
        sensor = self.sensors[number]
        raw = _tried(sensor.source.read, sensor.part)
        if raw is None:
            return self._fail(number, "driver")
        value = measured(sensor, raw)
        if value is None:
            return self._fail(number, "range")
        self.failed.pop(sensor.name, None)
        now = ticks_ms()
        self._node.commands.latest[sensor.name] = value, now
        for limit in self.limits:
            if limit.number != number:
                continue
            if limit.judge(value, now):
                self._news.add(limit, value, self._clock.now(ticks_ms()))
            if limit.acts(now):
                self._react(limit, now)
        return value

    def _react(self, limit, now_ms):
        try:
            once("reflex").act(self._node, limit, now_ms)
        except MemoryError:  # with the next reading, then
            self._node.commands.drop("memory")

    def _fail(self, number, why):
        name = self.sensors[number].name
        dropped, reason = self._node.commands.dropped, "sensor_" + why
        dropped[reason] = dropped.get(reason, 0) + 1
        self._untold = self._untold or self.failed.get(name) != why
        self.failed[name] = why
        self._node.commands.latest.pop(name, None)

    def _keep(self, number, value):
        if value is None:
            return 0
        self._readings.add(number, value, self._clock.now(ticks_ms()))
        return 1

    def send(self):
        """The next message, where it is time for one."""
        node = self._node
        node.commands.dropped["readings"] = self._readings.dropped
        node.commands.dropped["limits"] = self._news.dropped
        if self._sent:
            message, queue = self._sent
            if message in self._outbox.messages:
                return
            self._sent = None
            queue.settle(message.data is None)
            self._untold = self._untold or message.data is not None
        if node.link.down_since is not None or node.restarting is not None:
            return
        queue = self._news if self._news.waiting else self._readings
        if len(node.outbox) < _UNCONFIRMED and (queue is self._news or queue or self._untold):
            try:
                told = self._tell_limit() if queue is self._news else self._tell_readings()
                self._sent = told, queue
            except MemoryError:  # later, then: what is on must not go off for that
                queue.settle(False)
                node.commands.drop("memory")

    def _tell_limit(self):
        limit, crossed, value, timestamp = self._news.take()
        message = self._about(limit.number, value, timestamp)
        message["boot"], message["limit"] = self._node.boot, limit.name
        message["state"] = CROSSED if crossed else CLEARED
        return self._node.report(THRESHOLD, "threshold", message)

    def _tell_readings(self):
        readings = [self._about(*one) for one in self._readings.take(_BATCH)]
        message = {"boot": self._node.boot, "readings": readings, "failed": self.failed}
        told = self._node.report(SENSORS, "sensors", message)
        self._untold = False
        return told

    def _about(self, number, value, timestamp):
        name, unit = self.sensors[number][:2]
        return {"sensor": name, "value": value, "unit": unit, "timestamp": timestamp}

    def _pause(self):
        """ms until there may be something to do."""
        if self.asked:
            return 0
        wait = min(self._schedule.wait(ticks_ms()), _IDLE_MS)
        busy = self._sent or self._readings or self._news.waiting
        return min(wait, _SENDING_MS) if busy and self._node.link.down_since is None else wait


def _tried(function, *arguments):
    """What it returns, or None where it failed."""
    try:
        return function(*arguments)
    except Exception as why:  # drivers raise all kinds, plain Exception among them
        print("answerback: sensor:", repr(why))
        return None
