"""The only module that knows paho: one persistent MQTT 3.1.1 session, acknowledged by hand.

paho's callbacks only hand over. A message is acknowledged by whoever has made it durable, so a
crash costs a duplicate and never a loss.
"""

import logging
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

log = logging.getLogger(__name__)

CLIENT_ID = "answerback"
KEEPALIVE_SECONDS = 15
# (packet id, QoS, number of the connection) of a message, to acknowledge it by.
Receipt = tuple[int, int, int]


class Link:
    """The backend's connection to the broker, subscribed to `topics`: (pattern, QoS).

    `on_message(topic, payload, receipt)` and `on_link(up)` are called on paho's thread and must
    neither block nor raise. Messages come only while the link is up. `error` says what keeps it
    from working, and is None while it does.
    """

    def __init__(
        self,
        url: str,
        topics: Sequence[tuple[str, int]],
        on_message: Callable[[str, bytes, Receipt], None],
        on_link: Callable[[bool], None],
        client_id: str = CLIENT_ID,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 1883
        self._topics = list(topics)
        self._on_message, self._on_link = on_message, on_link
        self._connection = self._sent = self._confirmed = 0
        self._up = False  # connected, though not yet subscribed
        self.connected = False
        self.error: str | None = None
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, manual_ack=True
        )
        if parts.username:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        client.max_inflight_messages_set(0)
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_connect_fail = self._unreachable
        client.on_subscribe = self._subscribed
        client.on_message, client.on_publish = self._message, self._published
        client.on_socket_open = _no_delay
        self._client = client

    @property
    def unfinished(self) -> int:
        """How many publishes the broker has not confirmed yet."""
        return self._sent - self._confirmed

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._client.connect_async(self._host, self._port, KEEPALIVE_SECONDS)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end paho's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topics: Sequence[tuple[str, int]]) -> None:
        """From now on be subscribed to these; what is no longer among them goes with the next
        connection.
        """
        new = [one for one in topics if one not in self._topics]
        self._topics = list(topics)
        if new and self._up:
            self._client.subscribe(new)

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        """Send a message, never retained. False where there is no connection.

        What is not sent is not kept here: its row is the queue, and it is sent again when the
        board is heard anew, or by its timer.
        """
        if not self._up:
            return False
        # Counted whatever the code: paho keeps it and sends it when it is back.
        self._sent += 1
        info = self._client.publish(topic, payload, qos)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, receipts: list[Receipt]) -> None:
        """Confirm messages that are durable now.

        Those of an earlier connection are left out: their packet ids may mean others by now, and
        the broker sends what was not confirmed again.
        """
        for packet_id, qos, connection in receipts:
            if qos and connection == self._connection:
                self._client.ack(packet_id, qos)

    def _connected(
        self, client: paho.Client, userdata: Any, flags: Any, reason: Any, _: Any
    ) -> None:
        if reason.is_failure:
            self._trouble(f"the broker refused the connection: {reason}; check BROKER_URL")
            return
        self._connection += 1
        self._up = True
        # Before the subscription is granted: what the broker has kept for us comes at once.
        self._on_link(True)
        client.subscribe(self._topics)

    def _subscribed(self, client: Any, userdata: Any, mid: int, reasons: Any, _: Any) -> None:
        denied = [reason for reason in reasons if reason.is_failure]
        if denied:
            self._trouble(
                f"the broker denied a subscription: {denied[0]}; allow the user in BROKER_URL to "
                f"read and write {', '.join(sorted({_above(one) for one, _ in self._topics}))}"
            )
            self._break_off()
            return
        self.connected, self.error = True, None
        log.info("connected to the broker at %s:%s", self._host, self._port)

    def _unreachable(self, client: Any, userdata: Any) -> None:
        why = sys.exc_info()[1]  # paho calls this where it has caught it
        self._trouble(
            f"the broker at {self._host}:{self._port} can't be reached: {why}; check BROKER_URL, "
            "and that it runs"
        )

    def _disconnected(self, client: Any, userdata: Any, flags: Any, reason: Any, _: Any) -> None:
        was, self._up, self.connected = self._up, False, False
        if reason.is_failure and self.error is None:
            self._trouble(f"lost the broker: {reason}")
        if was:
            self._on_link(False)

    def _break_off(self) -> None:
        """paho takes it for a lost connection, and makes a new one."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RDWR)

    def _trouble(self, error: str) -> None:
        """Say it once; it may go on for hours."""
        if error != self.error:
            log.error("%s; trying again", error)
        self.error = error

    def _message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        self._on_message(
            message.topic, bytes(message.payload), (message.mid, message.qos, self._connection)
        )

    def _published(self, client: Any, userdata: Any, mid: int, reason: Any, _: Any) -> None:
        self._confirmed += 1


def _above(pattern: str) -> str:
    return pattern.split("/", 1)[0] + "/#"


def _no_delay(client: Any, userdata: Any, sock: Any) -> None:
    # Without it Nagle's algorithm holds small packets back for 40 ms and more.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
