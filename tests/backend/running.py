"""A running backend on a private broker, and a board spoken for by the test over real MQTT."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol import ack, decode, encode
from protocol.signature import key_from_hex
from protocol.topics import ACK, COMMANDS, STARTUP, topic

from backend import schema
from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.delivery.wishes import NewCommand
from backend.fleet import boards
from backend.service import Backend
from tests.support.mqtt import Client
from tools.brokers import MosquittoBroker, free_port

PATIENCE = 30.0  # seconds until a test gives up
PASSWORD = "of the backend"


def eventually(what: Callable[[], Any]) -> Any:
    """Wait until `what()` is true and return it; fail after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)
    return found


class Station:
    """Database, broker, backend and one board, `pond`."""

    def __init__(self, folder: Path, kind: type[EmbeddedBroker] | type[MosquittoBroker]) -> None:
        self.images = folder / "images"
        self._seen: set[str] = set()  # ids of commands: see new_command
        self.database = schema.open_database(f"sqlite:///{folder / 'test.db'}")
        told = boards.enroll("pond", 1)
        self.key, self.password = key_from_hex(told["key"]), told["password"]
        users = {BACKEND_USER: PASSWORD, **boards.passwords()}
        self.broker = kind(folder / "broker", free_port(), users)
        self.broker.start()
        self.start()
        self.connect()

    def start(self) -> None:
        """Start the backend, for the first time or anew."""
        self.backend = Backend(
            f"mqtt://{BACKEND_USER}:of%20the%20backend@127.0.0.1:{self.broker.port}",
            images=self.images,
        )
        self.backend.start()
        eventually(lambda: self.backend.health()["mqtt"]["connected"])

    def connect(self) -> None:
        """Connect the board, for the first time or anew."""
        self.board = Client(self.broker, "pond", self.password)
        self.board.connect()
        self.board.subscribe(topic("pond", COMMANDS))
        self.startup()

    def close(self) -> None:
        """End everything."""
        self.board.close()
        self.backend.stop()
        self.broker.stop()
        self.database.close()

    def startup(self, boot: str = "b1") -> None:
        """Say hello, and wait until the backend knows."""
        message = {
            "boot": boot,
            "session": 1,
            "cause": "power_on",
            "firmware": "test",
            "board": "none",
            "actuators": {"feeder1": {"kind": "feeder"}},
            "has": "",
            "slot": "a",
            "slot_state": "confirmed",
            "latched": False,
            "heap": 1,
            "timestamp": 0,
        }
        self.board.publish(topic("pond", STARTUP), encode("startup", message, self.key))
        eventually(lambda: self.backend.board("pond")["online"])
        eventually(lambda: self.backend.board("pond")["boot"] == boot)

    def answer(self, command: dict[str, Any], *states: str) -> None:
        """Answer a command as the board."""
        for state in states:
            said = ack(command["command_id"], state, "b1", result={"within": 3})
            self.board.publish(topic("pond", ACK), encode("ack", said, self.key))

    def say(self, topic: str, payload: bytes) -> None:
        """Say anything, with the rights of the backend."""
        anybody = Client(self.broker, BACKEND_USER, PASSWORD, client_id="anybody")
        anybody.connect()
        anybody.publish(topic, payload)
        anybody.close()

    def feed(self) -> dict[str, Any]:
        """Post a feed; the command as the API shows it."""
        new = NewCommand("pond", "feed", "feeder1", {"amount": 5}, None, "ann")
        return self.backend.post(new)[0]

    def new_command(self) -> dict[str, Any]:
        """The next one that came for the first time; repetitions and questions are left out."""
        while (command := self.next_command())["command_id"] in self._seen:
            pass
        self._seen.add(command["command_id"])
        return command

    def next_command(self) -> dict[str, Any]:
        """The next command that reaches the board; answers to startups are left out."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            command = decode("command", self.board.receive(PATIENCE).payload, self.key)
            if command["command_type"] != "time":
                return dict(command)
        raise queue.Empty
