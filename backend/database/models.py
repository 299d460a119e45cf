"""The tables. The database is the only queue: a command that has no row here does not exist.

Times are whole milliseconds since 1970 (UTC); columns that hold JSON hold it as text.
"""

from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    DatabaseProxy,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from backend.delivery.lifecycle import OPEN, PENDING

database = DatabaseProxy()

ACTIVE, PENDING_MAPPING, RETIRED = BOARD_STATES = ("active", "pending_mapping", "retired")

# Of commands: the highest there is, for those that somebody has asked for. Only a stop is above.
MANUAL_COMMAND = 1000

OPEN_SQL = "status IN ({})".format(", ".join(f"'{status}'" for status in OPEN))


class Base(Model):
    """What every table shares: the one database."""

    class Meta:
        database = database


class Site(Base):
    """A place with boards. `owner` and `programme` are words that its boards inherit."""

    id = TextField(primary_key=True)
    name = TextField()
    owner = TextField(default="")
    programme = TextField(default="")
    timezone = TextField(default="UTC")  # an IANA name, such as Europe/Rome
    wake_cron = TextField(default="")  # when boards that sleep are to wake; "": they choose
    private = BooleanField(default=False)  # others get 404 for it, not 403
    settings = TextField(default="{}")  # what `update_config` is to tell boards mapped to it
    created_at = BigIntegerField()


class Board(Base):
    """A board: identity, secrets, where it belongs, and what it last said of itself.

    `state`: ACTIVE boards may be commanded, PENDING_MAPPING ones not yet, RETIRED ones no more.
    A board that only announced itself has no password, and a key that nobody was told.
    """

    id = TextField(primary_key=True)
    name = TextField()
    key = TextField()  # 64 hex digits, signs every message
    password = TextField()  # the board's user on the broker
    site = TextField(null=True, index=True)
    state = TextField(default=ACTIVE)
    dialect = TextField(default="answerback")
    options = TextField(default="{}")  # JSON: what its dialect must be told of this board
    owner = TextField(default="")  # its lineage, as it was when the board was mapped
    programme = TextField(default="")
    mapped_at = BigIntegerField(null=True)
    next_wake_at = BigIntegerField(null=True)
    asleep_until = BigIntegerField(null=True)  # as it said when it went to sleep
    sleeps = BooleanField(default=False)  # between the wakes of its site
    labels = TextField(default="[]")  # JSON: words by which it is selected, see selection
    claims = TextField(default="{}")  # what it said of itself before anybody knew it; unproven
    announced_at = BigIntegerField(null=True)  # when it last said so
    revision = IntegerField(default=0, index=True)  # goes up with each change by an administrator
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
    source = TextField(default="")  # the address it came from
    via = TextField(default="")  # what the user has shown: see credentials.Identity.via
    reason = TextField(default="")
    cause = TextField(default="")  # the rule of ours that made it: see part
    priority = IntegerField(default=MANUAL_COMMAND)  # which rule wins where two want one target
    conditions = TextField(default="[]")  # that must hold on the board when it begins
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
Command.add_index(
    Command.index(
        Command.board_id,
        Command.target,
        Command.seq,
        where=SQL(f"priority = {MANUAL_COMMAND}"),
        name="command_by_hand",
    )
)
Command.add_index(
    Command.index(
        Command.board_id,
        Command.target,
        where=SQL(f"cause <> '' AND {OPEN_SQL}"),
        name="command_of_rules",
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


def as_rows(query: Any) -> list[dict[str, Any]]:
    """The rows of a query as dicts by field name."""
    return list(query.dicts())
