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

from . import wire
from .clock import ticks_ms
from .connection import ANSWER_MS, Connection
from .framing import Framer, LinkDown

BACKOFF_MS = (500, 1000, 2000, 4000, 8000, 15000)

_NETWORK_MS = const(200)


class Link:
    """One broker, one subscription.

    `address` is (host, port), `codec` and `outbox` say and keep what is sent, `topic` is
    subscribed to. `node` is asked `network_up()` and `moving()`, and told: `opening(number)`
    returns (will topic, will) for the connection of that number, `opened(number)` is called when
    its subscription was granted. `wrap` is for TLS, see wire.connect.

    `number` counts the connections of this boot. `down_since` is in ticks, None while up.
    `dropped` counts how they ended: {reason: times}; `reason` says it in words.
    """

    def __init__(self, address, codec, outbox, topic, node, wrap=None):
        self._address, self._peer, self._wrap = address, None, wrap
        self._codec, self._outbox, self._topic, self._node = codec, outbox, topic, node
        self._framer = Framer(MESSAGE_BYTES + 128)  # a packet has a header and a topic, too
        self._connection = None
        self._failures = 0  # one after another
        self.number = 0
        self.down_since = ticks_ms()
        self.reason = ""
        self.dropped = {"malformed": 0, "too_large": 0, "silent": 0, "refused": 0, "down": 0}

    def wake(self):
        """There is something in the outbox."""
        if self._connection:
            self._connection.wake()

    async def run(self):
        """For ever."""
        while True:
            while not self._node.network_up():
                await asyncio.sleep_ms(_NETWORK_MS)
            try:
                await self._connect()
            except (OSError, LinkDown) as why:
                self._lost(why)
            # From half of it to all of it, so that boards do not come back all at once.
            longest = BACKOFF_MS[self._failures]
            await asyncio.sleep_ms(random.randint(longest // 2, longest))

    async def _connect(self):
        """One connection, until the exception that ends it."""
        if self._peer is None or not self._node.moving():
            self._peer = wire.peer(*self._address)
        line = await wire.connect(self._peer, ANSWER_MS, self._wrap)
        try:
            self.number += 1
            self._framer.clear()
            self._connection = Connection(
                line, self._framer, self._codec, self._outbox, self._topic, self._granted
            )
            await self._connection.run(self._node.opening(self.number))
        finally:
            self._connection = None
            line.close()
            self._outbox.disconnected()

    def _granted(self):
        self.down_since = None  # type: ignore[assignment]
        self._node.opened(self.number)
        print("answerback: connected, session", self.number)

    def _lost(self, why):
        if self.down_since is None:
            self.down_since, self._failures = ticks_ms(), 0
        else:
            self._failures = min(self._failures + 1, len(BACKOFF_MS) - 1)
        self.dropped[getattr(why, "reason", "down")] += 1
        if str(why) != self.reason:
            self.reason = str(why)
            print("answerback: no connection:", self.reason)
