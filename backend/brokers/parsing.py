"""The parsing log: every message that was not understood, with a sample and why.

Rules of this file:
- what fails in the same way on the same topic between two writes is one row with a count;
- of those at most BUFFERED are kept between two writes, which are FLUSH_MS apart at least, and
  KEPT rows in all; what is beyond is
  counted in `beyond`, so a flood costs neither memory nor disk.
"""

import traceback
from typing import Any

from peewee import AutoField, BigIntegerField, IntegerField, TextField
from protocol import ProtocolError

from backend.database.models import Base, as_rows

SAMPLE_CHARACTERS = 5_000
TRACEBACK_CHARACTERS = 4_000
TOPIC_CHARACTERS = 256
BUFFERED = 200
FLUSH_MS = 1_000
KEPT = 5_000

VALIDATION, PARSE, DB, UNKNOWN = ERROR_TYPES = (
    "VALIDATION_ERROR",
    "PARSE_ERROR",
    "DB_ERROR",
    "UNKNOWN_ERROR",
)
_UNREADABLE = ("malformed", "too_large")  # the bytes themselves; all else is what they say


class ParsingLog(Base):
    """One failure, `count` times between two writes; `at`: the first of them (ms)."""

    id = AutoField()
    at = BigIntegerField()
    site = TextField(null=True)
    topic = TextField()
    parser = TextField()
    error_type = TextField()
    message = TextField()
    exception_type = TextField()
    traceback = TextField()
    sample = TextField()
    count = IntegerField()


def sample_of(payload: bytes, limit: int = SAMPLE_CHARACTERS) -> str:
    """Bytes as text that can be shown and stored, cut."""
    text = payload[: 4 * limit].decode("utf-8", "backslashreplace")
    return text.replace("\0", "\\x00")[:limit]


def type_of(why: BaseException) -> str:
    """One of ERROR_TYPES."""
    if isinstance(why, ProtocolError):
        return PARSE if why.code in _UNREADABLE else VALIDATION
    return DB if isinstance(why, OSError) else UNKNOWN


class Parsing:
    """Gathers failures; `settle` writes them. `beyond`: how many were only counted."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.beyond = self._written_at = 0

    def failed(
        self, site: str | None, topic: str, parser: str, why: Exception, payload: bytes
    ) -> None:
        """Note one failure."""
        topic = topic[:TOPIC_CHARACTERS]
        key = (topic, str(why)[:TOPIC_CHARACTERS])
        known = self._rows.get(key)
        if known:
            known["count"] += 1
        elif len(self._rows) >= BUFFERED:
            self.beyond += 1
        else:
            self._rows[key] = {
                "site": site,
                "topic": topic,
                "parser": parser,
                "error_type": type_of(why),
                "message": str(why)[:500],
                "exception_type": type(why).__name__,
                "traceback": "".join(traceback.format_exception(why))[-TRACEBACK_CHARACTERS:],
                "sample": sample_of(payload),
                "count": 1,
            }

    def next_due(self) -> int | None:
        """When there is something to write, or None."""
        return self._written_at + FLUSH_MS if self._rows else None

    def settle(self, now: int, at_once: bool = False) -> None:
        """Write what was gathered, where it is time, in the caller's transaction; the oldest rows
        make room.
        """
        if not self._rows or not (at_once or abs(now - self._written_at) >= FLUSH_MS):
            return
        self._written_at = now
        rows = [{**row, "at": now} for row in self._rows.values()]
        self._rows.clear()
        ParsingLog.insert_many(rows).execute()
        newest = ParsingLog.select(ParsingLog.id).order_by(ParsingLog.id.desc()).limit(1).scalar()
        ParsingLog.delete().where(ParsingLog.id <= newest - KEPT).execute()


def find(limit: int, before: int | None = None, topic: str | None = None) -> list[dict[str, Any]]:
    """Rows, newest first; `before` is the id to go on from."""
    query = ParsingLog.select().order_by(ParsingLog.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ParsingLog.id < before)
    if topic is not None:
        query = query.where(ParsingLog.topic == topic)
    return as_rows(query)
