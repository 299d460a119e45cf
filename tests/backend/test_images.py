"""Pictures at the backend: put together in any order, bounded whatever comes, kept as files."""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol import image
from protocol.image_ranges import parse_ranges
from protocol.image_reading import Chunk, Header
from protocol.limits import IMAGE_BYTES
from protocol.topics import IMAGE, topic

from backend.brokers.broker import EmbeddedBroker
from backend.gallery import images
from backend.gallery.album import Album
from backend.gallery.images import Receiver
from tests.backend.running import Station, eventually
from tools.brokers import MosquittoBroker


def parts(image_id: str, data: bytes, chunk_size: int = 1024) -> tuple[Header, list[Chunk]]:
    """A picture as it is sent."""
    digest = hashlib.sha256(data).digest()
    header = Header(image_id, len(data), chunk_size, 0, 0, 0, digest)
    starts = range(0, len(data), chunk_size)
    return header, [
        Chunk(image_id, index, data[at : at + chunk_size]) for index, at in enumerate(starts)
    ]


def encoded(chunk: Chunk, station: Station) -> bytes:
    """The bytes of a chunk of the station's board."""
    data: bytes = image.encode_chunk(chunk.image_id, chunk.index, chunk.data, station.key)
    return data


@given(st.binary(min_size=1, max_size=4000), st.randoms(use_true_random=False))
def test_any_order_and_any_copies(data: bytes, rng: random.Random) -> None:
    header, chunks = parts("a", data, 256)
    every: list[Header | Chunk] = [header, *chunks]
    said = [*every, *rng.choices(every, k=4)]
    rng.shuffle(said)
    receiver, whole = Receiver(), []
    for one in said:
        picture = receiver.take("pond", one)
        if picture is not None:
            whole.append(picture)
    assert whole and set(whole) == {data}


@given(st.binary(min_size=600, max_size=4000), st.sets(st.integers(0, 15), min_size=1))
def test_what_is_missing_is_named_and_completes_it(data: bytes, lost: set[int]) -> None:
    header, chunks = parts("a", data, 256)
    lost = {index for index in lost if index < len(chunks)} or {0}
    receiver = Receiver()
    receiver.take("pond", header)
    for chunk in chunks:
        if chunk.index not in lost:
            assert receiver.take("pond", chunk) is None
    wanted = [
        index
        for first, last in parse_ranges(receiver.missing("pond", "a"), len(chunks))
        for index in range(first, last + 1)
    ]
    assert wanted == sorted(lost)
    said = [receiver.take("pond", chunks[index]) for index in wanted]
    assert said[-1] == data and len(receiver) == 0


def test_boards_and_pictures_do_not_mix() -> None:
    receiver = Receiver()
    header, chunks = parts("a", b"x" * 300, 256)
    other, others = parts("a", b"y" * 300, 256)
    assert receiver.take("pond", header) is receiver.take("museum", other) is None
    assert receiver.take("pond", chunks[0]) is receiver.take("museum", others[1]) is None
    assert receiver.take("museum", others[0]) == b"y" * 300
    assert receiver.take("pond", chunks[1]) == b"x" * 300


def test_a_wrong_sum_is_no_picture_and_all_of_it_is_asked_for() -> None:
    receiver = Receiver()
    header, chunks = parts("a", b"x" * 600, 256)
    receiver.take("pond", header._replace(digest=bytes(32)))
    assert [receiver.take("pond", chunk) for chunk in chunks] == [None] * 3
    assert receiver.missing("pond", "a") == "0-2"
    receiver.take("pond", header)
    assert [receiver.take("pond", chunk) for chunk in chunks][-1] == b"x" * 600


def test_chunks_that_do_not_fit_are_not_taken() -> None:
    receiver = Receiver()
    header, chunks = parts("a", b"x" * 600, 256)
    receiver.take("pond", Chunk("a", 1, b"short"))
    receiver.take("pond", Chunk("a", 9, b"y" * 256))
    receiver.take("pond", header)
    receiver.take("pond", Chunk("a", 2, b"z" * 256))
    receiver.take("pond", Chunk("a", 4095, b"z" * 256))
    assert receiver.missing("pond", "a") == "0-2" and receiver.size == 0
    assert [receiver.take("pond", chunk) for chunk in chunks][-1] == b"x" * 600


def test_memory_is_bounded_whatever_comes(seed: int) -> None:
    rng, receiver = random.Random(seed), Receiver()
    data, most = bytes(2048), 0
    for number in range(120_000):
        board = f"b{rng.randrange(30)}"
        name = f"p{rng.randrange(4)}"
        receiver.take(board, Chunk(name, rng.randrange(image.CHUNKS), data))
        if number % 500 == 0:
            most = max(most, receiver.size)
            assert receiver.size <= images.OPEN_BYTES + 2048
    assert most > images.OPEN_BYTES // 2  # it came to that
    assert len(receiver) <= 30 * images.OPEN_PER_BOARD


def test_one_picture_is_bounded_and_the_last_ones_of_a_board_stay() -> None:
    receiver = Receiver()
    for index in range(image.CHUNKS):
        receiver.take("pond", Chunk("a", index, bytes(2048)))
    assert IMAGE_BYTES <= receiver.size < IMAGE_BYTES + 2048
    for name in "bcdefgh":
        receiver.take("pond", Chunk(name, 0, b"x"))
    assert len(receiver) == images.OPEN_PER_BOARD and receiver.size < 10


def test_files_are_whole_and_in_their_boards_folder(tmp_path: Path) -> None:
    album = Album(tmp_path / "images")
    album.keep("pond", "a-1", b"one")
    album.keep("pond", "a-1", b"two")
    album.keep("museum", "a-1", b"three")
    found = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.*")}
    assert found == {"images/pond/a-1.jpg": b"two", "images/museum/a-1.jpg": b"three"}
    assert (tmp_path / "images/pond").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", [EmbeddedBroker, MosquittoBroker])
def test_a_picture_comes_over_the_broker_and_lies_in_its_folder(
    tmp_path: Path, kind: type[EmbeddedBroker] | type[MosquittoBroker]
) -> None:
    data = random.Random(1).randbytes(5000)
    header, chunks = parts("first", data)
    station = Station(tmp_path, kind)
    try:
        where = topic("pond", IMAGE)
        station.board.publish(where, b"AB\x01\x00 nonsense")
        station.board.publish(where, image.encode_header(header, bytes(32)))
        for chunk in reversed(chunks):
            station.board.publish(where, encoded(chunk, station))
        station.board.publish(where, image.encode_header(header, station.key))
        place = station.images / "pond" / "first.jpg"
        assert eventually(place.exists) and place.read_bytes() == data
        assert station.backend.health()["refused"] == {"bad_signature": 2}
        assert finished_feed(station)
    finally:
        station.close()


def test_a_disk_that_is_full_costs_the_picture_and_nothing_else(tmp_path: Path) -> None:
    station = Station(tmp_path, EmbeddedBroker)
    try:
        station.images.write_text("a file where the folder should be")
        header, chunks = parts("first", b"x" * 2000)
        for said in (
            image.encode_header(header, station.key),
            *(encoded(chunk, station) for chunk in chunks),
        ):
            station.board.publish(topic("pond", IMAGE), said)
        eventually(lambda: station.backend.health()["refused"] == {"storage": 1})
        assert finished_feed(station)
    finally:
        station.close()


def finished_feed(station: Station) -> bool:
    """Whether a command still comes to its end."""
    posted = station.feed()
    station.answer(station.next_command(), "accepted", "completed")
    return bool(eventually(lambda: station.backend.command(posted["id"])["status"] == "COMPLETED"))
