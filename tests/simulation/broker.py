"""The broker, as MQTT 3.1.1 lets it be: sessions, QoS 1, retained status, wills.

Rules of this file:
- the backend's session is persistent: what it has not confirmed it gets again, in order; a board's
  session is clean: what was under way to it when its connection ended is gone;
- a restart loses all there is: sessions, queues, retained messages;
- a bad broker may also lose, double or hold back what it has confirmed. It is signed: no broker
  can make anything up.
"""

from collections import deque

from protocol.topics import COMMANDS, STATUS, parse

from tests.simulation.client import Client
from tests.simulation.wire import (
    CONNACK,
    CONNECT,
    FIN,
    PUBACK,
    PUBLISH,
    SUBACK,
    SUBSCRIBE,
    Connection,
    Packet,
    Weather,
)
from tests.simulation.world import World

BACKEND = "answerback"


class Badness:
    """How bad the broker is: shares of the messages it loses, doubles and holds back."""

    def __init__(self, lose: float = 0.0, double: float = 0.0, hold: float = 0.0) -> None:
        self.lose, self.double, self.hold = lose, double, hold
        self.longest_ms = 30_000


class Session:
    """What the broker knows of one client. `unconfirmed`: {packet id: packet}, oldest first."""

    def __init__(self, clean: bool) -> None:
        self.clean = clean
        self.connection: Connection | None = None
        self.subscribed = False
        self.unconfirmed: dict[int, Packet] = {}
        self.last_id = 0


class Broker:
    """Clients call `accept`, everything else comes as packets over connections."""

    def __init__(self, world: World, weather: Weather, badness: Badness) -> None:
        self._world, self._weather, self.badness = world, weather, badness
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, bytes] = {}
        self.unreachable_for: set[str] = set()
        self.overheard: deque[tuple[str, bytes]] = deque(maxlen=20)  # what went through lately
        self.up = True

    def accept(self, client: Client) -> Connection | None:
        """A new connection, or None where the broker can't be reached."""
        if not self.up or client.client_id in self.unreachable_for:
            return None
        return Connection(self._world, self._weather, client, self)

    def connection_of(self, client_id: str) -> Connection | None:
        """The connection the broker has of a client."""
        session = self.sessions.get(client_id)
        return session.connection if session else None

    def restart(self, down_ms: int) -> None:
        """It is killed, and back in `down_ms` with nothing."""
        self.up = False
        lost = [session.connection for session in self.sessions.values() if session.connection]
        self.sessions.clear()
        self.retained.clear()
        for connection in lost:
            connection.will = None
            connection.end_at_broker()
        self._world.after(down_ms, self._come_up)

    def _come_up(self) -> None:
        self.up = True

    def arrived(self, connection: Connection, packet: Packet) -> None:
        """A packet came from a client."""
        kind = packet[0]
        if not self.up:
            return connection.end_at_broker()
        if kind == CONNECT:
            return self._connect(connection, *packet[1:])
        session = self.sessions.get(connection.client.client_id)
        if session is None or session.connection is not connection:
            return None
        if kind == PUBLISH:
            self._published(connection, packet)
        elif kind == PUBACK:
            session.unconfirmed.pop(packet[1], None)
        elif kind == SUBSCRIBE:
            self._subscribe(session, connection)
        elif kind == FIN:
            connection.end_at_broker()
            self.ended(connection)
        return None

    def ended(self, connection: Connection) -> None:
        """A connection is over; its will is published."""
        session = self.sessions.get(connection.client.client_id)
        if session and session.connection is connection:
            session.connection = None
            if session.clean:
                del self.sessions[connection.client.client_id]
        will, connection.will = connection.will, None
        if will:
            self.retained[will[0]] = will[1]
            self.route(*will, 1)

    def route(self, topic: str, payload: bytes, qos: int) -> None:
        """Hand a message to its subscriber; a bad broker does with it what it likes."""
        self.overheard.append((topic, payload))
        bad, world = self.badness, self._world
        if bad.lose and world.chance(bad.lose):
            world.fault("broker_lost_message", topic)
            return
        if bad.double and world.chance(bad.double):
            world.fault("broker_doubled_message", topic)
            world.after(world.between(0, 4 * bad.longest_ms), self._deliver, topic, payload, qos)
        if bad.hold and world.chance(bad.hold):
            world.fault("broker_held_message", topic)
            world.after(world.between(0, bad.longest_ms), self._deliver, topic, payload, qos)
        else:
            self._deliver(topic, payload, qos)

    def _deliver(self, topic: str, payload: bytes, qos: int) -> None:
        board_id, leaf = parse(topic)
        session = self.sessions.get(board_id if leaf == COMMANDS else BACKEND)
        if session is None or not session.subscribed:
            return
        packet_id = 0
        if qos:
            packet_id = session.last_id = session.last_id + 1
        packet = (PUBLISH, topic, payload, qos, packet_id, False)
        if qos and not session.clean:
            session.unconfirmed[packet_id] = packet
        if session.connection:
            session.connection.send_down(packet)

    def _connect(
        self, connection: Connection, client_id: str, clean: bool, will: tuple[str, bytes] | None
    ) -> None:
        old = self.sessions.get(client_id)
        if old and old.connection:  # taken over
            before = old.connection
            before.end_at_broker()
            self.ended(before)
        session = self.sessions.get(client_id)
        if session is None or clean:
            session = self.sessions[client_id] = Session(clean)
        session.connection, connection.will = connection, will
        connection.send_down((CONNACK,))
        for packet in session.unconfirmed.values():
            connection.send_down(packet)

    def _subscribe(self, session: Session, connection: Connection) -> None:
        session.subscribed = True
        connection.send_down((SUBACK,))
        if connection.client.client_id == BACKEND:
            for topic, payload in self.retained.items():
                self._deliver(topic, payload, 1)

    def _published(self, connection: Connection, packet: Packet) -> None:
        _, topic, payload, qos, packet_id, retain = packet
        if qos:
            connection.send_down((PUBACK, packet_id))
        if retain and parse(topic)[1] == STATUS:
            self.retained[topic] = payload
        self.route(topic, payload, qos)
