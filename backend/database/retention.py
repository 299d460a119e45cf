"""Old rows go: a sweep over each table in small steps, between what has to be done at once.

Rules of this file:
- a step takes at most CHUNK rows, in a transaction in which nobody waits for anything; where
  there is always somebody, it is put off, but not for longer than BUSY_MS;
- what is open stays, and so does what an open alert is about; so does the newest row of each
  table, since SQLite would give its number to another one;
- a clock that was set wrong must not empty the tables at once: the sweep rests FIRST_MS after a
  start, and after each setting of the clock.
Tables are walked in the order of their keys, which is that of time. Times are ms.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from backend.database.models import OPEN_SQL, database

DAYS = 30
CHUNK = 100
PAUSE_MS, BUSY_MS = 200, 5_000
FIRST_MS, REST_MS = 600_000, 3_600_000
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Kept:
    """A table. `start`: when a row began; `end`: when it was last needed, NULL where it still is.

    `first`: what goes before it, each with the keys as its one argument. `days`: how long rows
    are kept where nothing else was set.
    """

    table: str
    start: str
    end: str
    key: str = "id"
    first: tuple[str, ...] = ()
    days: int = DAYS


_KEYS = "(SELECT value FROM json_each(?))"
TABLES: dict[str, Kept] = {
    "commands": Kept(
        "command",
        "created_at",
        f"CASE WHEN {OPEN_SQL} OR id IN (SELECT command_id FROM alert WHERE until_at IS NULL)"
        " OR seq = (SELECT command_seq FROM history ORDER BY id DESC LIMIT 1)"
        " THEN NULL ELSE updated_at END",
        "seq",
        (
            f"DELETE FROM history WHERE command_seq IN {_KEYS}",
            "DELETE FROM logpart WHERE command_id IN "
            f"(SELECT id FROM command WHERE seq IN {_KEYS})",
        ),
    ),
    "messages": Kept("message_log", "at", "at"),
    "downtimes": Kept("downtime", "from_at", "until_at"),
    "alerts": Kept("alert", "since", "until_at"),
    "executions": Kept("automationexecution", "created_at", "until_at"),
    "connections": Kept("mqttconnectionlog", "timestamp", "timestamp"),
    "parsing": Kept("parsinglog", "at", "at"),
    "rollouts": Kept(
        "rollout",
        "created_at",
        "ended_at",
        first=(f"DELETE FROM rolloutboard WHERE rollout_id IN {_KEYS}",),
    ),
    "runs": Kept(
        "run", "at", "ended_at", first=(f"DELETE FROM runboard WHERE run_id IN {_KEYS}",)
    ),
    "scenes": Kept(
        "scenerun",
        "started_at",
        "ended_at",
        first=(f"DELETE FROM scenestep WHERE run_id IN {_KEYS}",),
    ),
    "audit": Kept("auditentry", "at", "at", days=365),
    # Walked by time, which many rows may share: they go together.
    "readings": Kept("reading", "at", "at", "at"),
    "hours": Kept("reading_hour", "at", "at", "at", days=3_650),
}


class Sweep:
    """The sweep over all tables. `days`: how long each is kept, by name; 0 is for ever."""

    def __init__(self, days: Mapping[str, int]) -> None:
        self._days = {name: days.get(name, kept.days) for name, kept in TABLES.items()}
        self._left: list[str] = []  # the tables of this pass, the one at hand last
        self._cursor = 0
        self._due_at: int | None = None
        self.deleted = dict.fromkeys(TABLES, 0)

    def turn(self, now: int, idle: bool) -> None:
        """Do a step where it is time for one; inside a transaction."""
        if self._due_at is None:
            self._due_at = now + FIRST_MS
        if now < self._due_at + (0 if idle else BUSY_MS):
            return
        if not self._left:
            self._left = [name for name, days in self._days.items() if days]
            self._cursor = 0
        if self._left and not self._step(self._left[-1], now):
            self._left.pop()
            self._cursor = 0
        self._due_at = now + (PAUSE_MS if self._left else REST_MS)

    def next_due(self) -> int | None:
        """When `turn` wants to be called, or None."""
        return self._due_at

    def shift(self, now: int) -> None:
        """The clock was set, and says `now`."""
        self._due_at, self._left = now + FIRST_MS, []

    def _step(self, name: str, now: int) -> bool:
        """One chunk of a table; False where it is through."""
        kept, before = TABLES[name], now - self._days[name] * _DAY_MS
        rows = database.execute_sql(
            f"SELECT {kept.key}, {kept.start}, {kept.end} FROM {kept.table}"
            f" WHERE {kept.key} > ? AND {kept.key} < (SELECT MAX({kept.key}) FROM {kept.table})"
            f" ORDER BY {kept.key} LIMIT ?",
            (self._cursor, CHUNK),
        ).fetchall()
        old = [key for key, _, end in rows if end is not None and end < before]
        if old:
            self.deleted[name] += len(old)
            for sql in (*kept.first, f"DELETE FROM {kept.table} WHERE {kept.key} IN {_KEYS}"):
                database.execute_sql(sql, (json.dumps(old),))
        if rows:
            self._cursor = rows[-1][0]
        return len(rows) == CHUNK and any(start < before for _, start, _ in rows)
