"""The rows of pictures that are not whole yet; see `backend.gallery.pictures`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from protocol.image_reading import Chunk, Header

from backend.database.models import Picture, PictureChunk, as_rows
from backend.gallery.images import Assembly, Key


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture as it lies in the table: its header, if it has come, and its chunks."""

    key: Key
    said: list[Header | Chunk]
    asked: int
    at: int


def load() -> Iterator[Kept]:
    """All of them, the one quiet for longest first."""
    for row in as_rows(Picture.select().order_by(Picture.at)):
        key = (row["board_id"], row["image_id"])
        parts = PictureChunk.select().where(_is(PictureChunk, key)).order_by(PictureChunk.number)
        chunks = [Chunk(key[1], part.number, bytes(part.data)) for part in parts]
        yield Kept(key, [*_headers(row["header"]), *chunks], row["asked"], row["at"])


def rewrite(key: Key, one: Assembly, asked: int, at: int) -> None:
    """All of it anew."""
    erase(key)
    header = json.dumps([*one.header[:-1], one.header.digest.hex()]) if one.header else ""
    Picture.insert(board_id=key[0], image_id=key[1], header=header, asked=asked, at=at).execute()
    for number, data in one.chunks.items():
        insert(key, number, data)


def insert(key: Key, number: int, data: bytes) -> None:
    """One more chunk."""
    PictureChunk.insert(board_id=key[0], image_id=key[1], number=number, data=data).execute()


def save(key: Key, asked: int, at: int) -> None:
    """How often its board was asked for it."""
    Picture.update(asked=asked, at=at).where(_is(Picture, key)).execute()


def erase(key: Key) -> None:
    """Nothing of it is left."""
    for table in (Picture, PictureChunk):
        table.delete().where(_is(table, key)).execute()


def _is(table: Any, key: Key) -> Any:
    return (table.board_id == key[0]) & (table.image_id == key[1])


def _headers(text: str) -> list[Header]:
    if not text:
        return []
    *members, digest = json.loads(text)
    return [Header._make([*members, bytes.fromhex(digest)])]
