"""The tables. The database is the only queue: a command that has no row here does not exist.

Times are whole milliseconds since 1970 (UTC); columns that hold JSON hold it as text.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    DatabaseError,
    DatabaseProxy,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

from backend.lifecycle import OPEN, PENDING

database = DatabaseProxy()

OPEN_SQL = "status IN ({})".format(", ".join(f"'{status}'" for status in OPEN))


class Base(Model):
    """What every table shares: the one database."""

    class Meta:
        database = database


class Board(Base):
    """A board that may be commanded: identity, secrets, and what it last said of itself."""

    id = TextField(primary_key=True)
    name = TextField()
    key = TextField()  # 64 hex digits, signs every message
    password = TextField()  # the board's user on the broker
    boot = TextField(default="")
    firmware = TextField(default="")
    board = TextField(default="")
    actuators = TextField(default="{}")
    has = TextField(default="")
    created_at = BigIntegerField()


class Command(Base):
    """One command and where it stands; every step it took is in History."""

    seq = AutoField()
    id = TextField(unique=True)
    board_id = TextField()
    command_type = TextField()
    target = TextField()
    parameters = TextField()
    status = TextField(default=PENDING)
    error = TextField(null=True)
    message = TextField(default="")
    result = TextField(default="{}")
    attempt = IntegerField(default=0)  # times anything was sent to the board for this id
    tries = IntegerField(default=0)  # of these, unanswered since the board was last heard anew
    cancelling = BooleanField(default=False)
    boot = TextField(default="")  # the boot of the board that accepted it
    user = TextField()
    source = TextField(default="")
    reason = TextField(default="")
    idempotency_key = TextField(null=True)
    created_at = BigIntegerField()
    expires_at = BigIntegerField()
    updated_at = BigIntegerField()
    due_at = BigIntegerField(null=True)  # when to look at it again if nothing happens

    class Meta:
        indexes = ((("user", "idempotency_key"), True),)


Command.add_index(
    Command.index(
        Command.board_id,
        Command.target,
        Command.status,
        where=SQL(OPEN_SQL),
        name="command_open",
    )
)
Command.add_index(Command.index(Command.due_at, where=SQL("due_at IS NOT NULL")))
Command.add_index(Command.index(Command.board_id, Command.seq))


class History(Base):
    """One step of one command, written in the same transaction as the step itself."""

    id = AutoField()
    command = ForeignKeyField(Command, field="seq", column_name="command_seq", backref="history")
    at = BigIntegerField()
    event = TextField()
    from_status = TextField()
    to_status = TextField()
    error = TextField(null=True)
    detail = TextField(default="{}")
    actor = TextField(default="")


class LogPart(Base):
    """A part of a board's log, as it was told in answer to one command."""

    command_id = TextField()
    part = IntegerField()
    text = TextField()

    class Meta:
        primary_key = CompositeKey("command_id", "part")


class Picture(Base):
    """A picture that is not whole yet; `header` is JSON, "" where it has not come."""

    board_id = TextField()
    image_id = TextField()
    header = TextField(default="")
    asked = IntegerField(default=0)  # how often its board was, since it last started
    at = BigIntegerField()  # when it began to come, or was asked for

    class Meta:
        primary_key = CompositeKey("board_id", "image_id")


class PictureChunk(Base):
    """A chunk of a picture that is not whole yet."""

    board_id = TextField()
    image_id = TextField()
    number = IntegerField()
    data = BlobField()

    class Meta:
        primary_key = CompositeKey("board_id", "image_id", "number")


TABLES = (Board, Command, History, LogPart, Picture, PictureChunk)


def as_rows(query: Any) -> list[dict[str, Any]]:
    """The rows of a query as dicts by field name."""
    return list(query.dicts())


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
        db.create_tables(TABLES)
        _add_columns(db)
    except (OSError, DatabaseError) as why:
        raise ValueError(f"DATABASE_URL: {place} can't be used: {why}") from why
    return db


def _add_columns(db: SqliteDatabase) -> None:
    """What a database of an earlier version lacks."""
    if "has" not in {column.name for column in db.get_columns("board")}:
        database.execute_sql("ALTER TABLE board ADD COLUMN has TEXT NOT NULL DEFAULT ''")


def _make_private(path: Path) -> None:
    """Every board's key and password are in it, so only its owner may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)  # SQLite gives the files beside it the same mode
