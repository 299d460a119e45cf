"""Sites with brokers of their own under one backend; the test speaks for a board at each."""

import time
from pathlib import Path
from typing import Any

from protocol import ack, decode, encode
from protocol.signature import key_from_hex
from protocol.topics import ACK, COMMANDS, STATUS, topic

from backend import schema
from backend.brokers import connections
from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.database.models import Board, Site
from backend.delivery.wishes import NewCommand
from backend.delivery.writer import now_ms
from backend.errors import Busy
from backend.fleet import boards
from backend.service import Backend
from tests.backend.running import PASSWORD, eventually
from tests.support.mqtt import Client
from tools.brokers import Broker, MosquittoBroker, free_port

QUICK = 0.3  # seconds between tries, and between the reconciler's looks


class Place:
    """A site, its broker (not started), and its board, which has the site's name."""

    def __init__(self, folder: Path, name: str, kind: type[Broker]) -> None:
        self.name = name
        Site.insert(id=name, name=name, created_at=1).execute()
        told = boards.enroll(name, 1)
        Board.update(site=name).where(Board.id == name).execute()
        self.key = key_from_hex(told["key"])
        self.users = {BACKEND_USER: PASSWORD, name: told["password"]}
        self.broker = kind(folder / name, free_port(), self.users)

    def save(self, password: str = PASSWORD, **more: Any) -> None:
        """Set the site's connection to this broker."""
        asked = {"host": self.broker.host, "port": self.broker.port, "username": BACKEND_USER}
        connections.save(self.name, {**asked, "password": password, **more}, now_ms())

    def shown(self) -> dict[str, Any]:
        """The connection as the API shows it."""
        return connections.find(self.name)

    def log(self) -> list[dict[str, Any]]:
        """Its log, oldest first."""
        return connections.log_page(self.name)[::-1]

    def arrive(self) -> None:
        """The board connects and is online."""
        self.board = Client(self.broker, self.name, self.users[self.name])
        self.board.connect()
        self.board.subscribe(topic(self.name, COMMANDS))
        self.say_online(self.board)

    def say_online(self, voice: Client) -> None:
        """The board is there, said over some connection."""
        said = {"status": "online", "boot": "b1", "session": 1, "until": 0}
        voice.publish(topic(self.name, STATUS), encode("status", said, self.key))

    def answer(self) -> dict[str, Any]:
        """Take the next command and complete it."""
        command = decode("command", self.board.receive().payload, self.key)
        for state in ("accepted", "completed"):
            said = ack(command["command_id"], state, "b1", result={"within": 3})
            self.board.publish(topic(self.name, ACK), encode("ack", said, self.key))
        return dict(command)


class Estate:
    """The backend with its default broker, and places by name."""

    def __init__(self, folder: Path, kinds: dict[str, type[Broker]], window: int = 2_000) -> None:
        self.database = schema.open_database(f"sqlite:///{folder / 'test.db'}")
        self.path = folder / "test.db"
        self.places = {name: Place(folder, name, kind) for name, kind in kinds.items()}
        self.broker = EmbeddedBroker(folder / "default", free_port(), {BACKEND_USER: PASSWORD})
        self.broker.start()
        self.window = window
        self.start()

    def start(self) -> None:
        """Start the backend."""
        url = f"mqtt://{BACKEND_USER}:of%20the%20backend@127.0.0.1:{self.broker.port}"
        self.backend = Backend(url, self.window, retry_cap=QUICK, look_every=QUICK)
        self.backend.start()
        eventually(lambda: self.backend.health()["mqtt"]["connected"])

    def __getitem__(self, name: str) -> Place:
        return self.places[name]

    def opened(self, name: str) -> Place:
        """A place whose broker runs, connected to, and whose board is online."""
        place = self[name]
        place.broker.start()
        place.save(is_active=True)
        self.backend.connections_changed()
        self.until(name, "connected")
        place.arrive()
        eventually(lambda: self.online(name))
        return place

    def until(self, name: str, status: str) -> dict[str, Any]:
        """Wait until a connection has this status; it."""
        eventually(lambda: self[name].shown()["status"] == status)
        return self[name].shown()

    def online(self, name: str) -> Any:
        """Whether the board of a place is: True, False or None."""
        return self.backend.board(name)["online"]

    def ping(self, name: str) -> dict[str, Any]:
        """Post a command to the board of a place."""
        return self.backend.post(NewCommand(name, "ping", "", {}, None, "ann"))[0]

    def ping_or_none(self, name: str) -> dict[str, Any] | None:
        """The same; None where the board's site is busy."""
        try:
            return self.ping(name)
        except Busy:
            return None

    def round_ms(self, name: str) -> float:
        """How long a command takes from being posted to being known as completed."""
        begin = time.perf_counter()
        posted = self.ping(name)
        self[name].answer()
        while self.backend.command(posted["id"])["status"] != "COMPLETED":
            time.sleep(0.0005)
        return (time.perf_counter() - begin) * 1000

    def close(self) -> None:
        """End everything."""
        self.backend.stop()
        for broker in (self.broker, *(place.broker for place in self.places.values())):
            broker.stop()
        self.database.close()


KINDS: dict[str, type[Broker]] = {
    "garda": MosquittoBroker,
    "como": EmbeddedBroker,
    "elba": EmbeddedBroker,
}
