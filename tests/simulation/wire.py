"""One TCP connection between an MQTT client and the broker, and the weather it lives in.

Rules of this file:
- while both ends live and the way between them stands, nothing is lost, doubled or reordered:
  each direction is a queue, and a late packet holds up those behind it;
- what is under way when a connection is reset is lost, and both ends hear of it;
- where the way is cut (half-open) nobody hears of anything before the keepalive is over.
"""

from typing import TYPE_CHECKING, Any

from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.broker import Broker
    from tests.simulation.client import Client

# Packets are tuples that begin with one of these.
CONNECT, CONNACK, SUBSCRIBE, SUBACK, PUBLISH, PUBACK, FIN = range(7)

Packet = tuple[Any, ...]

CLIENT_NOTICES_MS = (15_000, 22_000)  # keepalive of 15 s
BROKER_NOTICES_MS = 22_500  # one and a half of it
UP, DOWN = 0, 1


class Weather:
    """How the network is just now. `late`: the share of packets that need up to `late_ms`."""

    def __init__(self, late: float = 0.0, late_ms: int = 0) -> None:
        self.late, self.late_ms = late, late_ms

    def latency(self, world: World) -> int:
        """ms one packet needs."""
        if self.late and world.chance(self.late):
            return world.between(20, self.late_ms)
        return world.between(1, 20)


class Connection:
    """`will` is (topic, payload), published by the broker if this ends, or None."""

    def __init__(self, world: World, weather: Weather, client: "Client", broker: "Broker") -> None:
        self._world, self._weather = world, weather
        self.client, self.broker = client, broker
        self.will: tuple[str, bytes] | None = None
        self._last = [world.now, world.now]  # when the last packet of each direction arrives
        self._cut = [False, False]
        self._client_there = self._broker_there = True

    def send_up(self, packet: Packet) -> None:
        """From the client to the broker."""
        if self._client_there:
            self._send(UP, packet)

    def send_down(self, packet: Packet) -> None:
        """From the broker to the client."""
        if self._broker_there:
            self._send(DOWN, packet)

    def stall(self, ms: int) -> None:
        """Whatever is sent from now on needs at least `ms`: TCP gets through in the end."""
        until = self._world.now + ms
        self._last = [max(last, until) for last in self._last]

    def cut(self, up: bool, down: bool) -> None:
        """Half-open: what is sent that way gets nowhere."""
        self._cut = [self._cut[UP] or up, self._cut[DOWN] or down]
        self._world.after(self._world.between(*CLIENT_NOTICES_MS), self._client_gives_up)
        if up:
            self._world.after(BROKER_NOTICES_MS, self._broker_gives_up)

    def reset(self) -> None:
        """Both ends hear of it now."""
        self._broker_gives_up()
        self._client_gives_up()

    def finish(self) -> None:
        """The client's process has ended: what it has sent arrives, then the end."""
        self.send_up((FIN,))
        self._client_there = False

    def vanish(self) -> None:
        """The client has lost its power: what it has sent arrives, and then nothing ever."""
        self._client_there = False
        self._world.after(BROKER_NOTICES_MS, self._broker_gives_up)

    def end_at_broker(self) -> None:
        """The broker closes it."""
        self._broker_there = False
        if not self._cut[DOWN]:
            self._world.after(self._weather.latency(self._world), self._client_gives_up)

    def _send(self, way: int, packet: Packet) -> None:
        when = self._world.now + self._weather.latency(self._world)
        self._last[way] = when = max(when, self._last[way])
        self._world.at(when, self._arrive, way, packet)

    def _arrive(self, way: int, packet: Packet) -> None:
        if self._cut[way]:
            return
        if way == UP and self._broker_there:
            self.broker.arrived(self, packet)
        elif way == DOWN and self._client_there:
            self.client.arrived(self, packet)

    def _client_gives_up(self) -> None:
        if not self._client_there:
            return
        self._client_there = False
        if not self._cut[UP]:
            self._broker_gives_up()
        self.client.lost(self)

    def _broker_gives_up(self) -> None:
        if self._broker_there:
            self._broker_there = False
            self.broker.ended(self)
