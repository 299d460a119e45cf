"""The link to the broker: connections, one after another, for ever.

Whatever the network does or says ends a connection at worst, never the program. Any other
exception goes through and ends the program, for it is a bug.

Looking up a host name blocks, and MicroPython can't do it in the background: so it is done when
nothing moves, and while something does the last address has to do. An IP address never blocks.
"""

import asyncio
import random

from micropython import const
from protocol.limits import MESSAGE_BYTES

from . import once, wire
from .clock import ticks_ms
from .connection import ANSWER_MS, Connection

BACKOFF_MS = (500, 1000, 2000, 4000, 8000, 15000)

_NETWORK_MS = const(200)
_TRIES = const(4)  # failures in a row before another address is tried


class Link:
    """One broker, one subscription.

    `addresses` are [(host, port)], tried in turn, each a few times; `codec` and `outbox` say and
    keep what is sent, `topic` is subscribed to. `node` is asked `network_up()`, `moving()`,
    its `presence` for the last will, and `opened(number)` is called when the subscription of the
    connection of that number was granted. `tls` is a context, or None; `calm()` is asked then.

    `number` counts the connections of this boot. `down_since` is in ticks, None while up.
    `dropped` counts how they ended: {reason: times}; `reason` says it in words.
    """

    def __init__(self, addresses, codec, outbox, topic, node, tls=None):
        self.addresses, self.peer, self.tls = addresses, None, tls
        self._codec, self._outbox, self._topic, self.node = codec, outbox, topic, node
        self._framer = wire.Framer(MESSAGE_BYTES + 128)  # a packet has a header and a topic, too
        self.connection = None
        self.failures = self.tries = 0  # one after another; of them at the present address
        self.number = 0
        self.down_since = ticks_ms()
        self.reason = ""
        self.dropped = {"malformed": 0, "too_large": 0, "silent": 0, "refused": 0, "down": 0}

    def wake(self):
        """There is something in the outbox."""
        if self.connection:
            self.connection.wake()

    def change(self, addresses, codec, tls):
        """Leave the broker in good order, and from then on use these."""
        self.addresses, self.peer, self._codec, self.tls = addresses, None, codec, tls
        self.failures = self.tries = 0
        if self.connection:
            self.connection.leave()

    async def run(self):
        """For ever."""
        while True:
            while not self.node.network_up():
                await asyncio.sleep_ms(_NETWORK_MS)
            try:
                await self._connect()
            except (OSError, wire.LinkDown) as why:
                self.lost(why)
            # From half of it to all of it, so that boards do not come back all at once.
            longest = BACKOFF_MS[self.failures]
            await asyncio.sleep_ms(random.randint(longest // 2, longest))

    async def _connect(self):
        """One connection, until the exception that ends it."""
        addresses, dial = self.addresses, once("dial")
        if self.peer is None or not self.node.moving():
            self.peer = dial.peer(*addresses[0])
        wrap = self._sealed if self.tls else None
        line = await dial.connect(self.peer, ANSWER_MS, wrap)
        del dial
        try:
            if addresses is not self.addresses:
                raise wire.LinkDown("down", "left on purpose")
            self.number += 1
            self._framer.clear()
            self.connection = Connection(
                line, self._framer, self._codec, self._outbox, self._topic, self._opened
            )
            await self.connection.run(self.node.presence.will(self.number))
        finally:
            self.connection = None
            line.close()
            self._outbox.disconnected()

    def _sealed(self, sock):
        from .tls import wrap

        return wrap(sock, self.tls, self.addresses[0][0], self.node.calm)

    def _opened(self):
        self.down_since = None  # type: ignore[assignment]
        self.node.opened(self.number)
        print("answerback: connected, session", self.number)

    def lost(self, why):
        """A connection ended, or none came about."""
        if self.down_since is None:
            self.down_since, self.failures, self.tries = ticks_ms(), 0, 0
        else:
            self.failures = min(self.failures + 1, len(BACKOFF_MS) - 1)
            self._try_another()
        self.dropped[getattr(why, "reason", "down")] += 1
        if str(why) != self.reason:
            self.reason = str(why)
            print("answerback: no connection:", self.reason)

    def _try_another(self):
        self.tries += 1
        if self.tries >= _TRIES and len(self.addresses) > 1:
            self.tries, self.peer = 0, None
            self.addresses = self.addresses[1:] + self.addresses[:1]
            print("answerback: trying", *self.addresses[0])
