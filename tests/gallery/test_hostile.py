"""Boards that send pictures as they should not: what is kept is bounded, and where it belongs."""

import base64
import random
from pathlib import Path
from typing import Any

from protocol import image
from protocol.image_reading import Chunk, Header

from backend.database.models import Picture, PictureChunk
from backend.gallery import rows
from backend.gallery.album import Album
from backend.gallery.bounds import Bounds
from backend.gallery.images import OPEN_PER_BOARD
from tests.dialects.conftest import MAC, Hall
from tests.gallery.conftest import SEEN, Darkroom, parts

DATA = f"ESP32CAM/{MAC}/data"
CHUNK = 400
COUNT = -(-len(SEEN) // CHUNK)


def test_a_flood_of_headers_and_wrong_pieces_leaves_nothing(
    room: Darkroom, noise: random.Random
) -> None:
    for number in range(80):
        header, *chunks = parts(f"p{number % 40}", noise.randbytes(noise.randrange(300, 3000)))
        assert isinstance(header, Header)
        wrong = header._replace(size=noise.randrange(1, 1 << 20), digest=noise.randbytes(32))
        said = [noise.choice((header, wrong)), *chunks[1:]]
        said += [Chunk(header.image_id, noise.randrange(4096), noise.randbytes(7))]
        room.sends(*said)
        room.develop()
    assert Picture.select().count() <= OPEN_PER_BOARD
    assert PictureChunk.select().count() <= OPEN_PER_BOARD * image.CHUNKS
    room.tick()
    assert room.names() == {row["image_id"] for row in rows.of_board("pond")}
    room.arrives("honest")
    assert "honest" in room.names()


def test_a_flood_of_whole_pictures_is_kept_within_bounds(room: Darkroom) -> None:
    room.core.parts.gallery.bounds = Bounds(board=5)
    for number in range(12):
        room.arrives(f"p{number}", bytes([255, 216, 255, number]))
    room.tick()
    assert room.names() == {f"p{number}" for number in range(7, 12)}


def metadata(hall: Hall, name: str, **more: Any) -> None:
    """What comes before a picture."""
    said = {"image_name": name, "image_size": len(SEEN), "max_chunks_size": CHUNK, **more}
    hall.say(DATA, {"total_chunk_count": COUNT, "timestamp": "2027-01-15T08:00:00Z", **said})


def chunk(hall: Hall, name: str, index: int) -> None:
    """A piece of it."""
    data = base64.b64encode(SEEN[index * CHUNK : (index + 1) * CHUNK]).decode()
    hall.say(DATA, {"image_name": name, "chunk_id": index, "payload": data})


def kept(hall: Hall, album: Album) -> list[dict[str, Any]]:
    """The rows after what came last has become files."""
    for one in hall.out.pictures:
        album.keep(one.board_id, one.image_id, one.data)
    hall.tick()
    for key in hall.out.dropped:
        album.drop(*key)
    hall.tick()
    return [rows.public(row) for row in rows.find(MAC, None, 99)]


def test_names_with_odd_characters_stay_in_their_folder(tmp_path: Path) -> None:
    hall, album = Hall(tmp_path / "test.db"), Album(tmp_path / "images")
    for name in ("../../up.jpg", "/etc/passwd", "a\u202eb/.jpg", "..", "x" * 100, "%2e%2e%2f"):
        metadata(hall, name)
        for index in range(COUNT):
            chunk(hall, name, index)
        kept(hall, album)
    found = {path.parent for path in tmp_path.rglob("*") if path.suffix == ".jpg"}
    assert found == {tmp_path / "images" / MAC}
    names = set(album.found(MAC))
    assert (
        names == {row["image_id"] for row in rows.of_board(MAC)} and len(names) == 5
    )  # one is refused
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in names)
    hall.database.close()


def test_an_incomplete_one_says_so_until_the_whole_one_comes(tmp_path: Path) -> None:
    hall, album = Hall(tmp_path / "test.db"), Album(tmp_path / "images")
    board = hall.core.roster.get(MAC)
    assert board
    row = hall.post(MAC, "capture_image")
    hall.say(f"ESP32CAM/{MAC}/status", {"status": "Alive"})
    metadata(hall, "a.jpg", sensor_data={"temperature": 21.5})
    name = "a-20270115T080000Z"
    assert board.pictures == {name: {"parts": 0, "of": COUNT, "asked": 0, "waiting": True}}
    for index in range(COUNT - 1):
        chunk(hall, "a.jpg", index)
    assert board.pictures[name]["parts"] > COUNT // 2  # told by tenths
    for second in (15, 30, 45, 60):
        hall.at(second).tick()
    (half,) = kept(hall, album)
    assert (half["image_id"], half["whole"]) == (f"{name}-incomplete", False)
    assert (half["parts"], half["of"], half["command_id"]) == (COUNT - 1, COUNT, row["id"])
    assert half["readings"] == {"temperature": {"value": 21.5, "unit": "°C"}}
    assert half["taken_at"] and board.pictures == {}
    hall.at(3600).say(f"ESP32CAM/{MAC}/status", {"status": "Alive", "pendingImg": 1})
    metadata(hall, "a.jpg")
    for index in range(COUNT):
        chunk(hall, "a.jpg", index)
    (whole,) = kept(hall, album)
    assert (whole["image_id"], whole["whole"], whole["command_id"]) == (name, True, row["id"])
    assert set(album.found(MAC)) == {name}
    hall.database.close()
