"""Where paho leaves something to us: lost publishes, and topics that are none.

What has a QoS is kept by paho and sent again; what has none goes with its connection, and nobody
will ever confirm it: so that is counted off when the next connection begins.
"""

import contextlib
import socket
from collections import deque
from typing import Any, Protocol

NO_TOPIC = "?"  # instead of one that is not UTF-8


class Info(Protocol):
    """What paho says of a publish. `rc` is 0 where it was taken, and else why not, or not sent."""

    rc: Any

    def is_published(self) -> bool:
        """Whether it has gone out. Raises RuntimeError where it never will."""


def topic_of(message: Any) -> str:
    """Where it was published. Not every broker looks, and what is raised ends paho's thread."""
    try:
        return str(message.topic)
    except UnicodeDecodeError:
        return NO_TOPIC


def no_delay(client: Any, userdata: Any, sock: Any) -> None:
    """Without it Nagle's algorithm holds small packets back for 40 ms and more."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Unconfirmed:
    """Publishes that a link's broker has not confirmed. One thread writes each counter."""

    def __init__(self) -> None:
        self._sent = self._confirmed = self._lost = 0
        self._unkept: deque[Info] = deque()  # QoS 0

    def __len__(self) -> int:
        return max(self._sent - self._confirmed - self._lost, 0)

    def published(self, info: Info, qos: int) -> bool:
        """One was handed over; whether paho took it at once. One that has a QoS it kept anyway."""
        taken = bool(info.rc == 0)
        if qos or taken:
            self._sent += 1
        if qos == 0 and taken:
            self._unkept.append(info)
            self._forget()
        return taken

    def confirmed(self) -> None:
        """One has reached the broker, or has gone out and had no QoS."""
        self._confirmed += 1

    def begin(self) -> None:
        """The next connection begins: what the last one had not sent, and is not kept, is lost."""
        while self._unkept:
            self._lost += self._unkept.popleft().rc != 0

    def _forget(self) -> None:
        """Those that have gone out; they go in order."""
        with contextlib.suppress(RuntimeError, IndexError):  # `begin` is at them, in its thread
            while self._unkept[0].is_published():
                self._unkept.popleft()
