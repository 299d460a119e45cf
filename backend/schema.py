"""The database as a whole: all its tables, how it is opened, and how an older one is brought up.

`VERSION` is kept in the file (SQLite's user_version). A new file gets all tables as they are now.
An older one gets, in one transaction, what each step in STEPS adds to the tables it has; tables
that are new altogether need no step. Before that a copy is put aside (`answerback.db.v0`), and
nobody else may have the file open. A file of a later version than this program is left alone.
"""

import sqlite3
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peewee import DatabaseError, OperationalError, SqliteDatabase
from playhouse.migrate import SqliteMigrator, migrate

from backend.automations.models import Automation, AutomationExecution
from backend.brokers.connections import MqttConnection, MqttConnectionLog
from backend.brokers.parsing import ParsingLog
from backend.brokers.topics import DiscoveredTopic
from backend.database import dbfile
from backend.database.dbfile import InUse, explained
from backend.database.models import (
    Board,
    Command,
    History,
    LogPart,
    Picture,
    PictureChunk,
    Site,
    database,
)
from backend.delivery.messages import MessageLog
from backend.fleet.alerts import Alert
from backend.fleet.downtime import Downtime
from backend.fleet.provisioning import BoardMove
from backend.gallery.rows import KeptPicture
from backend.people.audit import AuditEntry
from backend.people.bearer import SigningKey
from backend.people.credentials import Credential, Membership, User
from backend.readings.tables import ReadingHour, SensorNote, Series, StoredReading
from backend.rollouts.releases import Release
from backend.rollouts.rows import Rollout, RolloutBoard
from backend.scenes.rows import Scene, SceneRun, SceneStep
from backend.schedules.models import Run, RunBoard, Schedule

TABLES = (
    Site,
    Board,
    BoardMove,
    Command,
    History,
    LogPart,
    Picture,
    PictureChunk,
    KeptPicture,
    User,
    Membership,
    Credential,
    Downtime,
    MessageLog,
    Alert,
    SigningKey,
    AuditEntry,
    MqttConnection,
    MqttConnectionLog,
    DiscoveredTopic,
    ParsingLog,
    Release,
    Rollout,
    RolloutBoard,
    Schedule,
    Run,
    RunBoard,
    Scene,
    SceneRun,
    SceneStep,
    Automation,
    AutomationExecution,
    Series,
    StoredReading,
    ReadingHour,
    SensorNote,
)


def _sites(migrator: SqliteMigrator) -> list[Any]:
    """Boards belong to sites, people may be sent away, tokens are good for less than all."""
    new = (
        (Board, "site"),
        (Board, "state"),
        (Board, "dialect"),
        (Board, "owner"),
        (Board, "programme"),
        (Board, "mapped_at"),
        (Board, "next_wake_at"),
        (Board, "asleep_until"),
        (Board, "has"),
        (Board, "sleeps"),
        (Board, "claims"),
        (Board, "announced_at"),
        (Board, "revision"),
        (Board, "options"),
        (Command, "via"),
        (User, "disabled"),
        (Credential, "scopes"),
        (Credential, "expires_at"),
    )
    return [_new_column(migrator, table, name) for table, name in new]


def _new_column(migrator: SqliteMigrator, table: Any, name: str) -> Any:
    field = table._meta.fields[name]
    return migrator.add_column(table._meta.table_name, field.column_name, field)


def _causes(migrator: SqliteMigrator) -> list[Any]:
    """Commands know which rule made them, how much that counts, and on which conditions; boards
    have labels.
    """
    names = ("cause", "priority", "conditions")
    new = [_new_column(migrator, Command, name) for name in names]
    return [*new, _new_column(migrator, Board, "labels")]


# The step at index n makes version n + 1 of version n.
STEPS: tuple[Callable[[SqliteMigrator], list[Any]], ...] = (_sites, _causes)
VERSION = len(STEPS)


def open_database(url: str) -> SqliteDatabase:
    """Open `sqlite:///path` (or `sqlite://` for memory), make what is missing, and return it.

    Raises ValueError for another kind of address, and for a file that can't be used.
    """
    path = dbfile.path_of(url)
    db = SqliteDatabase(
        str(path) if path else ":memory:",
        pragmas={
            "journal_mode": "wal",
            "synchronous": "full",
            "foreign_keys": 1,
            "cache_size": -32_000,
            "busy_timeout": 5_000,
        },
    )
    database.initialize(db)
    try:
        _prepare(db, path)
    except InUse:
        reason = f"{path} is of another version and in use, or is being changed"
        raise ValueError(f"DATABASE_URL: {reason}; end what uses it, then try again") from None
    except (OSError, DatabaseError, sqlite3.Error) as why:
        raise ValueError(f"DATABASE_URL: {path} can't be used: {explained(why)}") from why
    return db


def _prepare(db: SqliteDatabase, path: Path | None) -> None:
    """Bring a database up, and hold it for as long as it is known here."""
    if path is None:
        return upgrade(db)
    dbfile.make_private(path)
    _connect(db)
    check_not_later(version(db))
    if not db.table_exists(Board):
        upgrade(db)  # one process makes it; the others wait
    elif version(db) < VERSION:
        _upgrade_alone(db, path)
    weakref.finalize(db, dbfile.hold(path).close)
    return None


def _connect(db: SqliteDatabase) -> None:
    """Connect. A new file is given its log by one process, and the others do not wait for that by
    themselves.
    """
    patience = time.monotonic() + dbfile.LOCK_SECONDS
    while db.is_closed():
        try:
            db.connect()
        except OperationalError as why:
            if "locked" not in str(why) or time.monotonic() > patience:
                raise
            time.sleep(0.05)


def _upgrade_alone(db: SqliteDatabase, path: Path) -> None:
    """Upgrade a file that holds something, after a copy of it was put aside.

    Nobody else may have it open: who was started before does not know the new columns.
    """
    patience = time.monotonic() + dbfile.LOCK_SECONDS
    while version(db) < VERSION:  # another process may do it meanwhile
        try:
            with dbfile.alone(path, 0):
                if (found := version(db)) < VERSION:
                    dbfile.copy(path, path.with_name(f"{path.name}.v{found}"))
                    upgrade(db)
        except InUse:
            if time.monotonic() > patience:
                raise
            time.sleep(0.05)


def check_not_later(found: int) -> None:
    """Raises ValueError for a version that this program does not know."""
    if found > VERSION:
        reason = "a later version of this program made it; use that, or restore a backup"
        raise ValueError(f"DATABASE_URL: {reason}")


def upgrade(db: SqliteDatabase) -> None:
    """Bring an open database to VERSION, all or nothing. Raises ValueError for a later one."""
    check_not_later(version(db))
    if version(db) < VERSION:
        # A table that others refer to is copied and dropped; this can't be set inside.
        db.execute_sql("PRAGMA foreign_keys = 0")
        with db.atomic("IMMEDIATE"):
            _bring_up(db)
        db.execute_sql("PRAGMA foreign_keys = 1")


def version(db: SqliteDatabase) -> int:
    """What version an open database is of; 0 where it is new, or from before versions."""
    return int(db.execute_sql("PRAGMA user_version").fetchone()[0])


def _bring_up(db: SqliteDatabase) -> None:
    found = version(db)  # another process may just have done it
    fresh = not db.table_exists(Board)
    for step in () if fresh else STEPS[found:]:
        migrate(*step(SqliteMigrator(db)))
    db.create_tables(TABLES)
    db.execute_sql(f"PRAGMA user_version = {VERSION}")
