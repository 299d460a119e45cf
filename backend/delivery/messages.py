"""The message log: what went out to boards and what they said, beside the command it was about.

Rules of this file:
- it is written with what the messages have changed, in one statement for a whole batch;
- a sample is what was said, in JSON, cut at SAMPLE characters; secrets in it are masked;
- MODES: "commands" logs what is about a command, "all" everything that was read, "off" nothing;
- what was refused is not in it: it is counted (see `Ingest.refused`).
"""

import json
from typing import Any

from peewee import SQL, AutoField, BigIntegerField, IntegerField, TextField

from backend.database.models import Base, as_rows, database
from backend.delivery.masking import MASK, masked

ALL, COMMANDS, OFF = MODES = ("all", "commands", "off")
IN, OUT = DIRECTIONS = ("in", "out")
SAMPLE = 500

_json = json.JSONEncoder(separators=(",", ":")).encode  # one for all: making it costs more
_SECRET = ("password", "secret", "token", "key")  # in a name, whatever its case
_COLUMNS = ("at", "board_id", "direction", "kind", "command_id", "size", "sample")


class MessageLog(Base):
    """One message. `size` is in bytes; of what went out it is the content's, without signature."""

    id = AutoField()
    at = BigIntegerField()
    board_id = TextField()
    direction = TextField()
    kind = TextField()
    command_id = TextField(default="")
    size = IntegerField()
    sample = TextField()

    class Meta:
        table_name = "message_log"


MessageLog.add_index(
    MessageLog.index(
        MessageLog.command_id, where=SQL("command_id <> ''"), name="message_log_command"
    )
)
MessageLog.add_index(
    MessageLog.index(MessageLog.board_id, MessageLog.id, name="message_log_board")
)

_INSERT = "INSERT INTO message_log ({}) SELECT {} FROM json_each(?)".format(
    ", ".join(_COLUMNS), ", ".join(f"json_extract(value, '$[{i}]')" for i in range(len(_COLUMNS)))
)


class MessageRows:
    """Collects the messages of a transaction; `write` adds them to it. `mode` is one of MODES."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._rows: list[tuple[Any, ...]] = []

    def heard(self, now: int, board_id: str, kind: str, message: Any, size: int) -> None:
        """A board has said this; parts of pictures, and what other dialects mean, are no dicts."""
        command_id = message.get("command_id", "") if type(message) is dict else ""
        if self._wanted(command_id):
            sample = _sample(message) if type(message) is dict else _other(message)
            self._rows.append((now, board_id, IN, kind, command_id, size, sample))

    def sent(self, now: int, board_id: str, message: dict[str, Any]) -> None:
        """This goes out to a board."""
        kind = message["command_type"]
        command_id = "" if kind == "time" else message["command_id"]
        if self._wanted(command_id):
            told = masked(kind, message["parameters"])
            shown = message if told is message["parameters"] else {**message, "parameters": told}
            size = len(_json(message))
            self._rows.append((now, board_id, OUT, kind, command_id, size, _sample(shown)))

    def write(self) -> None:
        """Into the database."""
        if self._rows:
            database.execute_sql(_INSERT, (_json(self._rows),))
            self._rows.clear()

    def _wanted(self, command_id: str) -> bool:
        return self._mode == ALL or (self._mode == COMMANDS and command_id != "")


def _sample(message: dict[str, Any]) -> str:
    text = _json(message)
    if _is_secret(text):
        text = _json(_without_secrets(message))
    return text[:SAMPLE]


def _other(message: Any) -> str:
    image_id = getattr(message, "image_id", None)
    return str(message)[:SAMPLE] if image_id is None else f"a part of {image_id}"


def _is_secret(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in _SECRET)


def _without_secrets(value: Any) -> Any:
    if type(value) is not dict:
        return value
    return {
        name: MASK if _is_secret(name) and type(one) is str and one else _without_secrets(one)
        for name, one in value.items()
    }


def of_command(command_id: str, limit: int) -> list[dict[str, Any]]:
    """The messages about a command, oldest first."""
    query = MessageLog.select().where(MessageLog.command_id == command_id)
    # Word for word, so that SQLite takes the partial index.
    query = query.where(SQL("command_id <> ''")).order_by(MessageLog.id).limit(limit)
    return as_rows(query)


def of_board(board_id: str, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """The messages from and to a board, newest first; `before` is the `id` to go on from."""
    query = MessageLog.select().where(MessageLog.board_id == board_id)
    if before is not None:
        query = query.where(MessageLog.id < before)
    return as_rows(query.order_by(MessageLog.id.desc()).limit(limit))
