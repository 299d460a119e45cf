"""One unit of work: the commands touched in one transaction, their steps, and what follows.

Every status change of every command goes through `Work.step`. What must not happen before the
commit (publishing, telling the page) is only collected here.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backend.database import store
from backend.database.store import Row
from backend.delivery import lifecycle, masking
from backend.dialects.dialect import Message
from backend.fleet.presence import Presence
from backend.fleet.sensors import Taken
from backend.gallery.images import Arrival, Key

if TYPE_CHECKING:
    from backend.brokers.listening import Word
    from backend.delivery.parts import Parts

log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What to do once the transaction is durable."""

    publish: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # board, command dict
    changes: list[tuple[Row, Row]] = field(default_factory=list)  # history entry, command row
    boards: dict[str, Presence] = field(default_factory=dict)  # boards whose state changed
    answers: list[tuple[Any, Any]] = field(default_factory=list)  # request, its answer
    pictures: list[Arrival] = field(default_factory=list)  # to be kept as files
    dropped: list[Key] = field(default_factory=list)  # pictures whose files are to go
    alerts: list[dict[str, Any]] = field(default_factory=list)  # that began or ended; see Alert
    news: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # kind of event, data
    local: list[tuple[int, str, str]] = field(default_factory=list)  # run, channel, message
    said: list[tuple[str, Message]] = field(default_factory=list)  # board, what is no command
    later: dict[str, int] = field(default_factory=dict)  # {command: not before this time}
    scrubbed: bool = False  # passwords were
    tasks: list[tuple[Any, Any]] = field(default_factory=list)  # request, its answer


# Something to be done in the writer's transaction, by rows alone. It checks first, and then acts:
# what it raises (a Refusal) must come before its first change.
Task = Callable[["Work"], Any]


class Work:
    """The commands of one transaction at one time, `now` (ms). `readings`: what was measured;
    `words`: what was said in rooms; `failures`: sensors that have begun to fail.
    """

    def __init__(
        self,
        now: int,
        refused: Counter[str],
        parts: "Parts | None" = None,
        words: "Sequence[Word]" = (),
    ) -> None:
        self.now, self._parts, self.words = now, parts, words
        self.readings: list[Taken] = []
        self.when: dict[str, int] = {}  # what the history says of when it goes out, if not now
        self.reflexes: list[tuple[str, dict[str, Any]]] = []  # board, ack of what it did by itself
        self.failures: list[tuple[Presence, str]] = []
        self.refused = refused
        self.out = Outcome()
        self.groups: set[tuple[str, str]] = set()  # (board, target) whose next command may go
        self._rows: dict[str, Row] = {}
        self._loaded: dict[str, str] = {}
        self._history: list[Row] = []
        self._scrubbed: list[Row] = []

    @property
    def parts(self) -> "Parts":
        """What the backend does by itself; for tasks of the writer."""
        assert self._parts is not None
        return self._parts

    def take(self, rows: list[Row]) -> list[Row]:
        """Bring rows into this unit; a command that is already in it stays the one it was."""
        for row in rows:
            if row["id"] not in self._rows:
                self._rows[row["id"]] = row
        return [self._rows[row["id"]] for row in rows]

    def row(self, command_id: str) -> Row | None:
        """A command that was taken, or None."""
        return self._rows.get(command_id)

    def step(
        self,
        row: Row,
        event: str,
        error: str | None = None,
        detail: dict[str, Any] | None = None,
        actor: str = "",
    ) -> bool:
        """Apply an event to a command. False, and nothing changed, where it does not apply."""
        old = row["status"]
        try:
            new = lifecycle.move(old, event)
        except lifecycle.IllegalTransition as why:
            self.refused["illegal_transition"] += 1
            about = {"command": row["id"], "board": row["board_id"]}
            log.debug("%s of %s: %s", *about.values(), why, extra=about)
            return False
        self.touch(row)
        row["status"], row["updated_at"] = new, self.now
        self._record(row, event, old, error, detail, actor)
        if new in lifecycle.ENDED:
            row["due_at"] = None
        if masking.scrub(row):
            self._scrubbed.append(row)
        if old in (lifecycle.PENDING, *lifecycle.IN_FLIGHT) and new not in lifecycle.IN_FLIGHT:
            self.wake(row)
        return True

    def created(self, rows: list[Row]) -> None:
        """Insert new commands with the first entry of their history."""
        store.insert(rows)
        self.take(rows)
        for row in rows:
            self._record(row, "create", "", None, None, row["user"])

    def touch(self, row: Row) -> None:
        """Have the row written back at the next flush."""
        self._loaded.setdefault(row["id"], row["status"])

    def wake(self, row: Row) -> None:
        """Have the dispatcher look for the next command of this row's target."""
        self.groups.add((row["board_id"], row["target"]))

    def flush(self) -> None:
        """Write the changed commands back."""
        if self._loaded:
            store.update([(self._rows[name], old) for name, old in self._loaded.items()])
            self._loaded.clear()

    def finish(self) -> Outcome:
        """Write everything that is left and return what is to follow."""
        self.flush()
        for name in [one for one in self.out.later if self._is_taken_back(one)]:
            del self.out.later[name]
            told = [m for m in self.out.publish if m[1]["command_id"] != name or _calls_off(m[1])]
            self.out.publish = told
        if self._scrubbed:
            store.scrub(self._scrubbed)
            self.out.scrubbed = True
        if self._history:
            store.append_history(self._history)
        return self.out

    def _is_taken_back(self, command_id: str) -> bool:
        """Whether what was to go out later is not to go out at all."""
        row = self._rows[command_id]
        return bool(row["cancelling"] or row["status"] != lifecycle.SENT)

    def _record(
        self,
        row: Row,
        event: str,
        old: str,
        error: str | None,
        detail: dict[str, Any] | None,
        actor: str,
    ) -> None:
        entry = {
            "command_seq": row["seq"],
            "at": self.now,
            "event": event,
            "from_status": old,
            "to_status": row["status"],
            "error": error,
            "detail": json.dumps(detail) if detail else "{}",
            "actor": actor,
        }
        self._history.append(entry)
        self.out.changes.append((entry, row))


def _calls_off(message: dict[str, Any]) -> bool:
    return bool(message["command_type"] == "cancel")
