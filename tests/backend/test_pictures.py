"""Pictures that are not whole: asked for by the backend itself, and kept over its restart."""

import random
from typing import Any

import pytest
from protocol import image
from protocol.image_reading import Chunk, Header

from backend.database.models import Picture, PictureChunk
from backend.delivery import commands
from backend.delivery.core import Batch
from backend.delivery.work import Outcome
from backend.gallery import images, pictures
from tests.backend.conftest import Desk
from tests.backend.test_images import parts

DATA = random.Random(7).randbytes(5000)
HEADER, CHUNKS = parts("p", DATA)  # 5 chunks


def sends(desk: Desk, *said: Header | Chunk) -> Outcome:
    """The board sends parts of a picture."""
    board = desk.core.roster.get("pond")
    assert board is not None
    heard = []
    for one in said:
        if isinstance(one, Header):
            data = image.encode_header(one, board.key)
        else:
            data = image.encode_chunk(one.image_id, one.index, one.data, board.key)
        heard.append(desk.core.ingest.read("devices/pond/data/image", data))
    assert None not in heard
    desk.out = desk.core.apply(Batch([], [], heard), desk.now)  # type: ignore[arg-type]
    return desk.out


def asked(desk: Desk) -> list[dict[str, Any]]:
    """The parameters of what the last step has asked the board for."""
    said = [message for _, message in desk.out.publish]
    return [one["parameters"] for one in said if one["command_type"] == "send_image"]


def whole(desk: Desk) -> list[bytes]:
    return [one.data for one in desk.out.pictures]


def shown(desk: Desk) -> Any:
    board = desk.core.roster.get("pond")
    assert board is not None
    return board.pictures


def refuse_all(desk: Desk, error: str = "storage") -> None:
    """The board refuses what it was asked."""
    for row in commands.find(command_type="send_image"):
        if row["status"] == "SENT":
            desk.ack(row, "rejected", error)


def test_what_is_missing_is_asked_for_and_completes_it(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, CHUNKS[0], CHUNKS[3])
    desk.at(14.9).tick()
    assert asked(desk) == []
    desk.at(15).tick()
    assert asked(desk) == [{"image_id": "p", "missing": "1-2,4"}]
    (row,) = commands.find(command_type="send_image")
    assert (row["user"], row["status"]) == ("system", "SENT") and row["reason"]
    assert [step["actor"] for step in commands.get(row["id"])["history"]][0] == "system"
    assert shown(desk) == {"p": {"parts": 2, "of": 5, "asked": 1, "waiting": True}}
    assert whole(desk) == [] and Picture.select().count() == 1
    sends(desk, CHUNKS[1], CHUNKS[2], CHUNKS[4])
    assert whole(desk) == [DATA] and shown(desk) == {}
    desk.at(300).tick()
    assert asked(desk) == [] and PictureChunk.select().count() == Picture.select().count() == 0


def test_the_idle_time_is_a_setting_and_begins_with_each_new_chunk(desk: Desk) -> None:
    desk.core = type(desk.core)(desk.rng, image_idle_s=2)
    desk.core.roster.listen(desk.now)
    desk.startup()
    sends(desk, HEADER, CHUNKS[0])
    sends(desk.at(1.5), CHUNKS[1])
    sends(desk.at(3), CHUNKS[1])  # a copy is nothing new
    assert asked(desk) == [] and desk.core.next_due() == desk.now + 500
    assert asked(desk) == [] and desk.at(3.5).tick() and asked(desk)


def test_it_is_asked_for_three_times_and_again_after_the_next_start(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, CHUNKS[0])
    count = 0
    for seconds in range(0, 200, 5):
        desk.at(seconds).heartbeat()
        count += len(asked(desk))
        refuse_all(desk)
    assert count == 3 and shown(desk) == {"p": {"parts": 1, "of": 5, "asked": 3, "waiting": False}}
    desk.startup("b2")
    assert asked(desk) == [{"image_id": "p", "missing": "1-4"}]


def test_a_board_that_is_busy_is_asked_again_later_and_that_counts_for_nothing(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, CHUNKS[0])
    desk.at(15).tick()
    times = []
    for seconds in range(20, 320, 5):
        refuse_all(desk, "busy")
        desk.at(seconds).heartbeat()
        times += [seconds] * len(asked(desk))
    assert times == [75, 135, 195, 255, 315]
    assert shown(desk)["p"]["waiting"] is True
    refuse_all(desk)
    desk.restart()
    desk.startup("b2")
    assert asked(desk) == [{"image_id": "p", "missing": "1-4"}]


def test_one_that_is_being_sent_is_not_asked_for_again(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER)
    desk.at(15).tick()
    (row,) = commands.find(command_type="send_image")
    desk.ack(row, "accepted", within=100)
    for seconds in range(20, 100, 5):
        desk.at(seconds).heartbeat()
        assert asked(desk) == []


def test_nothing_is_asked_while_the_board_is_away(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, CHUNKS[0])
    desk.status("offline")
    desk.at(400).tick()
    assert asked(desk) == [] and commands.find(command_type="send_image") == []
    desk.startup("b2")
    assert len(asked(desk)) == 1


@pytest.mark.parametrize("header", [True, False])
def test_a_restart_of_the_backend_loses_nothing(desk: Desk, header: bool) -> None:
    desk.startup()
    sends(desk, *([HEADER] if header else []), CHUNKS[4], CHUNKS[0])
    desk.restart()
    assert shown(desk)["p"]["parts"] == 2
    desk.startup("b2")
    missing = {"missing": "1-3"} if header else {}
    assert asked(desk) == [{"image_id": "p", **missing}]
    sends(desk, HEADER, *CHUNKS[1:4])
    assert whole(desk) == [DATA]


def test_what_the_board_does_not_have_is_never_asked_for_again(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, CHUNKS[0])
    desk.at(15).tick()
    refuse_all(desk, "bad_parameter")
    desk.restart()
    desk.startup("b2")
    desk.at(60).heartbeat("b2")
    assert asked(desk) == []


def test_copies_of_a_picture_that_is_here_are_not_asked_for(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, *CHUNKS)
    sends(desk, HEADER, CHUNKS[2])
    desk.at(15).tick()
    assert asked(desk) == [] and shown(desk) == {} and Picture.select().count() == 0
    desk.restart()
    sends(desk, CHUNKS[3])  # the backend was killed before it could acknowledge this one
    desk.startup()
    desk.at(30).tick()
    assert asked(desk) == [] and shown(desk) == {} and Picture.select().count() == 0
    other, others = parts("p", DATA[::-1])  # the board has begun to count anew
    sends(desk, other, *others[:4])
    desk.at(45).tick()
    assert asked(desk) == [{"image_id": "p", "missing": "4"}]


def test_one_that_could_not_be_stored_is_asked_for(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, *CHUNKS)
    desk.core.parts.gallery.unsettled(("pond", "p"))
    sends(desk, HEADER)
    desk.at(15).tick()
    assert asked(desk) == [{"image_id": "p"}]


def test_rows_are_there_until_the_file_is(desk: Desk) -> None:
    desk.startup()
    sends(desk, HEADER, *CHUNKS[:4])
    sends(desk, CHUNKS[4])  # committed, and the program dies before it could write the file
    desk.restart()
    sends(desk, CHUNKS[4])  # it was not acknowledged
    assert whole(desk) == [DATA]


def test_table_and_memory_have_the_same_bounds(desk: Desk) -> None:
    desk.startup()
    for name in "abcdef":
        header, chunks = parts(name, DATA)
        sends(desk, header, *chunks[:2])
    assert {row.image_id for row in Picture.select()} == set("cdef") == set(shown(desk))
    assert PictureChunk.select().count() == 2 * images.OPEN_PER_BOARD
    desk.restart()
    assert set(shown(desk)) == set("cdef")
    desk.at(pictures.KEPT_MS / 1000).tick()
    assert PictureChunk.select().count() == 0 == Picture.select().count()
    assert len(desk.core.pictures.receiver) == 0


def test_how_many_are_open_in_all_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "OPEN_MAX", 5)
    receiver = images.Receiver()
    for number in range(9):
        receiver.take(f"board{number}", CHUNKS[0])
    assert len(receiver) == 5 and len(receiver.dropped) == 4


def test_parts_that_do_not_fit_the_sum_are_dropped_on_disk_too(desk: Desk) -> None:
    desk.startup()
    wrong = HEADER._replace(digest=bytes(32))
    sends(desk, wrong, *CHUNKS)
    assert whole(desk) == [] and PictureChunk.select().count() == 0
    desk.at(15).tick()
    assert asked(desk) == [{"image_id": "p"}]
