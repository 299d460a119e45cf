"""A running backend on a private broker, and a board spoken for by the test over real MQTT."""

import queue
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from protocol import ack, decode, encode
from protocol.signature import key_from_hex
from protocol.topics import ACK, COMMANDS, STARTUP, topic

from backend import boards, models
from backend.broker import BACKEND_USER, EmbeddedBroker
from backend.commands import NewCommand
from backend.service import Backend

PATIENCE = 15.0  # seconds until a test gives up
PASSWORD = "of the backend"


def free_port() -> int:
    """A TCP port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: Callable[[], Any]) -> Any:
    """Wait until `what()` is true and return it; fail after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)
    return found


def connect(port: int, user: str, password: str, client_id: str) -> paho.Client:
    """A connected client with its network thread running."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id)
    client.username_pw_set(user, password)
    client.max_inflight_messages_set(0)
    client.on_socket_open = lambda _, __, sock: sock.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


class Station:
    """Database, broker, backend and one board, `pond`. Commands it gets are in `commands`."""

    def __init__(self, folder: Path) -> None:
        self.database = models.open_database(f"sqlite:///{folder / 'test.db'}")
        told = boards.enroll("pond", 1)
        self.key, self.password = key_from_hex(told["key"]), told["password"]
        self.port = free_port()
        users = {BACKEND_USER: PASSWORD, **boards.passwords()}
        self.broker = EmbeddedBroker(folder / "broker", self.port, users)
        self.broker.start()
        self.start()
        self.commands: queue.Queue[dict[str, Any]] = queue.Queue()
        self.board = connect(self.port, "pond", self.password, "pond")
        self.board.on_message = self._heard
        granted = threading.Event()
        self.board.on_subscribe = lambda *_: granted.set()
        self.board.subscribe(topic("pond", COMMANDS), 1)
        assert granted.wait(PATIENCE)
        self.startup()

    def start(self) -> None:
        """Start the backend, for the first time or anew."""
        self.backend = Backend(f"mqtt://{BACKEND_USER}:of%20the%20backend@127.0.0.1:{self.port}")
        self.backend.start()
        eventually(lambda: self.backend.health()["mqtt"]["connected"])

    def close(self) -> None:
        """End everything."""
        self.board.disconnect()
        self.board.loop_stop()
        self.backend.stop()
        self.broker.stop()
        self.database.close()

    def startup(self) -> None:
        """Say hello, and wait until the backend knows."""
        message = {
            "boot": "b1",
            "session": 1,
            "cause": "power_on",
            "firmware": "test",
            "board": "none",
            "actuators": {"feeder1": {"kind": "feeder"}},
            "heap": 1,
            "timestamp": 0,
        }
        self.board.publish(topic("pond", STARTUP), encode("startup", message, self.key), 1)
        eventually(lambda: self.backend.board("pond")["online"])

    def answer(self, command: dict[str, Any], *states: str) -> None:
        """Answer a command as the board."""
        for state in states:
            said = ack(command["command_id"], state, "b1", result={"within": 3})
            self.board.publish(topic("pond", ACK), encode("ack", said, self.key), 1)

    def feed(self) -> dict[str, Any]:
        """Post a feed; the command as the API shows it."""
        new = NewCommand("pond", "feed", "feeder1", {"amount": 5}, None, "ann")
        return self.backend.post(new)[0]

    def next_command(self) -> dict[str, Any]:
        """The next command that reaches the board."""
        return self.commands.get(timeout=PATIENCE)

    def _heard(self, client: Any, userdata: Any, message: Any) -> None:
        command = decode("command", message.payload, self.key)
        if command["command_type"] != "time":
            self.commands.put(command)
