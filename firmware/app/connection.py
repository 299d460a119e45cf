"""One connection to the broker, from CONNECT to whatever ends it.

Rules of this file:
- nothing here blocks: what moves is never held up by the network;
- a connection ends with an OSError or a LinkDown; any other exception is a bug;
- a PUBACK goes out only after the message's callback has returned, and before what that said.
"""

import asyncio

from micropython import const

from .clock import ticks_diff, ticks_ms
from .mqtt import CONNACK, PUBACK, REFUSED, SUBACK
from .wire import LinkDown

KEEPALIVE_S = 15
ANSWER_MS = 10000  # for the broker to answer CONNECT and SUBSCRIBE

_CODED_BYTES = const(2048)  # no more is encoded while so much waits to be sent
_AGAIN_MS = const(20)

# States of a connection.
_GREETING = const(0)
_ASKING = const(1)
_UP = const(2)


class Connection:
    """On an open `wire`. `topic` is subscribed to; once that is granted `opened()` is called.

    From then on what is in `outbox` is sent; `wake` tells that there is something. `state`:
    how far it is.
    """

    def __init__(self, wire, buffer, codec, outbox, topic, opened):
        self._wire, self.buffer, self._codec, self._outbox = wire, buffer, codec, outbox
        self._topic, self._opened = topic, opened
        self._wanted = asyncio.Event()
        self._began_ms = self._heard = ticks_ms()
        self.state = _GREETING
        self._leaving = False

    def leave(self):
        """Send what is to be sent, take leave of the broker, so that it publishes no last will."""
        self._leaving = True
        self._wanted.set()

    def wake(self):
        """There is something in the outbox."""
        self._wanted.set()

    async def run(self, will):
        """Until it ends, with an exception. `will` is (topic, message)."""
        self._send(self._codec.connect(*will))
        await _together(self.receive(), self._transmit(), self._watch())

    def _send(self, packet):
        self._wire.write(packet)
        self._wanted.set()

    async def receive(self):
        """Whatever comes, packet by packet."""
        while True:
            packet = self.buffer.next()
            if packet is None:
                self.buffer.filled(await self._wire.read(self.buffer.space()))
                self._heard = ticks_ms()
            else:
                self._take(packet)
                await asyncio.sleep_ms(0)  # a flood of them must not hold up what ends actions

    def _take(self, packet):
        first = self.state == _GREETING
        if first != (packet[0] == CONNACK):
            raise LinkDown("malformed")
        kind, body, answer = self._codec.decode(packet)
        if kind == CONNACK:
            self._welcome(body)
        elif kind == SUBACK:
            self._grant(body)
        elif kind == PUBACK:
            self._outbox.confirm(body[0] << 8 | body[1])
        if answer:
            self._send(answer)

    def _welcome(self, body):
        if body[1]:
            raise LinkDown("refused", "the broker refused the connection: check user and password")
        self.state = _ASKING
        self._send(self._codec.subscribe(self._topic, self._outbox.next_id()))

    def _grant(self, body):
        if body[2] == REFUSED:
            raise LinkDown("refused", "the broker refused the subscription: check the rights")
        if self.state == _ASKING:
            self.state = _UP
            self._opened()
            self._wanted.set()

    async def _transmit(self):
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self.encode() or self._wire.unsent:
                self._wire.flush()
                if self._wire.unsent:  # the network is full
                    await asyncio.sleep_ms(_AGAIN_MS)
            if self._leaving:
                self._leave()

    def _leave(self):
        self._wire.write(self._codec.disconnect())
        self._wire.flush()
        raise LinkDown("down", "left on purpose")

    def encode(self):
        """The next message onto the wire. Returns whether there was one, and room for it."""
        if self.state != _UP or len(self._wire.unsent) > _CODED_BYTES:
            return False
        message = self._outbox.take()
        if message is None:
            return False
        self._wire.write(
            self._codec.publish(
                message.topic, message.data, message.retain, message.packet_id, message.again
            )
        )
        return True

    async def _watch(self):
        """Deadlines, keepalive, and the end of a link over which nothing comes any more."""
        while True:
            await asyncio.sleep_ms(KEEPALIVE_S * 1000 // 6)
            now = ticks_ms()
            silent_ms = ticks_diff(now, self._heard)
            if silent_ms > KEEPALIVE_S * 1000:
                raise LinkDown("silent", "nothing was heard for {} s".format(KEEPALIVE_S))
            if self.state != _UP and ticks_diff(now, self._began_ms) > ANSWER_MS:
                raise LinkDown("silent", "the broker does not answer")
            if self.state == _UP and silent_ms > KEEPALIVE_S * 1000 // 3:
                self._send(self._codec.ping())


async def _together(*jobs):
    """Runs them until the first fails; raises what it raised, and the others are gone."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
