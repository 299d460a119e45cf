"""What the board says of itself: startup, status with its last will, and the heartbeat."""

import gc

from protocol import encode
from protocol.topics import HEARTBEAT, STARTUP, STATUS, topic

from .version import VERSION

_COUNTS = 16  # members a message may carry


class Presence:
    """Speaks for `board_id`, in this boot. `say(topic, data, kind)` is the node's."""

    def __init__(self, board_id, key, boot, cause, board, outbox):
        self._topics = {leaf: topic(board_id, leaf) for leaf in (STARTUP, STATUS, HEARTBEAT)}
        self._key, self._boot, self._cause, self._board = key, boot, cause, board
        self._outbox = outbox

    def will(self, session):
        """(topic, message) the broker publishes when this connection breaks."""
        return self._topics[STATUS], self._status("offline", session)

    def startup(self, session, actuators, now):
        """Say what has started. `now` is Unix seconds or 0."""
        message = {
            "boot": self._boot,
            "session": session,
            "cause": self._cause,
            "firmware": VERSION,
            "board": self._board,
            "actuators": actuators,
            "heap": gc.mem_free(),
            "timestamp": now,
        }
        self._outbox.presence(self._topics[STARTUP], encode("startup", message, self._key))

    def online(self, session):
        """Say that this connection stands; kept by the broker."""
        self._outbox.presence(self._topics[STATUS], self._status("online", session), True)

    def beat(self, session, uptime, rssi, running, dropped):
        """Say that the board is well: `uptime` in s, `rssi` in dBm, `dropped` {reason: count}."""
        names = sorted(name for name in dropped if dropped[name])[:_COUNTS]
        message = {
            "boot": self._boot,
            "session": session,
            "uptime": uptime,
            "heap": gc.mem_free(),
            "rssi": rssi,
            "running": running,
            "dropped": {name: dropped[name] for name in names},
        }
        self._outbox.beat(self._topics[HEARTBEAT], encode("heartbeat", message, self._key))

    def _status(self, status, session):
        message = {"status": status, "boot": self._boot, "session": session}
        return encode("status", message, self._key)
