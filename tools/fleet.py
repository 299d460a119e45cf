"""Many emulated boards at once: each with firmware, settings and actuators on its flash."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import stage
from tools.emulator import Board, EmulatorError, Event

ACTUATORS = stage.BOARDS / "UNIX" / "actuators"

_AT_ONCE = 8

OnEvent = Callable[[str, Event], None]


@dataclass(frozen=True)
class BoardSpec:
    """One board as the backend enrolled it, and what is wired to it.

    `key` is 64 hexadecimal digits; `actuators` is the name of a file in boards/UNIX/actuators, or
    {name: {"kind": ..., "pin": ...}}.
    """

    board_id: str
    key: str
    password: str
    actuators: str | Mapping[str, Mapping[str, Any]] = "pond"

    def files(self, broker: tuple[str, int]) -> dict[str, str]:
        """Its settings.json and actuators.json. Raises EmulatorError (no such actuators)."""
        host, port = broker
        settings = {
            "board_id": self.board_id,
            "key": self.key,
            "broker": {
                "host": host,
                "port": port,
                "user": self.board_id,
                "password": self.password,
            },
            "wifi": [{"ssid": "emulated", "password": ""}],
            "hold_s": 30,
        }
        return {"settings.json": json.dumps(settings), "actuators.json": self._actuators()}

    @property
    def unique_id(self) -> str:
        """What the chip would say: 6 bytes, hexadecimal."""
        return hashlib.sha256(self.board_id.encode()).hexdigest()[:12]

    def _actuators(self) -> str:
        if not isinstance(self.actuators, str):
            return json.dumps({"actuators": self.actuators})
        path = ACTUATORS / f"{self.actuators}.json"
        if not path.exists():
            known = ", ".join(sorted(file.stem for file in ACTUATORS.glob("*.json")))
            raise EmulatorError(f"there are no actuators {self.actuators!r}: use {known}")
        return path.read_text()


class Fleet:
    """Boards, each with its flash image in `directory`/ID; {id: Board} in `boards`, all off.

    Firmware and settings on an existing image are replaced, the rest (the journal) stays.
    `firmware` is {path: content}, else what boards/UNIX names. `heap`: a board runs in 128K, but
    then a flood of messages of 2 KB and more ends its connection now and then. `on_event` is
    called with (board id, event) from the boards' own threads; `made` goes to Board. Raises
    EmulatorError, StageError, FetchError.
    """

    def __init__(
        self,
        specs: Iterable[BoardSpec],
        directory: Path,
        broker: tuple[str, int],
        on_event: OnEvent | None = None,
        *,
        firmware: Mapping[str, bytes] | None = None,
        heap: str = "160K",
        serial: bool = False,
        **made: Any,
    ) -> None:
        firmware = stage.files() if firmware is None else firmware
        self.boards: dict[str, Board] = {}
        for spec in specs:
            board = Board(
                directory / spec.board_id,
                unique_id=spec.unique_id,
                heap=heap,
                serial=serial,
                on_event=_told_by(spec.board_id, on_event),
                **made,
            )
            board.flash.write({**firmware, **spec.files(broker)})
            self.boards[spec.board_id] = board

    def __enter__(self) -> "Fleet":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """All on, and each has booted when this returns."""
        for _ in self.starting():
            pass

    def starting(self) -> Iterator[str]:
        """Switches them on as one goes through it; the id of each that has booted."""
        with ThreadPoolExecutor(_AT_ONCE) as some:
            yield from some.map(self._boot, self.boards)

    def stop(self) -> None:
        """All off for good, at once; no process is left."""
        with ThreadPoolExecutor(_AT_ONCE) as some:
            list(some.map(Board.close, self.boards.values()))

    def _boot(self, board_id: str) -> str:
        board = self.boards[board_id]
        since = len(board.log)
        board.start().wait_for("boot", timeout=60, since=since)
        return board_id


def _told_by(board_id: str, on_event: OnEvent | None) -> Callable[[Event], None] | None:
    if on_event is None:
        return None
    return lambda event: on_event(board_id, event)


def describe(board_id: str, event: Event) -> str:
    """One line for people."""
    name = event["event"]
    if name == "console":
        return f"{board_id:12} | {event['line']}"
    if name == "pin":
        return f"{board_id:12} pin {event['pin']} {'on' if event['value'] else 'off'}"
    rest = {key: event[key] for key in event if key not in ("event", "ms", "number")}
    return " ".join([f"{board_id:12}", name, *(f"{key}={rest[key]}" for key in sorted(rest))])
