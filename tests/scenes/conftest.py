"""A backend core with a museum room, and scenes played in it in a time of the test's own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.brokers.listening import Word
from backend.delivery.core import Batch
from backend.delivery.work import Task
from backend.errors import Refusal
from backend.fleet import boards
from backend.fleet.presence import Presence
from backend.scenes import rows
from backend.scenes.tasks import Control, Save, Start
from tests.dialects.conftest import START, Hall

BOARD = "esp32_01"
LAMP = {"room1/lamp": {"board": "b1", "target": "light1"}}  # see Stage.own_board


def mqtt(topic: str, message: str, **more: Any) -> dict[str, Any]:
    """An action of a museum's file."""
    return {"action": "mqtt", "topic": f"room1/{topic}", "message": message, **more}


def scene(*timeline: dict[str, Any], delay: float = 10, **more: Any) -> dict[str, Any]:
    """A scene of one state that ends after so many seconds."""
    leaves = [{"type": "timeout", "delay": delay, "goto": "END"}]
    state = {"timeline": list(timeline), "transitions": leaves}
    return {"sceneId": "show", "initialState": "A", "states": {"A": state}, **more}


class Stage(Hall):
    """A hall with the museum board `esp32_01` (light, steam, motor1) online."""

    def __init__(self, path: Path) -> None:
        self._starts = 0
        super().__init__(path)
        self.greet()

    def restart(self) -> None:
        """Start anew, with other ids for what is new."""
        super().restart()
        self._starts += 1  # two may be at one time
        self.core._rng.seed(f"{self.now} {self._starts}")

    def greet(self) -> None:
        """The board says that it is there."""
        self.say(f"devices/{BOARD}/status", "online")

    def own_board(self) -> Presence:
        """A board of our own, `b1`, which is there."""
        boards.enroll("b1", 1)
        self.core.roster.add(boards.presence("b1"))
        board = self.core.roster.get("b1")
        assert board is not None
        board.actuators = {"light1": {"kind": "switch"}}
        self.core.roster.heard(board, self.now)
        return board

    def do(self, task: Task) -> Any:
        """What a task says; its Refusal is raised."""
        self.apply(Batch([], [], [], tasks=[("me", task)]))
        told = self.out.tasks[0][1]
        if isinstance(told, Refusal):
            raise told
        return told

    def keep(self, raw: Any, scene_id: str = "show") -> Any:
        """Keep a scene."""
        return self.do(Save(scene_id, None, json.dumps(raw), "ann", True))

    def play(self, raw: Any, scene_id: str = "show") -> int:
        """Keep and start a scene; its run."""
        self.keep(raw, scene_id)
        return int(self.do(Start(scene_id, "ann"))["id"])

    def control(self, run_id: int, what: str) -> Any:
        """Pause, resume, stop."""
        return self.do(Control(run_id, what, "ann"))

    def hear(self, topic: str, text: str) -> list[Any]:
        """Say something in a room; what is said to boards then."""
        heard = self.core.ingest.read(topic, text.encode())
        assert isinstance(heard, Word)
        self.apply(Batch([], [], [], words=[heard]))
        return self.words()

    def until(self, seconds: float) -> list[Any]:
        """Let time pass as the writer would: [(seconds, topic, message)] of what went out."""
        said, end = [], START + int(seconds * 1000)
        while (due := self.core.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            said += [((self.now - START) / 1000, *word) for word in self.tick()]
        self.now = end
        return said

    def run(self, run_id: int) -> Any:
        """A run with its steps."""
        return rows.run_with_steps(rows.run(run_id))

    def steps(self, run_id: int) -> list[tuple[str, str]]:
        """[(text, status)] of a run."""
        return [(one["text"], one["status"]) for one in self.run(run_id)["steps"]]

    def ok(self, topic: str) -> None:
        """The board answers."""
        self.say(f"room1/{topic}/feedback", "OK")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "test.db")
    yield stage
    stage.database.close()


@pytest.fixture
def second(stage: Stage) -> str:
    """A second museum board, in the same room."""
    boards.enroll("esp32_02", START, dialect="museum", options={"targets": {"fog": "room1/fog"}})
    stage.core.roster.add(boards.presence("esp32_02"))
    stage.say("devices/esp32_02/status", "online")
    return "esp32_02"
