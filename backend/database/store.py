"""The hot path's SQL: a batch of rows goes in or comes out in one statement, over json_each.

One statement for each row gives up Python's interpreter lock at every row, which beside busy
threads costs a hundred times the statement itself. Rows are dicts named like Command's columns.
Everything here runs inside the writer's transaction. OPEN_SQL stands in the queries word for word
because SQLite takes a partial index only where it finds the index's own condition.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from peewee import OperationalError

from backend.database.models import MANUAL_COMMAND, OPEN_SQL, Command, database
from backend.delivery.lifecycle import ACKNOWLEDGED, IN_FLIGHT, PENDING, SENT, UNKNOWN

Row = dict[str, Any]

COLUMNS = tuple(field.column_name for field in Command._meta.sorted_fields)
_WRITTEN = ("status", "error", "message", "result", "attempt", "tries", "cancelling", "boot")
_UPDATED = (*_WRITTEN, "updated_at", "due_at")
_INSERTED = tuple(name for name in COLUMNS if name != "seq")
_HISTORY = ("command_seq", "at", "event", "from_status", "to_status", "error", "detail", "actor")


def _extract(count: int) -> str:
    return ", ".join(f"json_extract(value, '$[{i}]')" for i in range(count))


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_SELECT = f"SELECT {_names(COLUMNS)} FROM command"
_INSERT = (
    f"INSERT INTO command ({_names(_INSERTED)}) "
    f"SELECT {_extract(len(_INSERTED))} FROM json_each(?) RETURNING seq"
)
_UPDATE = (
    "UPDATE command SET "
    + ", ".join(f"{name} = json_extract(v.value, '$[{i}]')" for i, name in enumerate(_UPDATED, 2))
    + " FROM json_each(?) AS v WHERE command.seq = json_extract(v.value, '$[0]')"
    + " AND command.status = json_extract(v.value, '$[1]')"
)
_APPEND = (
    f"INSERT INTO history ({_names(_HISTORY)}) "
    f"SELECT {_extract(len(_HISTORY))} FROM json_each(?) RETURNING id"
)
# The oldest PENDING command of each (board, target), where nothing earlier on that target, and no
# stop of the whole board, is still under way.
_SENDABLE = f"""
    {_SELECT} AS c JOIN (
        SELECT MIN(p.seq) AS first FROM json_each(?) AS g
        JOIN command AS p ON p.board_id = json_extract(g.value, '$[0]')
            AND p.target = json_extract(g.value, '$[1]')
            AND p.status = '{PENDING}' AND p.{OPEN_SQL}
        GROUP BY p.board_id, p.target
    ) ON c.seq = first
    WHERE NOT EXISTS (
        SELECT 1 FROM command AS f WHERE f.board_id = c.board_id AND f.target = c.target
            AND f.status IN {IN_FLIGHT} AND f.{OPEN_SQL}
    ) AND NOT EXISTS (
        SELECT 1 FROM command AS s WHERE s.board_id = c.board_id AND s.target = ''
            AND s.status IN {IN_FLIGHT} AND s.{OPEN_SQL}
            AND s.command_type IN ('stop', 'emergency_stop')
    )
    ORDER BY c.seq
"""


class Locked(Exception):
    """Another process has held the database for too long. Nothing was begun: try again."""


@contextlib.contextmanager
def transaction() -> Iterator[None]:
    """Everything inside is committed as one; nobody else writes meanwhile. Raises Locked."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(database.atomic("IMMEDIATE"))
        except OperationalError as why:
            if "locked" in str(why):
                raise Locked from why
            raise
        yield


def _rows(sql: str, *args: Any) -> list[Row]:
    cursor = database.execute_sql(sql, args)
    return [dict(zip(COLUMNS, values, strict=True)) for values in cursor.fetchall()]


def _ids(sql: str, rows: list[list[Any]]) -> list[int]:
    """Row ids in the order of `rows`: json_each yields array order and ids only grow."""
    return sorted(row[0] for row in database.execute_sql(sql, (json.dumps(rows),)).fetchall())


def insert(rows: list[Row]) -> None:
    """Insert new commands and set their `seq`."""
    for row, seq in zip(
        rows, _ids(_INSERT, [[row[name] for name in _INSERTED] for row in rows]), strict=True
    ):
        row["seq"] = seq


def update(rows: list[tuple[Row, str]]) -> None:
    """Write back (row, status it was loaded with), which nobody can have changed meanwhile."""
    values = [[row["seq"], old, *(row[name] for name in _UPDATED)] for row, old in rows]
    if database.execute_sql(_UPDATE, (json.dumps(values),)).rowcount != len(rows):
        raise RuntimeError("a command was changed by somebody else within our own transaction")


def scrub(rows: list[Row]) -> None:
    """Write the parameters back, from which passwords were taken."""
    for row in rows:
        Command.update(parameters=row["parameters"]).where(Command.seq == row["seq"]).execute()


def empty_log() -> None:
    """Take SQLite's log into the database, outside of any transaction: old pages are in it.

    Where somebody reads just now, a part of it stays until the next time.
    """
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def shift_due(by: int) -> None:
    """Move what waits for a span of time, after the clock was set by so many ms.

    What waits for a time of day, its expiry, does not move on; it may be looked at too early.
    """
    spans = f"status IN ('{ACKNOWLEDGED}', '{UNKNOWN}')" if by > 0 else "true"
    database.execute_sql(
        f"UPDATE command SET due_at = due_at + ? WHERE due_at IS NOT NULL AND {spans}", (by,)
    )


def append_history(entries: list[Row]) -> None:
    """Insert history entries, in order, and set their `id`."""
    values = [[entry[name] for name in _HISTORY] for entry in entries]
    for entry, entry_id in zip(entries, _ids(_APPEND, values), strict=True):
        entry["id"] = entry_id


def by_ids(ids: list[str]) -> list[Row]:
    """The commands of these ids, in no particular order."""
    return _rows(f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?))", json.dumps(ids))


def by_keys(keys: list[tuple[str, str]]) -> list[Row]:
    """The commands posted under these (user, idempotency key) pairs."""
    return _rows(
        f"{_SELECT} WHERE (user, idempotency_key) IN (SELECT {_extract(2)} FROM json_each(?))",
        json.dumps(keys),
    )


def due(now: int, limit: int) -> list[Row]:
    """The commands whose time to be looked at has come, the longest waiting first."""
    return _rows(f"{_SELECT} WHERE due_at <= ? ORDER BY due_at LIMIT ?", now, limit)


def next_due() -> int | None:
    """When the next command wants to be looked at, or None."""
    row = database.execute_sql(
        "SELECT MIN(due_at) FROM command WHERE due_at IS NOT NULL"
    ).fetchone()
    return None if row is None else row[0]


def sendable(groups: list[tuple[str, str]]) -> list[Row]:
    """For each (board, target): its oldest PENDING command, if it may be sent now."""
    return _rows(_SENDABLE, json.dumps(groups))


def waiting_groups(boards: list[str]) -> list[tuple[str, str]]:
    """The (board, target) pairs of these boards that have a PENDING command."""
    cursor = database.execute_sql(
        "SELECT DISTINCT board_id, target FROM command"
        f" WHERE board_id IN (SELECT value FROM json_each(?)) AND status = ? AND {OPEN_SQL}",
        (json.dumps(boards), PENDING),
    )
    return [(board, target) for board, target in cursor.fetchall()]


def open_of_board(board_id: str) -> list[Row]:
    """The commands of a board that have not ended, oldest first."""
    # Named, since the planner would rather walk the board's whole past in order of seq.
    where = f"INDEXED BY command_open WHERE board_id = ? AND {OPEN_SQL}"
    return _rows(f"{_SELECT} {where} ORDER BY seq", board_id)


def unfinished_of_board(board_id: str) -> list[Row]:
    """The commands of a board that wait or are under way, oldest first: UNKNOWN ones are not."""
    where = f"board_id = ? AND status IN (?, ?, ?) AND {OPEN_SQL} ORDER BY seq"
    return _rows(f"{_SELECT} WHERE {where}", board_id, PENDING, SENT, ACKNOWLEDGED)


def under_way(board_id: str, target: str) -> list[Row]:
    """The commands for a target that wait or are under way, oldest first: UNKNOWN ones are not."""
    where = f"board_id = ? AND target = ? AND status IN (?, ?, ?) AND {OPEN_SQL} ORDER BY seq"
    return _rows(f"{_SELECT} WHERE {where}", board_id, target, PENDING, SENT, ACKNOWLEDGED)


def of_rules_under_way(groups: list[tuple[str, str]]) -> list[Row]:
    """The same for several (board, target), without those that somebody asked for."""
    where = f"cause <> '' AND status IN (?, ?, ?) AND {OPEN_SQL}"
    return _rows(
        f"{_SELECT} INDEXED BY command_of_rules WHERE {where}"
        f" AND (board_id, target) IN (SELECT {_extract(2)} FROM json_each(?)) ORDER BY seq",
        PENDING, SENT, ACKNOWLEDGED, json.dumps(groups),
    )  # fmt: skip


def last_by_hand(board_id: str, target: str, everything: tuple[str, ...]) -> Row | None:
    """The newest command that somebody asked for, for a target, or for all by one of these types;
    one that is under way is left out.
    """
    by_hand, over = f"priority = {MANUAL_COMMAND}", f"status NOT IN {PENDING, *IN_FLIGHT}"
    where = f"board_id = ? AND target = ? AND {by_hand} AND {over}"
    newest = "ORDER BY seq DESC LIMIT 1"
    found = _rows(f"{_SELECT} WHERE {where} {newest}", board_id, target)
    marks = ", ".join("?" for _ in everything)
    of_all = f"{where} AND command_type IN ({marks})"
    found += _rows(f"{_SELECT} WHERE {of_all} {newest}", board_id, "", *everything)
    return max(found, key=lambda row: row["seq"], default=None)


def stop_after(row: Row, everything: tuple[str, ...]) -> Row | None:
    """The first command of one of these types that ended what its target did, after this one."""
    marks = ", ".join("?" for _ in everything)
    where = f"board_id = ? AND seq > ? AND target IN ('', ?) AND command_type IN ({marks})"
    about = (row["board_id"], row["seq"], row["target"])
    found = _rows(f"{_SELECT} WHERE {where} ORDER BY seq LIMIT 1", *about, *everything)
    return found[0] if found else None


def unfinished_before(board: str, target: str, seq: int) -> list[Row]:
    """PENDING and SENT commands older than `seq` on one target ('' = every target)."""
    return _rows(
        f"{_SELECT} WHERE board_id = ? AND (? = '' OR target = ?) AND seq < ?"
        f" AND status IN (?, ?) AND {OPEN_SQL} ORDER BY seq",
        board, target, target, seq, PENDING, SENT,
    )  # fmt: skip
