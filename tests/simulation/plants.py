"""Bugs planted on purpose: what nobody would notice without the simulation, it must catch.

Each changes the real classes, and nothing of the simulation. `says` is part of the violation that
must be among those found: the harm itself, not something that is seen on the way.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from app.actuators import Actuator
from app.commands import Dispatcher as BoardDispatcher
from app.journal import QUEUED, Journal
from app.latch import Latch
from app.work import Work as BoardWork

from backend.database import store
from backend.delivery import commands, lifecycle
from backend.delivery.dispatcher import Dispatcher
from backend.fleet.presence import Presence

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Plant:
    """A bug: how it is planted, what gives it away, and the first seed to look at."""

    name: str
    plant: Callable[[Patch], None]
    says: str
    first: int = 0


def no_journal(patch: Patch) -> None:
    """Nothing is written, and nothing is known again."""
    patch.setattr(Journal, "_append", lambda self, number, line: True)
    patch.setattr(Journal, "_replace", lambda self, number: True)
    patch.setattr(Journal, "find", lambda self, command_id: None)


def ack_before_journal(patch: Patch) -> None:
    """A dose is accepted before it is on flash."""
    right: Any = BoardDispatcher._dose

    def dose(self: Any, message: dict[str, Any], now_ms: int) -> Any:
        self._answers.accepted(message["command_id"], 60, now_ms)
        return right(self, message, now_ms)

    patch.setattr(BoardDispatcher, "_dose", dose)


def no_expiry(patch: Patch) -> None:
    """The board does what comes, however late; neither at once nor after waiting does it ask."""
    right: Any = BoardDispatcher._check

    def check(self: Any, message: dict[str, Any], now: int) -> Any:
        expires_at, message["expires_at"] = message["expires_at"], now + 60
        try:
            return right(self, message, now)
        finally:
            message["expires_at"] = expires_at

    def reason_not_to(self: Any, job: Any, now_ms: int) -> str | None:
        waited = self._journal.find(job.command_id) == QUEUED
        if waited and not self._journal.begin(job.command_id, job.expires_at):
            return "storage"
        return None

    patch.setattr(BoardDispatcher, "_check", check)
    patch.setattr(BoardWork, "_reason_not_to", reason_not_to)


def retry_with_new_id(patch: Patch) -> None:
    """What is sent again is a new command to the board."""
    right = Dispatcher._publish

    def publish(self: Any, work: Any, row: Any, kind: str, parameters: dict[str, Any]) -> None:
        right(self, work, row, kind, parameters)
        if row["attempt"] > 1 and kind == row["command_type"]:
            new = uuid.UUID(int=self._rng.getrandbits(128), version=4)
            work.out.publish[-1][1]["command_id"] = str(new)

    patch.setattr(Dispatcher, "_publish", publish)


def backwards(patch: Patch) -> None:
    """Whatever a board says last is the status."""
    right = lifecycle.move
    said = {
        "accepted": lifecycle.ACKNOWLEDGED,
        "completed": lifecycle.COMPLETED,
        "failed": lifecycle.FAILED,
        "unknown": lifecycle.UNKNOWN,
    }

    def move(status: str, event: str) -> str:
        return said[event] if event in said else right(status, event)

    patch.setattr(lifecycle, "move", move)


def nothing_called_off(patch: Patch) -> None:
    """A stop ends what runs, and what was sent before it comes later all the same."""
    patch.setattr(commands, "call_off", lambda *called: None)


def newest_first(patch: Patch) -> None:
    """What waits for a target goes out in the wrong order."""
    patch.setattr(store, "_SENDABLE", store._SENDABLE.replace("MIN(p.seq)", "MAX(p.seq)"))


def no_dead_man(patch: Patch) -> None:
    """What a command has switched on stays on."""
    right: Any = Actuator.remaining

    def remaining(self: Any, now_ms: int) -> Any:
        return right(self, now_ms) if self.dosing else None

    patch.setattr(Actuator, "remaining", remaining)


def any_epoch(patch: Patch) -> None:
    """Whatever a board said last is who it is."""

    def believe(self: Presence, boot: str, session: int) -> bool:
        self.boot, self.session = boot, session
        return True

    patch.setattr(Presence, "believe", believe)


def no_second_thought(patch: Patch) -> None:
    """A boot that was once taken for an older one is never believed again."""
    right = Presence.believe

    def believe(self: Presence, boot: str, session: int) -> bool:
        self.doubted = ""
        return right(self, boot, session)

    patch.setattr(Presence, "believe", believe)


def no_latch(patch: Patch) -> None:
    """An emergency stop is forgotten with the power."""
    patch.setattr(Latch, "_write", lambda self, data: True)


def no_conditions(patch: Patch) -> None:
    """The board does what comes, whatever it depends on."""
    patch.setattr(BoardWork, "unmet", lambda self, conditions, now_ms: None)


PLANTS = (
    Plant("no journal", no_journal, "it ran more than once"),
    Plant(
        "ack before journal", ack_before_journal, "and then the board had never seen it", first=16
    ),
    Plant("no expiry check on the board", no_expiry, "after it had expired", first=3),
    Plant("retry with a new id", retry_with_new_id, "which is no command"),
    Plant("status goes backwards", backwards, "COMPLETED accepted ACKNOWLEDGED"),
    Plant("a stop calls nothing off", nothing_called_off, "had stopped it", first=6),
    Plant("the newest first", newest_first, "after one that was asked for later"),
    Plant("no dead-man timer", no_dead_man, "stayed on too long"),
    Plant("any epoch is believed", any_epoch, "went back from session", first=2),
    Plant("an emergency stop lasts until the power goes", no_latch, "held"),
    Plant("conditions are not looked at", no_conditions, "did not hold"),
    Plant("an old boot is never believed", no_second_thought, "is there as", first=100),
)
