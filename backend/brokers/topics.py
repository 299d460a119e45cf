"""Every topic that was seen: when, how often, with a sample, and whether it is processed.

Rules of this file:
- a message is processed where a parser exists (`is_processable`, set here) and nobody has switched
  its topic off (`is_active`, by hand); one whose topic is not kept is processed like any other;
- counted in memory; what is new is written at most every FLUSH_MS, counts every COUNT_MS, many in
  one statement: a crash costs counts, and what was new in the last second;
- topics of boards that are known are as many as there are boards and leaves. Of others,
  STRANGE_MAX are kept; more are only counted in `beyond`, until one has been quiet for QUIET_MS.
Times are ms.
"""

from dataclasses import dataclass
from typing import Any

from peewee import SQL, BigIntegerField, BooleanField, IntegerField, TextField

from backend.brokers.parsing import SAMPLE_CHARACTERS, TOPIC_CHARACTERS, sample_of
from backend.database.models import Base, as_rows, database
from backend.errors import NotFound

STRANGE_MAX = 2_000
FLUSH_MS = 1_000
COUNT_MS = 600_000
QUIET_MS = 3_600_000
_ROWS = 100  # in one statement: SQLite has a limit for its variables


class DiscoveredTopic(Base):
    """One topic. `site`: that of its board, where it has one."""

    topic = TextField(primary_key=True)
    site = TextField(null=True)
    first_at = BigIntegerField()
    last_at = BigIntegerField()
    count = IntegerField()
    sample = TextField()
    is_processable = BooleanField()
    is_active = BooleanField(default=True)


@dataclass(slots=True)
class Entry:
    """A topic in memory. `sample`: of the first message, until it is written; `known`: of a board
    that is; `stored`: the database has it as it is, but for its count.
    """

    topic: str
    site: str | None = None
    first_at: int = 0
    last_at: int = 0
    count: int = 0
    sample: bytes = b""
    processable: bool = False
    active: bool = True
    known: bool = False
    stored: bool = False


class Topics:
    """The topics of one backend; the database must be open. `beyond`: messages not counted."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._fresh: dict[str, Entry] = {}  # seen since the last batch
        self._unstored: dict[str, Entry] = {}
        self._dirty: dict[str, Entry] = {}  # seen since counts were written
        self._strange = 0
        self._full = False  # there was no room, and has been none since the last write
        self._written_at = self._counted_at = 0
        self.beyond = 0
        for row in DiscoveredTopic.select():
            self._entries[row.topic] = Entry(
                row.topic, row.site, row.first_at, row.last_at, row.count,
                processable=row.is_processable, active=row.is_active, stored=True,
            )  # fmt: skip
        self._strange = len(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def see(self, topic: str, payload: bytes, known: bool) -> Entry | None:
        """Count a message; its entry, or None where it is not kept."""
        entry = self._entries.get(topic)
        if entry is None:
            entry = self._new(topic, known)
            if entry is None:
                self.beyond += 1
                return None
        if known and not entry.known:
            entry.known = True
            self._strange -= 1
        entry.count += 1
        if not entry.stored:
            entry.sample = payload[:SAMPLE_CHARACTERS]
            self._unstored[topic] = entry
        self._fresh[topic] = entry
        return entry

    def settle(self, now: int, at_once: bool = False) -> None:
        """Date what was seen, and write it where it is time, in the caller's transaction."""
        for entry in self._fresh.values():
            entry.first_at, entry.last_at = entry.first_at or now, now
        self._dirty.update(self._fresh)
        self._fresh.clear()
        if at_once or abs(now - self._counted_at) >= COUNT_MS:
            self._counted_at = now
            self._write(now, self._dirty)
        elif self._unstored and abs(now - self._written_at) >= FLUSH_MS:
            self._write(now, self._unstored)

    def next_due(self) -> int | None:
        """When there is something to write, or None; counts wait for whatever comes."""
        return self._written_at + FLUSH_MS if self._unstored else None

    def switch(self, topic: str, active: bool) -> dict[str, Any]:
        """Have a topic processed, or not, from the next message on. Raises NotFound."""
        entry = self._entries.get(topic)
        changed = DiscoveredTopic.update(is_active=active).where(DiscoveredTopic.topic == topic)
        with database.atomic():
            if entry is None or not changed.execute():
                raise NotFound("unknown_topic", "topic", f"there is no topic {topic!r} here")
        entry.active = active
        return self._as_now(
            as_rows(DiscoveredTopic.select().where(DiscoveredTopic.topic == topic))[0]
        )

    def find(self, limit: int, after: str = "") -> list[dict[str, Any]]:
        """Topics by name as the API shows them; `after` is the one to go on from."""
        query = DiscoveredTopic.select().where(DiscoveredTopic.topic > after)
        rows = as_rows(query.order_by(DiscoveredTopic.topic).limit(limit))
        return [self._as_now(row) for row in rows]

    def _as_now(self, row: dict[str, Any]) -> dict[str, Any]:
        entry = self._entries.get(row["topic"])
        newer = entry is not None and entry.last_at > 0
        return {**row, "count": entry.count, "last_at": entry.last_at} if entry and newer else row

    def _new(self, topic: str, known: bool) -> Entry | None:
        if len(topic) > TOPIC_CHARACTERS or not (known or self._room()):
            return None
        self._strange += 1  # until it is known
        entry = self._entries[topic] = Entry(topic)
        return entry

    def _room(self) -> bool:
        """Whether there is room for a strange topic, if need be that of one long quiet."""
        if self._strange < STRANGE_MAX:
            return True
        if self._full:
            return False
        strange = (one for one in self._entries.values() if not one.known and one.active)
        oldest = min(strange, key=lambda one: one.last_at or self._written_at, default=None)
        if oldest is None or (oldest.last_at or self._written_at) > self._written_at - QUIET_MS:
            self._full = True
            return False
        del self._entries[oldest.topic]
        self._dirty.pop(oldest.topic, None)
        self._fresh.pop(oldest.topic, None)
        self._unstored.pop(oldest.topic, None)
        self._strange -= 1
        DiscoveredTopic.delete().where(DiscoveredTopic.topic == oldest.topic).execute()
        return True

    def _write(self, now: int, entries: dict[str, Entry]) -> None:
        self._full = False
        if entries:
            self._written_at = now
        rows = [_row(entry) for entry in entries.values()]
        self._unstored.clear()
        entries.clear()
        for start in range(0, len(rows), _ROWS):
            names = ("site", "last_at", "count", "is_processable")
            DiscoveredTopic.insert_many(rows[start : start + _ROWS]).on_conflict(
                conflict_target=[DiscoveredTopic.topic],
                update={name: SQL(f"excluded.{name}") for name in names},
            ).execute()


def _row(entry: Entry) -> dict[str, Any]:
    sample, entry.sample, entry.stored = sample_of(entry.sample), b"", True
    return {
        "topic": entry.topic,
        "site": entry.site,
        "first_at": entry.first_at,
        "last_at": entry.last_at,
        "count": entry.count,
        "sample": sample,
        "is_processable": entry.processable,
        "is_active": entry.active,
    }
