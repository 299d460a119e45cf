"""Pictures as boards send them: put together from chunks in any order.

Rules of this file:
- whatever comes, memory is bounded: OPEN_PER_BOARD pictures of one board, OPEN_BYTES and OPEN_MAX
  in all; the one that has been quiet for longest goes first;
- nothing is a picture before its SHA-256 is right, or, where its board sends none, before it is
  whole and begins as a JPEG does;
- an id is made of A-Z a-z 0-9 _ -, so a file can't be put anywhere but in its board's folder.

What is not whole yet is kept, and asked for again, by `pictures`; what is, by `keeping`.
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import NamedTuple

from protocol.image import chunks_of
from protocol.image_ranges import ranges
from protocol.image_reading import Chunk, Header
from protocol.limits import IMAGE_BYTES

log = logging.getLogger(__name__)

OPEN_PER_BOARD = 4
OPEN_BYTES = 32 << 20
OPEN_MAX = 1_000
INCOMPLETE = "-incomplete"  # ends the id of what is kept though parts of it never came
JPEG = b"\xff\xd8\xff"

Key = tuple[str, str]  # board id, image id


class Arrival(NamedTuple):
    """A picture as it is to be kept: whole, or all that came of it, `parts` chunks.

    `readings`: what its board measured when it took it, {sensor: (value, unit)}.
    """

    board_id: str
    image_id: str
    data: bytes
    header: Header
    parts: int
    readings: Mapping[str, tuple[float, str]] = {}


def chunks_in(header: Header) -> int:
    """How many chunks make it whole."""
    return int(chunks_of(header.size, header.chunk_size))


class Assembly:
    """One picture on its way. `size`: bytes of the chunks that are here, which are `chunks`."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self._chunks: dict[int, bytes] = {}
        self.chunks: Mapping[int, bytes] = self._chunks
        self.size = 0

    def begin(self, header: Header) -> None:
        """Its header has come; what came before and does not fit goes, all of it if it changed."""
        if self.header not in (None, header):
            self._forget()
        self.header = header
        for index in [i for i in self._chunks if not self._fits(i, self._chunks[i])]:
            self.size -= len(self._chunks.pop(index))

    def add(self, chunk: Chunk) -> None:
        """A chunk has come; the first of each index counts."""
        fits = self._fits(chunk.index, chunk.data)
        if fits and chunk.index not in self._chunks and self.size < IMAGE_BYTES:
            self._chunks[chunk.index] = chunk.data
            self.size += len(chunk.data)

    def missing(self) -> list[int]:
        """The chunks that are not here; none are known to be before the header is."""
        if self.header is None:
            return []
        return [index for index in range(chunks_in(self.header)) if index not in self._chunks]

    def whole(self) -> bytes | None:
        """The picture, or None. One whose SHA-256 is wrong is dropped: every chunk is missing."""
        if self.header is None or self.size != self.header.size:
            return None
        data = b"".join(self._chunks[index] for index in sorted(self._chunks))
        digest = self.header.digest
        if hashlib.sha256(data).digest() == digest or not digest and data[:3] == JPEG:
            return data
        log.warning("picture %s is not what its header says; dropped", self.header.image_id)
        self._forget()
        return None

    def rest(self) -> bytes | None:
        """What there is, with zeros where chunks are missing; None where that is nothing."""
        if self.header is None or not self._chunks:
            return None
        out = bytearray(self.header.size)
        for index, data in self._chunks.items():
            start = index * self.header.chunk_size
            out[start : start + len(data)] = data
        return bytes(out)

    def _fits(self, index: int, data: bytes) -> bool:
        if self.header is None:
            return True
        left = self.header.size - index * self.header.chunk_size
        return bool(len(data) == min(self.header.chunk_size, left))

    def _forget(self) -> None:
        self._chunks.clear()
        self.size = 0


class Receiver:
    """The pictures of all boards that are on their way; nothing here touches a disk."""

    def __init__(self) -> None:
        self._open: dict[Key, Assembly] = {}  # the one heard last is last
        self.dropped: list[Key] = []  # for want of room, until somebody empties it

    def __len__(self) -> int:
        return len(self._open)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(one.size for one in self._open.values())

    def take(self, board_id: str, said: Header | Chunk) -> bytes | None:
        """A header or chunk of a board: the picture, if that was the last of it."""
        key = (board_id, said.image_id)
        one = self._open.pop(key, None) or Assembly()
        self._open[key] = one
        if isinstance(said, Header):
            one.begin(said)
        else:
            one.add(said)
        picture = one.whole()
        if picture is not None:
            del self._open[key]
        self._make_room(board_id)
        return picture

    def get(self, key: Key) -> Assembly | None:
        """A picture that is on its way, or None."""
        return self._open.get(key)

    def of_board(self, board_id: str) -> dict[str, Assembly]:
        """Those of one board, by image id."""
        return {key[1]: one for key, one in self._open.items() if key[0] == board_id}

    def drop(self, key: Key) -> None:
        """Expect a picture no longer."""
        self._open.pop(key, None)

    def missing(self, board_id: str, image_id: str) -> str:
        """The missing chunks as `send_image` takes them; "" where none are known to be missing."""
        text: str = ranges(self.missing_numbers(board_id, image_id))
        return text

    def missing_numbers(self, board_id: str, image_id: str) -> list[int]:
        """The chunks that are known to be missing."""
        one = self._open.get((board_id, image_id))
        return one.missing() if one else []

    def size_of(self, board_id: str, image_id: str) -> int:
        """How many bytes of a picture are here."""
        one = self._open.get((board_id, image_id))
        return one.size if one else 0

    def give_up(self, board_id: str, image_id: str) -> bytes | None:
        """Forget a picture; what there is of it, see `Assembly.rest`."""
        one = self._open.pop((board_id, image_id), None)
        return one.rest() if one else None

    def _make_room(self, board_id: str) -> None:
        for key in self._beyond(board_id):
            log.info(
                "picture %s of %s was not finished; dropped",
                key[1],
                key[0],
                extra={"board": key[0]},
            )
            del self._open[key]
            self.dropped.append(key)

    def _beyond(self, board_id: str) -> list[Key]:
        """What has to go, the one quiet for longest first."""
        mine = [key for key in self._open if key[0] == board_id]
        if len(mine) > OPEN_PER_BOARD:
            return mine[:-OPEN_PER_BOARD]
        over = self.size - OPEN_BYTES
        out: list[Key] = []
        for key, one in self._open.items():
            if over <= 0 and len(self._open) - len(out) <= OPEN_MAX:
                break
            out.append(key)
            over -= one.size
        return out
