"""Which pictures are kept: their rows, in step with their files, within bounds.

Rules of this file:
- coming: first the file, then, in the next transaction, its row. So a file without a row is a
  picture whose row was not written yet: it gets one;
- going: first the row is marked (with it is noted who wanted that), then the file goes, and in the
  next transaction the row. So a marked row is that of a file that still has to go;
- a row without a file and without a mark is of a file that somebody else has removed: it goes;
- what a crash has left in between is mended at the next start, board by board: see `Mend`;
- what is beyond the bounds goes in the order in which it came. A clock that was set wrong must not
  empty the gallery at once: by age, nothing goes within FIRST_MS of a start or of a setting.
Nothing here touches a disk but `Mend`; the writer does, once a transaction is durable.
"""

import hashlib
import json
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

from backend.database.store import Row
from backend.delivery.part import Orders, Part
from backend.delivery.work import Work
from backend.gallery import rows
from backend.gallery.album import Album
from backend.gallery.bounds import Bounds
from backend.gallery.images import INCOMPLETE, Arrival, Key, chunks_in
from backend.gallery.jpeg import size_of

log = logging.getLogger(__name__)

FIRST_MS, REST_MS, BATCH = 600_000, 3_600_000, 100
AHEAD_MS = 300_000  # a board's clock that is more than that before ours is not believed
_DAY_MS, _MB = 86_400_000, 1_000_000


class Gallery(Part):
    """The part of the core that keeps pictures."""

    def __init__(self, orders: Orders) -> None:
        super().__init__(orders)
        self.bounds = Bounds()
        self._coming: dict[Key, Row] = {}  # the rows of what is a file by the next transaction
        self._going: set[Key] = set()  # what is none any more by then
        self._count: Counter[str] = Counter()  # pictures and bytes of each board
        self._bytes: Counter[str] = Counter()
        for board_id, (count, size) in rows.held().items():
            self._count[board_id], self._bytes[board_id] = count, size
        self._look_at: int | None = None

    def act(self, work: Work) -> None:
        """Note what has become a file, or is none any more; and what will."""
        rows.delete(self._going)
        came, self._coming = self._coming, {}
        for key, row in came.items():
            if key not in work.out.dropped:  # that id is being deleted: its file goes
                self._add(work, key, row)
        for board_id in {board_id for board_id, _ in came}:
            self.shed(work, board_id)
        self._age(work)
        for one in work.out.pictures:
            self._coming[one.board_id, one.image_id] = _row(work.now, one)
        self._going = set(work.out.dropped)

    def unsettled(self, key: Key) -> None:
        """Its file could not be written, or removed: it has no row, or a marked one."""
        self._coming.pop(key, None)
        self._going.discard(key)

    def next_due(self) -> int | None:
        """At once where files have changed; else when the old ones are looked for."""
        if self._coming or self._going:
            return 0
        return self._look_at if self._count.total() else None

    def shift(self, by: int) -> None:
        """The clock was set."""
        self._look_at = None

    def adopt(self, work: Work, row: Row) -> None:
        """A file that is here gets its row."""
        self._add(work, (row["board_id"], row["image_id"]), row)

    def shed(self, work: Work, board_id: str) -> None:
        """Let the oldest go where there are too many of a board, or in all."""
        self._shed(work, board_id, self.bounds.board, self.bounds.board_mb * _MB)
        self._shed(work, None, None, self.bounds.mb * _MB)

    def remove(self, work: Work, row: Row) -> None:
        """Have a picture that is shown go."""
        key = (row["board_id"], row["image_id"])
        rows.mark(key)
        self._counted(row, -1)
        work.out.dropped.append(key)
        self._tell(work, {**row, "gone": True})

    def lost(self, row: Row) -> None:
        """A row whose file is not there goes."""
        rows.delete([(row["board_id"], row["image_id"])])
        if not row["gone"]:
            self._counted(row, -1)

    def _add(self, work: Work, key: Key, row: Row) -> None:
        for before in rows.some([key]):
            self._counted(before, -1)
        rows.put({**row, "command_id": rows.command_of(key[0], key[1].removesuffix(INCOMPLETE))})
        self._counted(row, 1)
        self._tell(work, rows.get(*key))
        for poorer in rows.some([(key[0], key[1] + INCOMPLETE)]):
            self.remove(work, poorer)

    def _counted(self, row: Row, by: int) -> None:
        self._count[row["board_id"]] += by
        self._bytes[row["board_id"]] += by * row["size"]

    def _shed(self, work: Work, board_id: str | None, most: int | None, size: int) -> None:
        """Let the oldest go until there are no more than that, of a board or of all."""

        def over() -> bool:
            count, held = self._count, self._bytes
            if board_id is None:
                return held.total() > size
            return held[board_id] > size or most is not None and count[board_id] > most

        while over():
            for row in rows.oldest(board_id, BATCH):
                if over():
                    self.remove(work, row)

    def _age(self, work: Work) -> None:
        """Let those go that came too long ago, a batch at a time."""
        if self._look_at is None:
            self._look_at = work.now + FIRST_MS
        if work.now < self._look_at:
            return
        before = work.now - self.bounds.days * _DAY_MS
        old = rows.oldest(None, BATCH, before) if self.bounds.days else []
        for row in old:
            self.remove(work, row)
        self._look_at = work.now + (0 if len(old) == BATCH else REST_MS)

    def _tell(self, work: Work, row: Row) -> None:
        board = self.orders.roster.get(row["board_id"])
        told = {**rows.public(row), "site": board.site if board else None, "gone": row["gone"]}
        work.out.news.append(("picture", told))


@dataclass(frozen=True, slots=True)
class Remove:
    """A task: somebody wants a picture to go. Raises NotFound."""

    board_id: str
    image_id: str

    def __call__(self, work: Work) -> None:
        """See `Gallery.remove`."""
        work.parts.gallery.remove(work, rows.get(self.board_id, self.image_id))


@dataclass(frozen=True, slots=True)
class Mend:
    """A task for each start: what a crash has left of one board's files and rows is put right."""

    album: Album
    board_id: str

    def __call__(self, work: Work) -> None:
        """See the rules of this file. A disk that fails is told of, and looked at another time."""
        try:
            self._mend(work)
        except OSError as why:
            about = {"board": self.board_id}
            log.error("can't look through the pictures of %s: %s", self.board_id, why, extra=about)

    def _mend(self, work: Work) -> None:
        gallery, found = work.parts.gallery, self.album.found(self.board_id)
        for row in rows.of_board(self.board_id):
            file = found.get(row["image_id"])
            if row["gone"]:
                self.album.drop(self.board_id, row["image_id"])
                found.pop(row["image_id"], None)
            if row["gone"] or file is None:
                log.info("picture %s of %s is gone", row["image_id"], self.board_id)
                gallery.lost(row)
            elif file.st_size == row["size"]:
                del found[row["image_id"]]
        if not rows.is_known(self.board_id):
            return  # a folder that is none of ours
        for image_id, file in found.items():
            log.info("picture %s of %s gets its row", image_id, self.board_id)
            picture = self.album.path(self.board_id, image_id).read_bytes()
            gallery.adopt(work, _seen(self.board_id, image_id, picture, int(file.st_mtime * 1000)))
        gallery.shed(work, self.board_id)  # the bounds may have been set lower


def mend(album: Album) -> list[Mend]:
    """The tasks of a start; none where the disk fails, which is told of."""
    try:
        boards = {*album.boards(), *rows.boards()}
    except OSError as why:
        log.error("can't look through the pictures: %s", why)
        return []
    return [Mend(album, board_id) for board_id in sorted(boards)]


def _row(now: int, one: Arrival) -> Row:
    """The row of a picture that came `now`."""
    of = chunks_in(one.header)
    taken = one.header.captured * 1000
    believed = taken if 0 < taken <= now + AHEAD_MS else None
    readings = {name: {"value": value, "unit": u} for name, (value, u) in one.readings.items()}
    row = _seen(one.board_id, one.image_id, one.data, now)
    sizes = (one.header.width or None, one.header.height or None)
    width, height = (row["width"], row["height"]) if row["width"] else sizes
    return {
        **row,
        "at": believed or now,
        "taken_at": believed,
        "width": width,
        "height": height,
        "whole": one.parts == of,
        "parts": one.parts,
        "of": of,
        "readings": json.dumps(readings),
    }


def _seen(board_id: str, image_id: str, picture: bytes, at: int) -> dict[str, Any]:
    """What a file itself tells."""
    width, height = size_of(picture) or (None, None)
    return {
        "board_id": board_id,
        "image_id": image_id,
        "at": at,
        "received_at": at,
        "size": len(picture),
        "sha256": hashlib.sha256(picture).hexdigest(),
        "width": width,
        "height": height,
        "whole": not image_id.endswith(INCOMPLETE),
    }
