"""A backend core on a real database file, in a time of the test's own."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from protocol import ack, encode

from backend import schema
from backend.brokers.listening import Heard
from backend.delivery import commands
from backend.delivery.core import Batch, Core
from backend.delivery.wishes import Cancellation, NewCommand
from backend.delivery.work import Outcome
from backend.fleet import boards

START = 1_800_000_000_000  # ms
ACTUATORS = {
    "feeder1": {"kind": "feeder"},
    "feeder2": {"kind": "feeder"},
    "valve1": {"kind": "valve"},
    "motor1": {"kind": "motor"},
    "light1": {"kind": "switch"},
}


class Desk:
    """Speaks to the core as users and boards do; `now` (ms) stands still until it is set."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now, self.rng = START, random.Random(1)
        self.database = schema.open_database(f"sqlite:///{path}")
        boards.enroll("pond", START)
        self.restart()

    def restart(self) -> None:
        """Start the backend anew from its database alone."""
        self.core = Core(self.rng)
        self.core.roster.listen(self.now)

    def at(self, seconds: float) -> "Desk":
        """Set the time, in seconds since the start."""
        self.now = START + int(seconds * 1000)
        return self

    def tick(self) -> Outcome:
        """Let the time do its work."""
        self.out = self.core.apply(Batch([], [], []), self.now)
        return self.out

    def post(self, command_type: str = "feed", target: str = "feeder1", **more: Any) -> Any:
        """Post a command; its row, or the Refusal."""
        parameters = more.pop("parameters", {"amount": 20} if command_type == "feed" else {})
        defaults = {"expires_in": None, "user": "ann"}
        board_id = more.pop("board_id", "pond")
        new = NewCommand(board_id, command_type, target, parameters, **{**defaults, **more})
        commands.check(new, self.core.roster)
        self.out = self.core.apply(Batch([("me", new)], [], []), self.now)
        answer = self.out.answers[0][1]
        return answer[0] if isinstance(answer, tuple) else answer

    def cancel(self, row: Any) -> Any:
        """Cancel a command; its row, or the Refusal."""
        wish = Cancellation(row["id"], "ann")
        self.out = self.core.apply(Batch([], [("me", wish)], []), self.now)
        answer = self.out.answers[0][1]
        return answer[0] if isinstance(answer, tuple) else answer

    def say(self, leaf: str, kind: str, message: dict[str, Any]) -> Outcome:
        """Say something as the board."""
        heard = self.core.ingest.read(f"devices/pond/{leaf}", self.signed(kind, message))
        return self.hear([heard])

    def signed(self, kind: str, message: dict[str, Any]) -> bytes:
        """What the board would send."""
        board = self.core.roster.get("pond")
        assert board is not None
        return bytes(encode(kind, message, board.key))

    def hear(self, heard: list[Any]) -> Outcome:
        """Several messages that were read, in one transaction."""
        assert all(isinstance(one, Heard) for one in heard)
        self.out = self.core.apply(Batch([], [], heard), self.now)
        return self.out

    def startup(self, boot: str = "b1", session: int = 1, **more: str) -> Outcome:
        """The board starts, or connects again; `more` are members that are not as always."""
        message = {
            "boot": boot,
            "session": session,
            "cause": "power_on",
            "firmware": "0.1.0",
            "board": "UNIX",
            "actuators": ACTUATORS,
            "has": "",
            "slot": "a",
            "slot_state": "confirmed",
            "latched": False,
            "heap": 60000,
            "timestamp": 0,
        }
        return self.say("data/startup", "startup", {**message, **more})

    def heartbeat(self, boot: str = "b1", session: int = 1) -> Outcome:
        """The board beats."""
        message = {"boot": boot, "session": session, "uptime": 1, "heap": 1, "rssi": -50,
                   "running": {}, "latched": False, "dropped": {}}  # fmt: skip
        return self.say("data/heartbeat", "heartbeat", message)

    def status(self, status: str, boot: str = "b1", session: int = 1, until: int = 0) -> Outcome:
        """The board's status, or its last will."""
        said = {"status": status, "boot": boot, "session": session, "until": until}
        return self.say("status", "status", said)

    def ack(
        self, row: Any, state: str, error: str | None = None, boot: str = "b1", **result: Any
    ) -> Outcome:
        """The board answers."""
        return self.say("ack", "ack", ack(row["id"], state, boot, 0, error, result))

    def sent(self) -> list[tuple[str, str]]:
        """(type, command id) of what the last step published, without answers to startups."""
        messages = [message for _, message in self.out.publish]
        return [
            (m["command_type"], m["command_id"]) for m in messages if m["command_type"] != "time"
        ]

    def stands(self, row: Any) -> str:
        """The status in the database."""
        return str(commands.get(row["id"])["status"])

    def steps(self, row: Any) -> list[str]:
        """The statuses in the history, in order."""
        return [step["to"] for step in commands.get(row["id"])["history"]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A core with one board, `pond`, that has not been heard yet."""
    desk = Desk(tmp_path / "test.db")
    yield desk
    desk.database.close()
