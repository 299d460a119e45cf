"""A core, and the disk that its writer would put pictures on: step by step, so that it can die."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from protocol import image
from protocol.image_reading import Chunk, Header

from backend.delivery.core import Batch
from backend.gallery import rows
from backend.gallery.album import Album
from backend.gallery.bounds import Bounds
from backend.gallery.keeping import Remove, mend
from backend.people.audit import Actor, Noted
from tests.backend.conftest import Desk
from tools.emulator_camera import jpeg

TAKEN = 1_740_000_000  # s, before any time in these tests; 2025-02-19
SEEN = jpeg(7, 160, 120, 60)


def parts(image_id: str, data: bytes, captured: int = TAKEN) -> list[Header | Chunk]:
    """A picture as it is sent."""
    digest = hashlib.sha256(data).digest()
    pieces = [data[at : at + 1024] for at in range(0, len(data), 1024)]
    header = Header(image_id, len(data), 1024, captured, 0, 0, digest)
    return [header, *(Chunk(image_id, index, piece) for index, piece in enumerate(pieces))]


class Darkroom(Desk):
    """A desk with an album."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "test.db")
        self.album = Album(folder / "images")
        self.startup()

    def sends(self, *said: Header | Chunk, board_id: str = "pond") -> None:
        """The board sends parts of a picture; nothing is on disk yet."""
        board = self.core.roster.get(board_id)
        assert board is not None
        heard = []
        for one in said:
            if isinstance(one, Header):
                data = image.encode_header(one, board.key)
            else:
                data = image.encode_chunk(one.image_id, one.index, one.data, board.key)
            heard.append(self.core.ingest.read(f"devices/{board_id}/data/image", data))
        self.hear(heard)

    def develop(self) -> None:
        """What the writer does once a transaction is durable."""
        for key in self.out.dropped:
            self.album.drop(*key)
        for one in self.out.pictures:
            self.album.keep(one.board_id, one.image_id, one.data)

    def arrives(self, image_id: str, data: bytes = SEEN, captured: int = TAKEN) -> Any:
        """A picture comes, and has its row, which is returned."""
        self.sends(*parts(image_id, data, captured))
        self.develop()
        self.tick()
        self.develop()
        return rows.get("pond", image_id)

    def does(self, task: Any) -> Any:
        """A task; what it says, or its Refusal."""
        self.out = self.core.apply(Batch([], [], [], [("me", task)]), self.now)
        return self.out.tasks[0][1]

    def deletes(self, image_id: str) -> Any:
        """Somebody does; the file is still there."""
        wish = Remove("pond", image_id)
        return self.does(Noted(wish, Actor("ann"), "picture.delete", "pond", {"image": image_id}))

    def dies(self, bounds: Bounds = Bounds()) -> None:  # noqa: B008 (it is frozen)
        """The backend is killed, starts anew, and mends what is to be mended."""
        self.restart()
        self.core.parts.gallery.bounds = bounds
        for task in mend(self.album):
            assert self.does(task) is None
            self.develop()
            self.tick()

    def names(self) -> set[str]:
        """The pictures that have rows, which must be those that have files."""
        mine = {row["image_id"] for row in rows.of_board("pond")}
        assert mine == set(self.album.found("pond"))
        return mine

    def news(self) -> list[dict[str, Any]]:
        """What pages were told of pictures."""
        return [data for kind, data in self.out.news if kind == "picture"]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Darkroom]:
    """A core with the board `pond`, which is online."""
    room = Darkroom(tmp_path)
    yield room
    room.database.close()


@pytest.fixture
def noise() -> random.Random:
    """The same for each run."""
    return random.Random(5)
