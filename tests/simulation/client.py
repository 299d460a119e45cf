"""The life of an MQTT client: it connects, subscribes, and begins anew when that is lost."""

from typing import TYPE_CHECKING

from tests.simulation.wire import (
    CONNACK,
    CONNECT,
    PUBACK,
    PUBLISH,
    SUBACK,
    SUBSCRIBE,
    Connection,
    Packet,
)
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.broker import Broker


class Client:
    """`clean`: whether its session ends with the connection. `pauses_ms`: between two tries."""

    def __init__(
        self,
        world: World,
        broker: "Broker",
        client_id: str,
        clean: bool,
        pauses_ms: tuple[int, ...],
    ) -> None:
        self.world, self.broker = world, broker
        self.client_id, self.clean, self._pauses = client_id, clean, pauses_ms
        self.connection: Connection | None = None
        self.ready = self.over = False
        self._failures = 0
        self._since = 0

    def ready_for(self) -> int:
        """For how many ms it has been ready."""
        return self.world.now - self._since if self.ready else 0

    def start(self) -> None:
        """Connect soon."""
        self.world.after(self.world.between(0, 500), self._connect)

    def kill(self, power: bool) -> None:
        """The client is no more: its power went, or only its process."""
        self.over = True
        if self.connection:
            (self.connection.vanish if power else self.connection.finish)()
            self.connection = None
        self.ready = False

    def publish(self, topic: str, payload: bytes, qos: int, packet_id: int, retain: bool) -> None:
        """Send a message over the connection there is."""
        if self.connection:
            self.connection.send_up((PUBLISH, topic, payload, qos, packet_id, retain))

    def confirm(self, packet_id: int) -> None:
        """Send a PUBACK."""
        if self.connection:
            self.connection.send_up((PUBACK, packet_id))

    def arrived(self, connection: Connection, packet: Packet) -> None:
        """A packet came from the broker."""
        if connection is not self.connection:
            return
        kind = packet[0]
        if kind == PUBLISH:
            self.message(packet[1], packet[2], packet[3], packet[4])
        elif kind == PUBACK:
            self.confirmed(packet[1])
        elif kind == CONNACK:
            self.greeted()
            connection.send_up((SUBSCRIBE,))
        elif kind == SUBACK:
            self.ready, self._failures, self._since = True, 0, self.world.now
            self.opened()

    def lost(self, connection: Connection) -> None:
        """The connection is over."""
        if connection is self.connection:
            was, self.connection, self.ready = self.ready, None, False
            self.closed(was)
            self._again()

    def _connect(self) -> None:
        if self.over or self.connection:
            return
        self.connection = self.broker.accept(self)
        if self.connection is None:
            self._again()
        else:
            self.connection.send_up((CONNECT, self.client_id, self.clean, self.will()))

    def _again(self) -> None:
        pause = self._pauses[min(self._failures, len(self._pauses) - 1)]
        self._failures += 1
        self.world.after(self.world.between(pause // 2, pause), self._connect)

    def will(self) -> tuple[str, bytes] | None:
        """(topic, payload) the broker is to publish when this connection breaks."""
        return None

    def greeted(self) -> None:
        """The broker knows us."""

    def opened(self) -> None:
        """The subscription is granted."""

    def closed(self, was_ready: bool) -> None:
        """The connection is lost."""

    def message(self, topic: str, payload: bytes, qos: int, packet_id: int) -> None:
        """A message came."""
        raise NotImplementedError

    def confirmed(self, packet_id: int) -> None:
        """The broker has confirmed a message."""
