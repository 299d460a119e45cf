"""A board that wakes, is told what to do, sends its pictures with chunks missing, and sleeps."""

import base64
import random
from typing import Any

import pytest

from backend.database.models import PENDING_MAPPING, Board
from tests.dialects.conftest import MAC, START, Hall

CMD, ACK = f"ESP32CAM/{MAC}/cmd", f"ESP32CAM/{MAC}/ack"
STATUS, DATA = f"ESP32CAM/{MAC}/status", f"ESP32CAM/{MAC}/data"
CHUNK = 100
PICTURE = b"\xff\xd8\xff" + random.Random(2).randbytes(1234)
COUNT = -(-len(PICTURE) // CHUNK)
ALL = [CMD, {"send_all_pending": True}]


def hello(hall: Hall, pending: int = 0) -> Any:
    return hall.say(STATUS, {"device_id": MAC, "status": "Alive", "pendingImg": pending})


def metadata(hall: Hall, name: str = "image_1.jpg", **more: Any) -> Any:
    said = {"image_name": name, "image_size": len(PICTURE), "max_chunks_size": CHUNK,
            "total_chunk_count": COUNT, "timestamp": "2027-01-15T08:00:00Z", **more}  # fmt: skip
    return hall.say(DATA, said)


def chunk(hall: Hall, index: int, name: str = "image_1.jpg") -> Any:
    data = base64.b64encode(PICTURE[index * CHUNK : (index + 1) * CHUNK]).decode()
    return hall.say(DATA, {"image_name": name, "chunk_id": index, "payload": data})


def chunks(hall: Hall, indexes: Any = range(COUNT), name: str = "image_1.jpg") -> Any:
    """What is said after the last of them."""
    return [chunk(hall, index, name) for index in indexes][-1]


def capture(hall: Hall) -> Any:
    """A capture that has been sent in a wake that has just begun."""
    row = hall.post(MAC, "capture_image")
    assert hall.words() == []
    assert hello(hall) == [[CMD, {"capture_image": True}]]
    return row


def test_a_wake_from_hello_to_sleep(hall: Hall) -> None:
    Board.update(next_wake_at=START + 34_200_000).where(Board.id == MAC).execute()
    row = capture(hall)
    assert metadata(hall, temperature=21.5) == [[CMD, {"send_image": "image_1.jpg"}]]
    assert hall.stands(row) == ("COMPLETED", None)
    last = chunks(hall)
    (kept,) = hall.out.pictures
    assert kept[:3] == (MAC, "image_1-20270115T080000Z", PICTURE)
    assert kept.readings == {"temperature": (21.5, "°C")}
    told = {"ACK_OK": {"next_wake_time": "5:30PM"}, "image_name": "image_1.jpg"}
    assert last == [[ACK, told]]
    board = hall.core.roster.get(MAC)
    assert board and (board.online, board.asleep_until) == (False, START + 34_200_000)
    assert board.sensors["temperature"].value == 21.5
    assert len(hall.core.ingest.foreign.dialogues) == 0


def test_what_it_has_kept_comes_first(hall: Hall) -> None:
    hall.post(MAC, "capture_image")
    assert hello(hall, pending=2) == [ALL]
    for name in ("a.jpg", "b.jpg"):
        assert metadata(hall, name) == []
        last = chunks(hall, name=name)
        assert last[0] == [ACK, {"ACK_OK": True, "image_name": name}]
    assert last[1:] == [[CMD, {"capture_image": True}]]


def test_missing_chunks_are_asked_for_and_held_ones_dropped(hall: Hall) -> None:
    capture(hall)
    metadata(hall)
    chunks(hall, [i for i in range(COUNT) if i not in (4, 9)])
    assert hall.at(14).tick() == []
    assert hall.at(15).tick() == [[CMD, {"send_image": "image_1.jpg"}]]
    metadata(hall)  # it begins anew, and this says the same
    chunks(hall)
    assert hall.stands(hall.post(MAC, "ping"))[0] == "PENDING"  # it sleeps again
    assert hall.core.refused["unwanted_chunk"] == COUNT - 10  # what follows the last one missing
    assert hall.online(MAC) is False


def test_those_it_has_kept_are_repaired_when_all_have_come(hall: Hall) -> None:
    hello(hall, pending=2)
    for name in ("a.jpg", "b.jpg"):
        metadata(hall, name)
        chunks(hall, range(COUNT - 1), name)
    for second, name in ((15, "a.jpg"), (30, "b.jpg")):
        assert hall.at(second).tick() == [[CMD, {"send_image": name}]]
        last = chunk(hall, COUNT - 1, name)
        assert last[0] == [ACK, {"ACK_OK": True, "image_name": name}]
        assert hall.out.pictures[0][2] == PICTURE


def test_boards_that_can_are_asked_for_the_numbers(hall: Hall) -> None:
    board = hall.core.roster.get(MAC)
    assert board
    board.options = {"missing_chunks": True}
    capture(hall)
    metadata(hall)
    chunks(hall, [i for i in range(COUNT) if i not in (4, 9)])
    asked = {"device_id": MAC, "image_name": "image_1.jpg", "missing_chunks": [4, 9]}
    assert hall.at(15).tick() == [[ACK, asked]]


def test_after_three_requests_what_came_is_kept_as_incomplete(hall: Hall) -> None:
    row = hall.post(MAC, "send_image", image_id="image_1.jpg")
    hello(hall)
    metadata(hall)
    chunks(hall, range(COUNT - 1))
    for second in (15, 30, 45):
        assert hall.at(second).tick() == [[CMD, {"send_image": "image_1.jpg"}]]
        hall.say(ACK, {"command_ack": "acknowledged"})  # it is there, and sends nothing
    hall.at(60).tick()
    ((_, name, kept, _, parts, _),) = hall.out.pictures
    assert parts == COUNT - 1
    assert name == "image_1-20270115T080000Z-incomplete"
    assert kept[: (COUNT - 1) * CHUNK] == PICTURE[: (COUNT - 1) * CHUNK]
    assert hall.stands(row) == ("FAILED", "incomplete")


def test_no_chunk_at_all_is_asked_for_too(hall: Hall) -> None:
    capture(hall)
    metadata(hall)
    hall.at(2).tick()  # its topics are noted
    assert hall.core.next_due() == START + 15_000
    assert hall.at(15).tick() == [[CMD, {"send_image": "image_1.jpg"}]]


def test_a_capture_is_never_sent_twice(hall: Hall) -> None:
    row = capture(hall)
    hello(hall)  # again, since it has not heard us
    assert hall.words() == []
    hall.at(30).tick()
    assert hall.stands(row) == ("UNKNOWN", "unanswered")
    assert hall.words()[-1] == [ACK, {"ACK_OK": True}]


def test_a_failed_capture_is_told(hall: Hall) -> None:
    row = capture(hall)
    metadata(hall, error=3)
    assert hall.stands(row) == ("FAILED", "hardware")


def test_two_captures_in_one_wake_and_half_a_minute_apart(hall: Hall) -> None:
    rows = [hall.post(MAC, "capture_image") for _ in range(3)]
    hello(hall)
    metadata(hall)
    chunks(hall)
    assert hall.words() == [[ACK, {"ACK_OK": True, "image_name": "image_1.jpg"}]]
    assert [hall.stands(row)[0] for row in rows] == ["COMPLETED", "PENDING", "PENDING"]
    assert hall.at(30).tick() == [[CMD, {"capture_image": True}]]
    metadata(hall, "image_2.jpg")
    assert chunks(hall, name="image_2.jpg") == [
        [ACK, {"ACK_OK": True, "image_name": "image_2.jpg"}]
    ]
    assert hall.stands(rows[2])[0] == "PENDING"  # for its next wake
    assert hall.online(MAC) is False


def test_a_board_that_falls_silent_has_left(hall: Hall) -> None:
    capture(hall)
    metadata(hall)
    chunks(hall, range(3))
    for second in (15, 30, 45, 60):
        hall.at(second).tick()
    (kept,) = hall.out.pictures
    hall.tick()  # it has its row
    assert kept.image_id.endswith("-incomplete") and hall.online(MAC) is False
    assert (hall.core.next_due() or hall.now + 1) > hall.now


def test_what_is_hardly_ever_answered_says_so(hall: Hall) -> None:
    restart = hall.post(MAC, "restart")
    hello(hall)
    hall.at(10).tick()
    assert hall.stands(restart) == ("UNKNOWN", "no_answer_possible")
    ping = hall.at(20).post(MAC, "ping")
    hello(hall)
    hall.say(ACK, {"command_ack": {"type": "ping", "status": "success"}})
    assert hall.stands(ping) == ("COMPLETED", None)


def test_the_schedule_it_was_just_sent_is_the_one_it_goes_to_sleep_with(hall: Hall) -> None:
    hall.post(MAC, "set_wake_schedule", seconds=3600)
    assert hello(hall) == [[CMD, {"next_wake": "9:00AM"}]]
    last = hall.say(ACK, {"command_ack": {"status": "ok"}})
    assert last == [[ACK, {"ACK_OK": {"next_wake_time": "9:00AM"}}]]


def test_commands_wait_a_day_for_the_next_wake(hall: Hall) -> None:
    row = hall.post(MAC, "capture_image")
    hall.at(86_000).tick()
    assert hall.stands(row)[0] == "PENDING"
    hall.at(86_400).tick()
    assert hall.stands(row) == ("EXPIRED", "expired")


def test_an_unknown_board_announces_itself_and_is_not_spoken_to(hall: Hall) -> None:
    other = "0123456789AB"
    assert hall.say(f"device/{other}/status", {"status": "Alive", "pendingImg": 2}) == []
    row = Board.get_by_id(other)
    assert (row.state, row.dialect) == (PENDING_MAPPING, "esp32cam")
    assert hall.say(f"device/{other}/status", {"status": "Alive", "pendingImg": 2}) == []
    assert hall.say(f"device/{other}/data", {"temperature": 3}) == []


@pytest.mark.parametrize("seed", range(8))
def test_a_picture_arrives_whatever_is_lost_doubled_or_late(hall: Hall, seed: int) -> None:
    rng = random.Random(seed)
    capture(hall)
    metadata(hall)
    second, pictures = 0, []
    for _ in range(4):
        order = [i for i in range(COUNT) if rng.random() > 0.1] * 2
        for index in rng.sample(order, len(order)):
            chunk(hall, index)
            pictures += hall.out.pictures
        second += 15
        if pictures or not any("send_image" in words[1] for words in hall.at(second).tick()):
            break
    assert [one.data for one in pictures] == [PICTURE]
