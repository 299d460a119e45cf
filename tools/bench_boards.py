"""Light boards: one process that speaks for many boards, so that the backend is what is measured.

Each is an MQTT client of its own with its own user and key. It announces itself and its feeders,
beats, checks every command's signature, and answers at once, truly signed: accepted, completed.
A command it has answered before is not run again but counted as `again`.
"""

import select
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from protocol import ack, decode, encode
from protocol.limits import HEARTBEAT_SECONDS
from protocol.messages import ACCEPTED, COMPLETED
from protocol.signature import key_from_hex
from protocol.topics import ACK, COMMANDS, HEARTBEAT, STARTUP, STATUS, topic

from tools.bench_mqtt import Login, make_client, spawn, subscribe_then

TARGETS = tuple(f"feeder{number}" for number in range(1, 17))
_BOOT, _SESSION = "0123456789abcdef", 1
_ACTUATORS = {name: {"kind": "feeder", "longest_s": 120} for name in TARGETS}


@dataclass(frozen=True)
class LightSpec:
    """One board: how it reaches the broker, and its key (64 hexadecimal digits)."""

    login: Login
    key: str


class LightBoard:
    """One board. All calls come from the one thread that drives all of them."""

    def __init__(self, spec: LightSpec) -> None:
        self.id, self._key = spec.login.user, key_from_hex(spec.key)
        self._ack = topic(self.id, ACK)
        self._seen: set[str] = set()
        self.again = 0
        self.client = make_client(spec.login)
        subscribe_then(self.client, topic(self.id, COMMANDS), self._announce)
        self.client.on_message = self._message
        self.client.connect(spec.login.host, spec.login.port)

    @property
    def ran(self) -> int:
        """How many commands it has run."""
        return len(self._seen)

    def beat(self) -> None:
        """A heartbeat, and paho's own timers."""
        self._say(
            HEARTBEAT,
            "heartbeat",
            {
                "uptime": 1,
                "heap": 100_000,
                "rssi": -50,
                "running": {},
                "latched": False,
                "dropped": {},
            },
            qos=0,
        )
        self.client.loop_misc()

    def _announce(self) -> None:
        startup = {
            "cause": "power",
            "firmware": "bench",
            "board": "BENCH",
            "actuators": _ACTUATORS,
            "has": "",
            "slot": "a",
            "slot_state": "confirmed",
            "latched": False,
            "heap": 100_000,
            "timestamp": 0,
        }
        self._say(STARTUP, "startup", startup)
        self._say(STATUS, "status", {"status": "online", "until": 0})

    def _say(self, leaf: str, kind: str, message: Mapping[str, Any], qos: int = 1) -> None:
        whole = {"boot": _BOOT, "session": _SESSION, **message}
        self.client.publish(topic(self.id, leaf), encode(kind, whole, self._key), qos)

    def _message(self, client: Any, userdata: Any, message: Any) -> None:
        command = decode("command", message.payload, self._key)
        if command["command_type"] == "time":
            return
        command_id = command["command_id"]
        self.again += command_id in self._seen
        self._seen.add(command_id)
        now = int(time.time())
        for said in (
            ack(command_id, ACCEPTED, _BOOT, now, result={"within": 10}),
            ack(command_id, COMPLETED, _BOOT, now, result={"grams": 1}),
        ):
            self.client.publish(self._ack, encode("ack", said, self._key), 1)


class _Fleet:
    """All boards on one thread."""

    def __init__(self, specs: Iterable[LightSpec]) -> None:
        self.boards = [LightBoard(spec) for spec in specs]
        self._by_socket: dict[Any, LightBoard] = {b.client.socket(): b for b in self.boards}
        self._unsent: set[LightBoard] = set()
        self._next_beat = 0.0

    def turn(self, control: Connection) -> bool:
        """Do what there is to do. False when `control` says that it is over."""
        wait = 0.001 if self._unsent else 1.0
        ready, _, _ = select.select([*self._by_socket, control], [], [], wait)
        if control in ready:
            return False
        busy = [self._by_socket[sock] for sock in ready]
        for board in busy:
            board.client.loop_read()
        for board in {*busy, *self._unsent}:
            self._write(board)
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + HEARTBEAT_SECONDS
            for board in self.boards:
                board.beat()
        return True

    def _write(self, board: LightBoard) -> None:
        if board.client.want_write():
            board.client.loop_write()
        if board.client.want_write():
            self._unsent.add(board)
        else:
            self._unsent.discard(board)


def drive(specs: list[LightSpec], control: Connection) -> None:
    """Run the boards until `control` says so; then it gets (commands run, again, CPU seconds)."""
    fleet = _Fleet(specs)
    while fleet.turn(control):
        pass
    ran, again = sum(b.ran for b in fleet.boards), sum(b.again for b in fleet.boards)
    control.recv()
    control.send((ran, again, time.process_time()))


class LightBoards:
    """The process. `stop` gives what it counted."""

    def __init__(self, specs: list[LightSpec]) -> None:
        self._control, theirs = spawn.Pipe()
        self._process = spawn.Process(target=drive, args=(specs, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def stop(self) -> tuple[int, int, float]:
        """(commands run, commands that came again, CPU seconds of the process)."""
        self._control.send("stop")
        found: tuple[int, int, float] = self._control.recv()
        self._process.join()
        return found

    def kill(self) -> None:
        """End it if it still runs."""
        self._process.terminate()
        self._process.join()
