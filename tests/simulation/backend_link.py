"""The backend's link to the broker, as paho keeps it; the writer knows it as its own."""

from collections.abc import Callable

from backend.brokers.mqtt import Receipt
from backend.delivery.writer import Writer
from tests.simulation.broker import BACKEND, Broker
from tests.simulation.client import Client
from tests.simulation.life import Life
from tests.simulation.world import World


class BackendClient(Client):
    """The link to the broker, as paho keeps it: what is not confirmed is sent again."""

    def __init__(self, world: World, broker: Broker, life: Life, wake: Callable[[], None]) -> None:
        super().__init__(world, broker, BACKEND, False, (1000, 2000, 4000, 8000, 16000, 30000))
        self._life, self._wake = life, wake
        self.writer: Writer
        self._number = self._last_id = 0
        self._up = False
        self._unconfirmed: dict[int, tuple[str, bytes]] = {}

    def send(self, link: str, where: str, payload: bytes, qos: int) -> bool:
        """`publish` of the real links."""
        self._life.step("publish")
        if not self._up:
            return False
        self._last_id += 1
        self._unconfirmed[self._last_id] = (where, payload)
        self.publish(where, payload, qos, self._last_id, False)
        return True

    def acknowledge(self, receipts: list[Receipt]) -> None:
        """`acknowledge` of the real links."""
        for packet_id, qos, number, _ in receipts:
            self._life.step("acknowledge")
            if qos and number == self._number:
                self.confirm(packet_id)

    def greeted(self) -> None:
        """A new connection: we hear the broker. Send again."""
        self._number += 1
        self._up = True
        self.writer.link_changed("", True)
        self._wake()
        for packet_id, (where, payload) in self._unconfirmed.items():
            self.publish(where, payload, 1, packet_id, False)

    def closed(self, was_ready: bool) -> None:
        """We hear it no more."""
        was, self._up = self._up, False
        if was:
            self.writer.link_changed("", False)
            self._wake()

    def message(self, topic: str, payload: bytes, qos: int, packet_id: int) -> None:
        """For the writer."""
        self.writer.message(topic, payload, (packet_id, qos, self._number, ""))
        self._wake()

    def confirmed(self, packet_id: int) -> None:
        """The broker has it."""
        self._unconfirmed.pop(packet_id, None)


class Port:
    """What the writer knows of the links."""

    def __init__(self, client: BackendClient) -> None:
        self.publish, self.acknowledge = client.send, client.acknowledge
