"""Where paho leaves something to us: lost publishes, and topics that are none.

What has a QoS is kept by paho and sent again; what has none goes with its connection, and nobody
will ever confirm it: so that is counted off when the next connection begins.
"""

import socket
from collections import deque
from typing import Any

from paho.mqtt.client import MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode

NO_TOPIC = "?"  # instead of one that is not UTF-8


def topic_of(message: MQTTMessage) -> str:
    """Where it was published. Not every broker looks, and what is raised ends paho's thread."""
    try:
        return message.topic
    except UnicodeDecodeError:
        return NO_TOPIC


def no_delay(client: Any, userdata: Any, sock: Any) -> None:
    """Without it Nagle's algorithm holds small packets back for 40 ms and more."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Unconfirmed:
    """Publishes that a link's broker has not confirmed. One thread writes each counter."""

    def __init__(self) -> None:
        self._sent = self._confirmed = self._lost = 0
        self._unkept: deque[MQTTMessageInfo] = deque()  # QoS 0

    def __len__(self) -> int:
        return max(self._sent - self._confirmed - self._lost, 0)

    def published(self, info: MQTTMessageInfo, qos: int) -> bool:
        """One was handed over; whether paho took it at once. One that has a QoS it kept anyway."""
        taken = info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS
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
            self._lost += self._unkept.popleft().rc == MQTTErrorCode.MQTT_ERR_CONN_LOST

    def _forget(self) -> None:
        """Those that have gone out; they go in order."""
        while len(self._unkept) > 1 and self._unkept[0].is_published():
            self._unkept.popleft()
