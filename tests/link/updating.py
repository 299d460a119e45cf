"""Releases to update a board with, and a board with a broker and a server to fetch them from."""

import contextlib
import random
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol import topics

from backend import manifest
from tests.link.site import BOARD_ID, KEY, PATIENCE, Backend, Message, make_board, settings_with
from tools import release, stage
from tools.brokers import Broker
from tools.emulator import Board
from tools.range_server import RangeServer

UNIX = stage.BOARDS / "UNIX"
SOURCES = stage.ROOT / "firmware" / "app"
VERSION = "0.2.0"
HEAP = "152K"
FINISHED = ("completed", "failed", "rejected")


def made(changed: Mapping[str, str] | None = None, more: int = 0) -> dict[str, bytes]:
    """A release; `changed`: {module of app: what stands after its own text}.

    `more`: bytes of one more file.
    """
    files = {**release.make(UNIX, VERSION)}
    if more:
        files["app/more.bin"] = random.Random(more).randbytes(more)
    for name, text in (changed or {}).items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / f"{name}.py"
            source.write_text((SOURCES / f"{name}.py").read_text() + "\n" + text)
            files[stage.place_of(f"app/{name}")] = stage.compiled(source, f"app.{name}")
    files.pop(manifest.NAME)
    return release.with_manifest(VERSION, files)


def signed(files: Mapping[str, bytes], key: bytes = KEY) -> dict[str, bytes]:
    """The same with its release.json signed."""
    return {**files, manifest.NAME: manifest.signed(files[manifest.NAME], key)}


@dataclass
class Pond:
    """One board that is told to update itself."""

    board: Board
    backend: Backend
    server: RangeServer

    def update(self, seconds: float = PATIENCE, **parameters: Any) -> Message:
        """The last ack of the command; `parameters` differ from what is right."""
        return self.outcome(self.begin(**parameters), seconds)

    def begin(self, **parameters: Any) -> str:
        """Gives the command; its id."""
        files = self.server.files
        right = {
            "version": VERSION,
            "url": self.server.url(manifest.NAME),
            "sha256": manifest.sha256(files[manifest.NAME]),
        }
        return self.backend.command("update_firmware", **{**right, **parameters})

    def outcome(self, command_id: str, seconds: float = PATIENCE) -> Message:
        """What became of a command."""

        def found() -> Message | None:
            for leaf, message in self.backend.heard:
                mine = leaf == topics.ACK and message["command_id"] == command_id
                if mine and message["state"] in FINISHED:
                    return message
            return None

        return self.backend.until(found, seconds)

    def runs_now(self, since: int = 0) -> Message:
        """The first startup message from there on."""
        return self.backend.wait(topics.STARTUP, {}, since=since)

    def runs(self, slot: str, state: str, seconds: float = PATIENCE, since: int = 0) -> Message:
        """The startup message that says so; `state` is how its text begins."""

        def found() -> Message | None:
            for leaf, message in self.backend.heard[since:]:
                mine = leaf == topics.STARTUP and message["slot"] == slot
                if mine and message["slot_state"].startswith(state):
                    return message
            return None

        return self.backend.until(found, seconds)


def quick(board: Board) -> None:
    """Its fixed part waits less."""
    main = board.flash.read("main.py").decode()
    for name, slow, fast in (("_WATCHDOG_MS", 30000, 1000), ("_PAUSE_MS", 1000, 10)):
        assert f"{name} = {slow}" in main
        main = main.replace(f"{name} = {slow}", f"{name} = {fast}")
    board.flash.write({"main.py": main})


@contextlib.contextmanager
def pond(
    folder: Path,
    broker: Broker,
    files: Mapping[str, bytes],
    turned: str = "",
    heap: str = HEAP,
    more: Mapping[str, str] | None = None,
    voice: type[Backend] = Backend,
    seconds: float = PATIENCE,
    **made: Any,
) -> Iterator[Pond]:
    """A board that is online, with the release to be fetched at a server.

    `more` are more files for its flash, `seconds` is how long it may take to be online; `made`
    goes to Board.
    """
    board = make_board(folder / "board", broker.port, turned, heap=heap, **made)
    board.flash.write(more or {})
    settings_with(board, health_s=1)
    quick(board)
    backend = voice(broker).connect()
    with RangeServer(files) as server, board, contextlib.closing(backend):
        board.start()
        backend.online(seconds)
        yield Pond(board, backend, server)


__all__ = ["BOARD_ID", "Pond", "made", "pond", "signed"]
