"""A paho client whose every step can be waited for."""

import queue
import socket
import struct
import threading
from typing import Any, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

SECONDS = 30.0

_LINGER_RESET = struct.pack("ii", 1, 0)


class Address(Protocol):
    """Where a broker is."""

    host: str
    port: int


class Client:
    """One MQTT 3.1.1 client, its client id being its user name unless `client_id` is given.

    `messages` is a queue of paho messages as they come; with `manual_ack` they stay
    unacknowledged until `acknowledge`.
    """

    def __init__(
        self,
        broker: Address,
        user: str,
        password: str,
        *,
        client_id: str = "",
        clean: bool = True,
        manual_ack: bool = False,
        keepalive: int = 60,
    ) -> None:
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.gone = threading.Event()
        self._broker, self._keepalive = broker, keepalive
        self._granted: queue.Queue[list[ReasonCode]] = queue.Queue()
        self._answers: queue.Queue[tuple[ReasonCode, bool]] = queue.Queue()
        self._paho = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or user,
            clean_session=clean,
            manual_ack=manual_ack,
            reconnect_on_failure=False,
        )
        self._paho.max_inflight_messages_set(0)
        self._paho.username_pw_set(user, password)
        self._paho.on_socket_open = _no_delay
        self._paho.on_connect = lambda _c, _u, flags, code, _p: self._answers.put(
            (code, flags.session_present)
        )
        self._paho.on_subscribe = lambda _c, _u, _m, codes, _p: self._granted.put(codes)
        self._paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self._paho.on_disconnect = lambda *_: self.gone.set()

    def will(self, topic: str, payload: bytes, retain: bool = False) -> "Client":
        """The last will; to be set before connecting."""
        self._paho.will_set(topic, payload, qos=1, retain=retain)
        return self

    def connect(self) -> tuple[ReasonCode, bool]:
        """(CONNACK's reason, whether the broker had a session). Raises queue.Empty."""
        self._paho.connect(self._broker.host, self._broker.port, self._keepalive)
        self._paho.loop_start()
        return self._answers.get(timeout=SECONDS)

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Returns once the broker has granted it."""
        (code,) = self.ask_for(topic, qos)
        assert not code.is_failure, f"{topic}: {code}"

    def ask_for(self, topic: str, qos: int = 1) -> list[ReasonCode]:
        """Subscribes where that may be refused: the broker's answer."""
        self._paho.subscribe(topic, qos)
        return self._granted.get(timeout=SECONDS)

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Returns once the broker has acknowledged it."""
        info = self._paho.publish(topic, payload, qos, retain)
        info.wait_for_publish(SECONDS)
        assert info.is_published(), f"no PUBACK for {topic}"

    def send(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1 and do not wait."""
        self._paho.publish(topic, payload, 1)

    def receive(self, seconds: float = SECONDS) -> paho.MQTTMessage:
        """The next message. Raises queue.Empty."""
        return self.messages.get(timeout=seconds)

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        """Sends the PUBACK of a `manual_ack` client."""
        self._paho.ack(message.mid, message.qos)

    def vanish(self) -> None:
        """Ends the connection as the death of the process would: no DISCONNECT is sent."""
        raw: Any = self._paho.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        raw.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """In good order, where it is still connected."""
        self._paho.disconnect()
        self._paho.loop_stop()


def _no_delay(_client: paho.Client, _user: Any, raw: Any) -> None:
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
