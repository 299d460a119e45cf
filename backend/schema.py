"""The database as a whole: all its tables, how it is opened, and how an older one is brought up.

`VERSION` is kept in the file (SQLite's user_version). A new file gets all tables as they are now.
An older one gets, in one transaction, what each step in STEPS adds to the tables it has; tables
that are new altogether need no step. A file of a later version than this program is left alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from peewee import DatabaseError, SqliteDatabase
from playhouse.migrate import SqliteMigrator, migrate

from backend.alerts import Alert
from backend.audit import AuditEntry
from backend.bearer import SigningKey
from backend.connections import MqttConnection, MqttConnectionLog
from backend.credentials import Credential, Membership, User
from backend.downtime import Downtime
from backend.messages import MessageLog
from backend.models import Board, Command, History, LogPart, Picture, PictureChunk, Site, database
from backend.parsing import ParsingLog
from backend.provisioning import BoardMove
from backend.topics import DiscoveredTopic

TABLES = (
    Site,
    Board,
    BoardMove,
    Command,
    History,
    LogPart,
    Picture,
    PictureChunk,
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


# The step at index n makes version n + 1 of version n.
STEPS: tuple[Callable[[SqliteMigrator], list[Any]], ...] = (_sites,)
VERSION = len(STEPS)


def open_database(url: str) -> SqliteDatabase:
    """Open `sqlite:///path` (or `sqlite://` for memory), make what is missing, and return it.

    Raises ValueError for another kind of address, and for a file that can't be used.
    """
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise ValueError(f"DATABASE_URL: {parts.scheme!r} is not supported; use sqlite:///path")
    place = unquote(parts.path[1:]) or ":memory:"
    db = SqliteDatabase(
        place,
        pragmas={
            "journal_mode": "wal",
            "synchronous": "full",
            "foreign_keys": 1,
            "cache_size": -32_000,
            "busy_timeout": 5_000,
            "secure_delete": 1,  # what is overwritten may have been a password
        },
    )
    database.initialize(db)
    try:
        if place != ":memory:":
            _make_private(Path(place))
        upgrade(db)
    except (OSError, DatabaseError) as why:
        raise ValueError(f"DATABASE_URL: {place} can't be used: {why}") from why
    return db


def upgrade(db: SqliteDatabase) -> None:
    """Bring an open database to VERSION. Raises ValueError where it is of a later one."""
    if version(db) > VERSION:
        reason = "a later version of this program made it; use that, or restore a backup"
        raise ValueError(f"DATABASE_URL: {reason}")
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


def _make_private(path: Path) -> None:
    """Every board's key and password are in it, so only its owner may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)  # SQLite gives the files beside it the same mode
