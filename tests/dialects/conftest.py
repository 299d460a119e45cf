"""A backend core on a real database file with boards of other dialects, in a time of its own."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend import schema
from backend.brokers.listening import Heard
from backend.delivery import commands
from backend.delivery.core import Batch, Core
from backend.delivery.wishes import Cancellation, NewCommand
from backend.delivery.work import Outcome
from backend.dialects.registry import DIALECTS
from backend.fleet import boards
from backend.fleet.newcomers import Announcement

START = 1_800_000_000_000  # ms; 2027-01-15T08:00:00Z
MAC = "A1B2C3D4E5F6"
TARGETS = {"light": "room1/light", "steam": "room1/steam", "motor1": "room1/motor1"}


class Hall:
    """Speaks to the core as users and boards do; `now` (ms) stands still until it is set."""

    def __init__(self, path: Path) -> None:
        self.now = START
        self.database = schema.open_database(f"sqlite:///{path}")
        boards.enroll("esp32_01", START, dialect="museum", options={"targets": TARGETS})
        boards.enroll("a1:b2:c3:d4:e5:f6", START, dialect="esp32cam")
        self.restart()

    def restart(self) -> None:
        """Start the backend anew from its database alone."""
        self.core = Core(random.Random(1))
        self.core.roster.listen(self.now)

    def at(self, seconds: float) -> "Hall":
        """Set the time, in seconds since the start."""
        self.now = START + int(seconds * 1000)
        return self

    def apply(self, batch: Batch) -> Outcome:
        """One transaction."""
        self.out = self.core.apply(batch, self.now)
        return self.out

    def tick(self) -> list[Any]:
        """Let the time do its work; what is said."""
        self.apply(Batch([], [], []))
        return self.words()

    def say(self, topic: str, said: Any) -> list[Any]:
        """Say something as a board; what is said to boards then."""
        payload = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        heard = self.core.ingest.read(topic, payload)
        batch = Batch([], [], [])
        if isinstance(heard, Announcement):
            batch.announced.append(heard)
        elif isinstance(heard, Heard):
            batch.heard.append(heard)
        self.apply(batch)
        return self.words()

    def words(self) -> list[Any]:
        """[topic, text or object] of all that went out last."""
        said = [message for _, message in self.out.said]
        for board_id, command in self.out.publish:
            board = self.core.roster.get(board_id)
            assert board is not None
            said += DIALECTS[board.dialect].write(board.facts, command)
        shown = []
        for topic, payload, _ in said:
            text = payload.decode()
            shown.append([topic, json.loads(text) if text[:1] == "{" else text])
        return shown

    def post(self, board_id: str, kind: str, target: str = "", **parameters: Any) -> Any:
        """Post a command; its row."""
        new = NewCommand(board_id, kind, target, parameters, None, "ann")
        commands.check(new, self.core.roster)
        self.apply(Batch([("me", new)], [], []))
        return self.out.answers[0][1][0]

    def cancel(self, row: Any) -> Any:
        """Cancel a command; its row, or the Refusal."""
        self.apply(Batch([], [("me", Cancellation(row["id"], "ann"))], []))
        return self.out.answers[0][1]

    def stands(self, row: Any) -> tuple[str, str | None]:
        """(status, error) in the database."""
        found = commands.get(row["id"])
        return found["status"], found["error"]

    def history(self, row: Any) -> list[Any]:
        """(status, detail) of each step."""
        return [(step["to"], step["detail"]) for step in commands.get(row["id"])["history"]]

    def online(self, board_id: str) -> bool | None:
        """Whether a board is."""
        board = self.core.roster.get(board_id)
        assert board is not None
        return board.online


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path / "test.db")
    yield hall
    hall.database.close()
