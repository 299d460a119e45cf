"""Who did what to people, sites, boards and connections: a row for each, written where it is done.

Rules of this file:
- `note` is called inside the transaction of the change itself: neither is there without the other;
- what is noted holds no secret, and is never changed;
- commands are not noted here: their rows say who, from where, how and why.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from peewee import AutoField, BigIntegerField, TextField

from backend.database.models import Base, as_rows, database
from backend.delivery.work import Task, Work

PAGE_MAX = 200


class AuditEntry(Base):
    """One thing that was done. `at`: ms since 1970; `detail`: a JSON object."""

    id = AutoField()
    at = BigIntegerField()
    user = TextField(index=True)
    via = TextField()
    source = TextField()
    action = TextField()
    subject = TextField(index=True)
    detail = TextField(default="{}")


class Actor(NamedTuple):
    """Who does something: `via` what they have shown ("session", "jwt", "token NAME", "command
    line"), `source` the address it comes from.
    """

    user: str
    via: str = ""
    source: str = ""


BACKEND = Actor("", "backend")


def note(who: Actor, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Note that somebody did `action` ("user.add") to `subject`, which is a name or an id."""
    AuditEntry.insert(
        at=time.time_ns() // 1_000_000,
        user=who.user,
        via=who.via,
        source=who.source,
        action=action,
        subject=subject,
        detail=json.dumps(detail or {}),
    ).execute()


@contextlib.contextmanager
def noted(
    who: Actor, action: str, subject: str, detail: dict[str, Any] | None = None
) -> Iterator[None]:
    """What is changed inside is noted in the same transaction, or neither is done."""
    with database.atomic("IMMEDIATE"):
        yield
        note(who, action, subject, detail)


@dataclass(frozen=True, slots=True)
class Noted:
    """A task for the writer that is noted in its transaction."""

    task: Task
    who: Actor
    action: str
    subject: str
    detail: dict[str, Any] | None = None

    def __call__(self, work: Work) -> Any:
        """What the task answers; where it raises, nothing is noted."""
        answer = self.task(work)
        note(self.who, self.action, self.subject, self.detail)
        return answer


def find(
    user: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """What was done, newest first; `before` is the `id` to go on from, `at` is in ms."""
    query = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit)
    wanted = {AuditEntry.user: user, AuditEntry.action: action, AuditEntry.subject: subject}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return [{**row, "detail": json.loads(row["detail"])} for row in as_rows(query)]
