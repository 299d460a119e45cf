"""The connection to the broker: made, watched, and made again for ever.

Rules of this file:
- nothing here blocks: every wait is an await with a deadline (but for looking up a host name,
  which MicroPython can't do in the background: give the broker's address, or keep DNS near);
- whatever the network does or says ends the connection at worst, never the program;
- a PUBACK goes out only after the message's callback has returned.
"""

import asyncio
import random

from protocol.limits import MESSAGE_BYTES

from .mqtt import CONNACK, PUBACK, REFUSED, SUBACK, Framer, PacketError
from .ticks import ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEEPALIVE_S = 15
_DEADLINE_S = 10
_BACKOFF_MS = (500, 1000, 2000, 4000, 8000, 15000)
_READ_BYTES = 512
_PACKET_BYTES = MESSAGE_BYTES + 256  # a message with its topic


class LinkDown(Exception):
    """This connection is over; the text says why."""


class Link:
    """One broker, one subscription.

    `address` is (host, port), `codec` and `outbox` say and keep what is sent, `topic` is
    subscribed to. `opening(number)` gives (will topic, will) for the connection of that number;
    `opened(number)` is called when the subscription was granted; it must not raise.
    """

    def __init__(self, address, codec, outbox, topic, opening, opened):
        self._address, self._codec, self._outbox, self._topic = address, codec, outbox, topic
        self._opening, self._opened = opening, opened
        self._wanted = asyncio.Event()
        self._over = asyncio.Event()
        self._framer = Framer(_PACKET_BYTES)
        self._reader: "Any" = None
        self._writer: "Any" = None
        self._why: "Exception | None" = None
        self._heard_ms = 0
        self.number = 0
        self.down_since = ticks_ms()  # ticks, or None while the connection stands
        self.last_why = None
        self.dropped = {"malformed": 0, "too_large": 0, "down": 0}

    def wake(self):
        """There is something in the outbox."""
        self._wanted.set()

    async def run(self):
        """For ever."""
        failures = 0
        while True:
            before = self.number
            try:
                await self._connection()
            except (OSError, PacketError, LinkDown, asyncio.TimeoutError) as why:
                self._lost(why)
            failures = 0 if self.number > before else min(failures + 1, len(_BACKOFF_MS) - 1)
            pause = _BACKOFF_MS[failures]
            await asyncio.sleep_ms(pause // 2 + random.getrandbits(16) * pause // 65536 // 2)

    async def _connection(self):
        """One connection, from its beginning to the exception that ends it."""
        self._framer, self._why = Framer(_PACKET_BYTES), None
        self._over.clear()
        opening = asyncio.open_connection(*self._address)
        self._reader, self._writer = await asyncio.wait_for(opening, _DEADLINE_S)
        _no_delay(self._reader)
        try:
            await self._greet()
            await self._work()
        finally:
            self._writer.close()
            self._outbox.disconnected()

    async def _greet(self):
        """CONNECT and SUBSCRIBE, each with the broker's consent."""
        number = self.number + 1
        self._heard_ms = ticks_ms()
        await self._write(self._codec.connect(*self._opening(number)))
        if (await self._answer(CONNACK))[1]:
            raise LinkDown("the broker refused the connection: check user and password")
        await self._write(self._codec.subscribe(self._topic, self._outbox.next_id()))
        if (await self._answer(SUBACK))[2] == REFUSED:
            raise LinkDown("the broker refused the subscription: check the board's rights")
        self.number, self.down_since = number, None
        self._opened(number)
        self._wanted.set()

    async def _answer(self, kind):
        """The body of the answer of that kind."""
        deadline = ticks_ms()
        while True:
            packet = self._framer.next()
            if packet is None:
                left = _DEADLINE_S * 1000 - ticks_diff(ticks_ms(), deadline)
                await asyncio.wait_for_ms(self._read(), max(left, 1))
                continue
            found, body, _ = self._codec.decode(packet)
            if found == kind:
                return body

    async def _work(self):
        """Reads, writes and watches until one of them fails."""
        jobs = (self._receive, self._transmit, self._watch)
        tasks = [asyncio.create_task(self._guarded(job)) for job in jobs]
        try:
            await self._over.wait()
        finally:
            for task in tasks:
                task.cancel()
        raise self._why or LinkDown("it ended")

    async def _guarded(self, job):
        try:
            await job()
        except (OSError, PacketError, LinkDown, asyncio.TimeoutError) as why:
            self._why = self._why or why
            self._over.set()

    async def _receive(self):
        while True:
            packet = self._framer.next()
            if packet is None:
                await self._read()
                continue
            kind, body, answer = self._codec.decode(packet)
            if kind == PUBACK:
                self._outbox.confirm(body[0] << 8 | body[1])
            if answer:
                self._writer.write(answer)
                self._wanted.set()

    async def _transmit(self):
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            message = self._outbox.take()
            while message:
                packet = self._codec.publish(
                    message.topic, message.data, message.retain, message.packet_id, message.again
                )
                await self._write(packet)
                message = self._outbox.take()
            await self._write(b"")

    async def _watch(self):
        """Keepalive, and the end of a link over which nothing comes any more."""
        silence_ms = KEEPALIVE_S * 1000
        while True:
            await asyncio.sleep_ms(silence_ms // 6)
            now = ticks_ms()
            if ticks_diff(now, self._heard_ms) > silence_ms:
                raise LinkDown("nothing was heard for {} s".format(KEEPALIVE_S))
            if ticks_diff(now, self._heard_ms) > silence_ms // 3:
                await self._write(self._codec.ping())

    async def _read(self):
        data = await self._reader.read(_READ_BYTES)
        if not data:
            raise LinkDown("the broker closed the connection")
        self._heard_ms = ticks_ms()
        self._framer.feed(data)

    async def _write(self, packet):
        self._writer.write(packet)
        await asyncio.wait_for(self._writer.drain(), _DEADLINE_S)

    def _lost(self, why):
        self.last_why = repr(why)
        reason = why.reason if isinstance(why, PacketError) else "down"
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        if self.down_since is None:
            self.down_since = ticks_ms()


def _no_delay(stream):
    # Nagle's algorithm would hold an ack back for 40 ms and more. Not every port has the option.
    try:
        stream.s.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY
    except (OSError, AttributeError):
        pass
