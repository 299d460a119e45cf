"""A board with the real firmware, a broker, a bad network in between, and a backend's voice."""

import contextlib
import json
import queue
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt.client import MQTTMessage
from protocol import decode, encode, topics
from protocol.conditions import wrap

from tests.support.mqtt import Client
from tools import slim, stage
from tools.brokers import Broker
from tools.emulator import Board
from tools.fleet import BoardSpec
from tools.proxy import Proxy

BOARD_ID = "pond-1"
USERS = {"answerback": "backend's", BOARD_ID: "one's"}
KEY = bytes(range(32))
FEEDER, LIGHT = 16, 21
GRAMS_PER_SECOND = 10
HEAP = "148K"
LATE_MS = 20
PATIENCE = 30.0  # seconds until a test gives up

Message = dict[str, Any]

_STARTED = "    if go:\n"


def make_board(folder: Path, port: int, turned: str = "", heap: str = HEAP, **made: Any) -> Board:
    """A board that will connect to 127.0.0.1:`port`; `made` goes to Board.

    `turned` is Python that changes constants; it runs when the release is loaded.
    """
    spec = BoardSpec(BOARD_ID, KEY.hex(), USERS[BOARD_ID], "pond")
    files: dict[str, bytes | str] = {**stage.files(), **spec.files(("127.0.0.1", port))}
    files["main.py"] = turned_main(turned)
    return Board(folder, files, heap=heap, **made)


def turned_main(turned: str) -> str:
    """main.py with more to do once the release is loaded, before it begins."""
    before, started, after = stage.files()["main.py"].decode().partition(_STARTED)
    assert started
    return before + textwrap.indent(slim.turned(turned), "    ") + "\n" + started + after


def settings_with(board: Board, **members: Any) -> None:
    """Changes settings.json on the flash of a board that is off."""
    given = json.loads(board.flash.read("settings.json"))
    board.flash.write({"settings.json": json.dumps({**given, **members})})


@dataclass
class Backend:
    """What the backend says to one board, and hears of it: (leaf, message) in order in `heard`.

    It answers each startup with the time, as the backend does, as long as it is `telling`.
    """

    broker: Broker
    heard: list[tuple[str, Message]] = field(default_factory=list)
    client: Client = field(init=False)
    telling: bool = True
    life_s: int = 60  # of a command
    _number: int = 0

    def connect(self) -> "Backend":
        """Connects and subscribes to all the board says."""
        self.client = Client(self.broker, "answerback", USERS["answerback"])
        code, _ = self.client.connect()
        assert not code.is_failure, code
        self.client.subscribe(f"{topics.PREFIX}/{BOARD_ID}/#")
        return self

    def close(self) -> None:
        """Leaves."""
        self.client.close()

    def command(
        self,
        verb: str,
        target: str = "",
        command_id: str = "",
        only_if: Sequence[Message] = (),
        **given: Any,
    ) -> str:
        """Sends a command that lives for `life_s`; its id."""
        self._number += 1
        command_id = command_id or f"c{self._number}"
        now = int(time.time())
        message = {
            "command_id": command_id,
            "command_type": verb,
            "target": target,
            "parameters": given,
            "timestamp": now,
            "expires_at": now + self.life_s,
            "attempt": 1,
        }
        self.say(encode("command", wrap(message, only_if), KEY))
        return command_id

    def say(self, data: bytes) -> None:
        """Publishes any bytes to the board."""
        self.client.publish(topics.topic(BOARD_ID, topics.COMMANDS), data)

    def wait(
        self, leaf: str, wanted: Mapping[str, Any], seconds: float = PATIENCE, since: int = 0
    ) -> Message:
        """The first message on `leaf` from number `since` on with these members."""

        def found() -> Message | None:
            for heard, message in self.heard[since:]:
                if heard == leaf and wanted.items() <= message.items():
                    return message
            return None

        return self.until(found, seconds)

    def result(self, command_id: str, seconds: float = PATIENCE) -> Message:
        """The completed ack of a command."""
        return self.wait(topics.ACK, {"command_id": command_id, "state": "completed"}, seconds)

    def online(self, seconds: float = PATIENCE, since: int = 0) -> Message:
        """The board has said that it is there."""
        return self.wait(topics.STATUS, {"status": "online"}, seconds, since)

    def until(self, found: Callable[[], Message | None], seconds: float = PATIENCE) -> Message:
        """Takes in messages until `found` returns something. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while (it := found()) is None:
            try:
                self._take(self.client.receive(max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                last = "\n".join(map(str, self.heard[-8:]))
                raise TimeoutError(f"not within {seconds} s; last heard:\n{last}") from None
        return it

    def acks(self, command_id: str) -> list[str]:
        """The states acknowledged for a command, in order."""
        return [
            message["state"]
            for leaf, message in self.heard
            if leaf == topics.ACK and message["command_id"] == command_id
        ]

    def _take(self, message: MQTTMessage) -> None:
        _, leaf = topics.parse(message.topic)
        if leaf == topics.COMMANDS:
            return  # our own
        kind = leaf.removeprefix("data/")
        content = decode(kind, message.payload, KEY)
        self.heard.append((leaf, content))
        if leaf == topics.STARTUP and self.telling:
            self.tell_time(content)

    def tell_time(self, startup: Message) -> None:
        """Answers a startup."""
        self.command("time", boot=startup["boot"], session=startup["session"])


@contextlib.contextmanager
def site(
    folder: Path,
    broker: Broker,
    turned: str = "",
    files: Mapping[str, str] | None = None,
    heap: str = HEAP,
    seconds: float = PATIENCE,
    **settings: Any,
) -> Iterator[tuple[Board, Backend, Proxy]]:
    """A board that runs and is online, its backend, and the network between board and broker.

    `files` are more files for its flash; `seconds` is how long it may take to be online.
    """
    with Proxy("127.0.0.1", broker.port) as proxy:
        board = make_board(folder / "board", proxy.port, turned, heap)
        settings_with(board, **settings)
        board.flash.write(files or {})
        backend = Backend(broker).connect()
        with board, contextlib.closing(backend):
            board.start()
            backend.online(seconds)
            yield board, backend, proxy


def lateness(board: Board, pin: int, wanted_ms: float) -> float:
    """How much the last pulse of a pin was too long or too short by the board's own fault, ms."""
    board.wait(lambda _: board.level(pin) == 0)
    return board.pulses(pin)[-1].off_by(wanted_ms)
