"""The rows of pictures that are kept. What makes them consistent with the files is `keeping`."""

import json
from collections.abc import Iterable
from typing import Any

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    IntegerField,
    TextField,
    fn,
)

from backend.database.models import Base, Board, Command, as_rows, database
from backend.database.store import Row
from backend.errors import NotFound
from backend.gallery.images import Key

_LAST_COMMANDS = 200


class KeptPicture(Base):
    """One picture. Times are ms; `at` is `taken_at`, or where nobody knows that, `received_at`.

    `parts` of `of` chunks are here; None where nobody knows. `command_id`: what took it, if that
    is known. `readings`: a JSON object, {sensor: {"value", "unit"}}. `gone`: its file is to go.
    """

    id = AutoField()
    board_id = TextField()
    image_id = TextField()
    at = BigIntegerField()
    taken_at = BigIntegerField(null=True)
    received_at = BigIntegerField()
    size = IntegerField()
    sha256 = TextField()
    width = IntegerField(null=True)
    height = IntegerField(null=True)
    whole = BooleanField(default=True)
    parts = IntegerField(null=True)
    of = IntegerField(null=True)
    command_id = TextField(null=True)
    readings = TextField(default="{}")
    gone = BooleanField(default=False)

    class Meta:
        indexes = ((("board_id", "image_id"), True),)


KeptPicture.add_index(KeptPicture.index(KeptPicture.board_id, KeptPicture.at, KeptPicture.id))
KeptPicture.add_index(KeptPicture.index(KeptPicture.board_id, KeptPicture.received_at))
KeptPicture.add_index(KeptPicture.index(KeptPicture.received_at))

_SHOWN = ~KeptPicture.gone


def put(row: Row) -> None:
    """A new one, or another one under the same id in the place of the first."""
    KeptPicture.insert(row).on_conflict(
        conflict_target=[KeptPicture.board_id, KeptPicture.image_id], update={"gone": False, **row}
    ).execute()


def get(board_id: str, image_id: str) -> Row:
    """One that is shown. Raises NotFound."""
    found = some([(board_id, image_id)])
    if not found:
        reason = f"the board has no picture {image_id[:64]!r} here"
        raise NotFound("unknown_picture", "image_id", reason)
    return found[0]


def some(keys: Iterable[Key]) -> list[Row]:
    """Those of these keys that are shown."""
    return [row for key in keys for row in as_rows(KeptPicture.select().where(_is(key) & _SHOWN))]


def find(board_id: str, before: tuple[int, int] | None, limit: int) -> list[Row]:
    """Those of a board, newest first; `before`: (at, id) of the one to go on from."""
    query = KeptPicture.select().where((KeptPicture.board_id == board_id) & _SHOWN)
    if before:
        at, number = before
        older = (KeptPicture.at == at) & (KeptPicture.id < number)
        query = query.where((KeptPicture.at < at) | older)
    newest_first = query.order_by(KeptPicture.at.desc(), KeptPicture.id.desc())
    return as_rows(newest_first.limit(limit))


def newest() -> list[Row]:
    """The newest one of each board that has any."""
    return [row for board_id in sorted(boards()) for row in find(board_id, None, 1)]


def oldest(board_id: str | None, limit: int, before: int | None = None) -> list[Row]:
    """Those that came first, of one board or of all; `before`: that had come by then."""
    query = KeptPicture.select().where(_SHOWN).order_by(KeptPicture.received_at).limit(limit)
    if board_id is not None:
        query = query.where(KeptPicture.board_id == board_id)
    if before is not None:
        query = query.where(KeptPicture.received_at < before)
    return as_rows(query)


def of_board(board_id: str) -> list[Row]:
    """All of a board, also those that are to go."""
    return as_rows(KeptPicture.select().where(KeptPicture.board_id == board_id))


def held() -> dict[str, tuple[int, int]]:
    """{board: (pictures, bytes)} of those that are shown."""
    sums = (KeptPicture.board_id, fn.COUNT(KeptPicture.id), fn.SUM(KeptPicture.size))
    found = KeptPicture.select(*sums).where(_SHOWN).group_by(KeptPicture.board_id)
    return {row[0]: (row[1], row[2]) for row in database.execute(found).fetchall()}


def boards() -> set[str]:
    """The boards that have rows."""
    return {row.board_id for row in KeptPicture.select(KeptPicture.board_id).distinct()}


def mark(key: Key) -> None:
    """It is to go."""
    KeptPicture.update(gone=True).where(_is(key)).execute()


def delete(keys: Iterable[Key]) -> None:
    """Their files are gone."""
    for key in keys:
        KeptPicture.delete().where(_is(key)).execute()


def command_of(board_id: str, image_id: str) -> str | None:
    """The command that took a picture: with our firmware it has the same id."""
    ours = (Command.board_id == board_id) & (Command.command_type == "capture_image")
    if Command.select().where(ours & (Command.id == image_id)).exists():
        return image_id
    last = Command.select().where(ours).order_by(Command.seq.desc()).limit(_LAST_COMMANDS)
    for row in last.select(Command.id, Command.result):
        if json.loads(row.result).get("image_id") == image_id:
            return str(row.id)
    return None


def is_known(board_id: str) -> bool:
    """Whether there is such a board."""
    return bool(Board.select().where(Board.id == board_id).exists())


def public(row: Row) -> dict[str, Any]:
    """A picture as the API shows it; times are ms."""
    hidden = ("gone", "size")
    out = {name: value for name, value in row.items() if name not in hidden}
    return {**out, "bytes": row["size"], "readings": json.loads(row["readings"])}


def _is(key: Key) -> Any:
    return (KeptPicture.board_id == key[0]) & (KeptPicture.image_id == key[1])
