"""Rows and files of pictures: in step, whenever the backend dies; and never too many."""

import hashlib
import os
import pickle

import pytest

from backend.database.models import PictureChunk, database
from backend.errors import NotFound
from backend.gallery import keeping, rows
from backend.gallery.bounds import Bounds, read
from backend.gallery.keeping import Remove
from backend.people import audit
from tests.backend.conftest import START
from tests.gallery.conftest import SEEN, TAKEN, Darkroom, parts

DAY = 86_400


def test_a_row_tells_all_that_is_known_once_the_file_is_there(room: Darkroom) -> None:
    taken = room.post("capture_image", "")
    room.ack(taken, "completed", image_id=taken["id"])
    room.sends(*parts(taken["id"], SEEN))
    assert rows.find("pond", None, 9) == [] and room.news() == []
    assert room.core.next_due() == 0  # its row is written at once
    room.develop()
    room.tick()
    (row,) = rows.find("pond", None, 9)
    (told,) = room.news()
    assert told["image_id"] == taken["id"] and not told["gone"]
    assert (row["taken_at"], row["received_at"]) == (TAKEN * 1000, room.now) and row["whole"]
    assert row["at"] == TAKEN * 1000 and row["command_id"] == taken["id"]
    assert (row["width"], row["height"], row["size"]) == (160, 120, len(SEEN))
    assert row["sha256"] == hashlib.sha256(SEEN).hexdigest()
    assert row["parts"] == row["of"] == len(parts("x", SEEN)) - 1
    assert room.names() == {taken["id"]} and PictureChunk.select().count() == 0
    assert (room.core.next_due() or room.now + 1) > room.now


@pytest.mark.parametrize("captured", [0, START // 1000 + DAY])
def test_without_a_clock_that_can_be_right_the_time_is_that_of_arrival(
    room: Darkroom, captured: int
) -> None:
    row = room.arrives("p", captured=captured)
    assert (row["taken_at"], row["at"]) == (None, room.now)


@pytest.mark.parametrize("step", ["before its file", "before its row"])
def test_one_that_comes_is_there_once_wherever_the_backend_dies(room: Darkroom, step: str) -> None:
    header, *chunks = parts("p", SEEN)
    room.sends(header, *chunks[:-1])
    room.sends(chunks[-1])
    if step == "before its row":
        room.develop()
    room.dies()
    assert room.names() == ({"p"} if step == "before its row" else set())
    room.sends(chunks[-1])  # it was not confirmed, or is asked for
    room.develop()
    room.tick()
    room.develop()
    assert room.names() == {"p"} and rows.get("pond", "p")["taken_at"] == TAKEN * 1000
    assert room.core.parts.gallery._count["pond"] == 1
    assert PictureChunk.select().count() == 0


@pytest.mark.parametrize("step", ["before the file goes", "before the row goes", "never"])
def test_one_that_was_deleted_does_not_come_back(room: Darkroom, step: str) -> None:
    room.arrives("p")
    room.arrives("q", SEEN[:-2])
    assert room.deletes("p") is None
    assert [told["image_id"] for told in room.news() if told["gone"]] == ["p"]
    with pytest.raises(NotFound):
        rows.get("pond", "p")
    if step != "before the file goes":
        room.develop()
    if step == "never":
        room.tick()
    else:
        room.dies()
    assert room.names() == {"q"}
    assert isinstance(room.deletes("p"), NotFound)
    (noted,) = audit.find(action="picture.delete")
    assert (noted["user"], noted["subject"], noted["detail"]) == ("ann", "pond", {"image": "p"})


def test_what_is_found_is_made_right(room: Darkroom) -> None:
    for name in ("whole", "lost", "other"):
        room.arrives(name)
    room.album.path("pond", "lost").unlink()
    room.album.path("pond", "other").write_bytes(SEEN + b"more")
    room.album.path("pond", "found").write_bytes(SEEN)
    os.utime(room.album.path("pond", "found"), (TAKEN, TAKEN))
    room.album.path("pond", "half").with_suffix(".new").write_bytes(b"x")
    room.album.thumbnail("pond", "gone").parent.mkdir(parents=True)
    room.album.thumbnail("pond", "gone").write_bytes(b"x")
    stranger = room.album.path("nobody", "p")
    stranger.parent.mkdir()
    stranger.write_bytes(SEEN)
    room.dies()
    assert room.names() == {"whole", "other", "found"}
    assert rows.get("pond", "other")["size"] == len(SEEN) + 4
    found = rows.get("pond", "found")
    assert (found["received_at"], found["taken_at"]) == (TAKEN * 1000, None)
    assert found["width"] == 160 and found["parts"] is None
    assert not room.album.thumbnail("pond", "gone").exists()
    assert not room.album.path("pond", "half").with_suffix(".new").exists()
    assert stranger.exists() and rows.held() == {"pond": (3, 3 * len(SEEN) + 4)}


def test_a_file_that_can_not_be_written_or_removed_is_told_of(room: Darkroom) -> None:
    room.sends(*parts("p", SEEN))
    room.core.parts.gallery.unsettled(("pond", "p"))
    room.tick()
    assert rows.of_board("pond") == []
    room.arrives("q")
    room.deletes("q")
    room.core.parts.gallery.unsettled(("pond", "q"))
    room.tick()
    assert [row["gone"] for row in rows.of_board("pond")] == [True]
    room.dies()
    assert room.names() == set()


@pytest.mark.parametrize(
    "bounds", [Bounds(board=3), Bounds(board_mb=3), Bounds(mb=3)], ids=["number", "board", "all"]
)
def test_the_oldest_go(room: Darkroom, bounds: Bounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_MB", len(SEEN))
    room.core.parts.gallery.bounds = bounds
    for number in range(6):
        room.at(number)
        room.arrives(f"p{number}", captured=TAKEN - number)
    room.tick()
    assert room.names() == {"p3", "p4", "p5"}
    room.dies(Bounds(board=1))
    assert room.names() == {"p5"}


def test_what_is_old_goes_but_not_because_a_clock_was_set(room: Darkroom) -> None:
    room.arrives("old")
    room.at(DAY)
    room.arrives("newer")
    room.dies()
    for number in range(3):  # it is set again and again
        room.core.clock_set(40 * DAY * 1000, room.at((40 + number) * DAY).now)
        room.tick()
        assert room.names() == {"old", "newer"}
    room.core.parts.gallery.bounds = Bounds(days=42)
    room.at(42 * DAY + 700).tick()
    room.develop()
    room.tick()
    assert room.names() == {"newer"}
    room.core.parts.gallery.bounds = Bounds(days=0)
    room.at(9000 * DAY).tick()
    assert room.names() == {"newer"}


def test_another_picture_under_the_same_id_takes_its_place(room: Darkroom) -> None:
    room.arrives("p")
    row = room.arrives("p", SEEN + b"other")
    assert room.names() == {"p"} and row["size"] == len(SEEN) + 5
    assert room.album.path("pond", "p").read_bytes() == SEEN + b"other"
    assert rows.held() == {"pond": (1, len(SEEN) + 5)}


@pytest.mark.parametrize("first", [True, False])
def test_it_is_deleted_while_another_one_takes_its_place(room: Darkroom, first: bool) -> None:
    room.arrives("p")
    if first:
        room.deletes("p")
        room.develop()
    room.sends(*parts("p", SEEN + b"other"))
    room.develop()
    if not first:
        room.deletes("p")
        room.develop()
    room.tick()
    assert room.names() == ({"p"} if first else set())
    assert room.core.parts.gallery._count["pond"] == len(room.names())


def test_a_hundred_a_day_are_all_there_page_by_page(room: Darkroom) -> None:
    whole = room.arrives("p")
    with database.atomic():
        for number in range(300):
            at = TAKEN * 1000 + number // 3 * 864_000  # three at the same time
            rows.put({**whole, "id": None, "image_id": f"s{number}", "at": at})
    found, before = [], None
    while page := rows.find("pond", before, 40):
        found += [(row["at"], row["id"]) for row in page]
        before = found[-1]
    assert len(found) == len(set(found)) == 301 and found == sorted(found, reverse=True)


def test_a_wish_to_delete_reaches_the_worker_from_a_process_of_its_own() -> None:
    wish = audit.Noted(Remove("pond", "p"), audit.Actor("ann"), "picture.delete", "pond")
    assert pickle.loads(pickle.dumps(wish)) == wish


def test_bounds_are_read_and_refused() -> None:
    assert read("PICTURES", "days=0, board=7") == Bounds(days=0, board=7)
    assert read("PICTURES", str(Bounds())) == Bounds()
    for text in ("", "days", "days=x", "mb=0", "weeks=1", "days=-1", "mb=1000000000"):
        with pytest.raises(ValueError, match="PICTURES: .* can't be read; use some of days=30"):
            read("PICTURES", text)
