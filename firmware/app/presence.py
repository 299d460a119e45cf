"""What the board says of itself: startup, status with its last will, and the heartbeat."""

import gc

from protocol import encode
from protocol.limits import MAP_ITEMS
from protocol.topics import HEARTBEAT, STARTUP, STATUS, topic

from . import once
from .clock import ticks_diff, ticks_ms


class Presence:
    """Speaks for `board_id` in this boot, into `outbox`. `session`: number of the connection."""

    def __init__(self, board_id, key, boot, outbox):
        self._id, self._key, self._boot, self._outbox = board_id, key, boot, outbox
        origin = once("origin")
        self.cause, self._board = origin.reset_cause(), origin.board_name()
        self._has = origin.parts()
        self.ms, self.now_ms = 0, ticks_ms()

    def age(self):
        """Time has passed; to be called more often than ticks wrap, which is every 12 days."""
        now = ticks_ms()
        self.ms += ticks_diff(now, self.now_ms)
        self.now_ms = now

    def will(self, session):
        """(topic, message) the broker publishes when this connection breaks."""
        return topic(self._id, STATUS), self.status("offline", session)

    def startup(self, *facts):
        """Say what has started; `facts`: see hello.py."""
        data = once("hello").startup(
            self._key, self._boot, self.cause, self._board, self._has, *facts
        )
        self._outbox.presence(topic(self._id, STARTUP), data)

    def online(self, session):
        """Say that this connection stands; kept by the broker."""
        self._outbox.presence(topic(self._id, STATUS), self.status("online", session), True)

    def beat(self, session, rssi, running, latched, dropped):
        """Say that the board is well: `rssi` in dBm, `dropped` {reason: count}."""
        names = sorted(name for name in dropped if dropped[name])[:MAP_ITEMS]
        message = {
            "boot": self._boot,
            "session": session,
            "uptime": self.ms // 1000,
            "heap": gc.mem_free(),
            "rssi": rssi,
            "running": running,
            "latched": latched,
            "dropped": {name: dropped[name] for name in names},
        }
        self._outbox.beat(topic(self._id, HEARTBEAT), encode("heartbeat", message, self._key))

    def asleep(self, session, until):
        """Say that the board sleeps until then, Unix seconds; kept by the broker."""
        self._outbox.presence(topic(self._id, STATUS), self.status("asleep", session, until), True)

    def status(self, status, session, until=0):
        """The bytes of a status message."""
        message = {"status": status, "boot": self._boot, "session": session, "until": until}
        return encode("status", message, self._key)
