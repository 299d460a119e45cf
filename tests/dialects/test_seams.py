"""Boards of other dialects where parts meet: sites, newcomers, wake times, links, retirement."""

from typing import Any

import pytest

from backend.brokers.listening import Heard
from backend.database.models import Board, Site
from backend.delivery.core import Batch
from backend.fleet import boards, downtime, newcomers, sites
from backend.fleet.provisioning import Mapping, Retirement
from tests.dialects.conftest import MAC, START, Hall

CAM = f"ESP32CAM/{MAC}"
HOUR = 3600


def done(hall: Hall, task: Any) -> Any:
    """What a task says."""
    hall.apply(Batch([], [], [], [("me", task)]))
    return hall.out.tasks[0][1]


def room(hall: Hall, *names: str) -> None:
    """More boards that have the light of room1, made known by another process."""
    for name in names:
        boards.enroll(name, START, dialect="museum", options={"targets": {"light": "room1/light"}})
    hall.apply(Batch([], [], [], look=True))


def say_far(hall: Hall, topic: str, payload: bytes) -> None:
    """Say something by the link of the site `far`."""
    heard = hall.core.ingest.read(topic, payload, "far")
    assert isinstance(heard, Heard)
    hall.apply(Batch([], [], [heard]))


@pytest.mark.parametrize("board_id", ["esp32_01", MAC])
def test_a_sites_settings_are_for_our_own_boards(hall: Hall, board_id: str) -> None:
    sites.create("s", {"settings": {"wifi-0-ssid": "x"}, "wake_cron": "0 9 * * *"}, START)
    assert done(hall, Mapping(board_id, "s", "ann", sleeps=True))["queued"] == []
    done(hall, sites.Change("s", {"wake_cron": "0 10 * * *"}))
    assert hall.words() == []


def test_what_a_dialect_has_no_word_for_ends_no_backend(hall: Hall) -> None:
    hall.say("devices/esp32_01/status", "online")
    row = hall.post("esp32_01", "switch", "light", state="on")
    hall.database.execute_sql("UPDATE command SET command_type = 'set_wake_schedule'")
    hall.at(10).tick()
    assert hall.stands(row) == ("UNKNOWN", "unanswered")


def test_a_cam_is_told_its_sites_next_wake_at_each_wake(hall: Hall) -> None:
    sites.create("s", {"wake_cron": "0 9,12 * * *"}, START)
    done(hall, Mapping(MAC, "s", "ann", sleeps=True))
    told = [hall.at(s).say(f"{CAM}/status", {"status": "alive"}) for s in (0, HOUR + 10)]
    assert told == [
        [[f"{CAM}/ack", {"ACK_OK": {"next_wake_time": at}}]] for at in ("9:00AM", "12:00PM")
    ]


def test_one_that_another_process_has_just_enrolled_is_no_newcomer(hall: Hall) -> None:
    boards.enroll("b9", START)
    hall.say("devices/b9/status", {"status": "online"})
    row = Board.get_by_id("b9")
    assert (row.state, row.claims) == ("active", "{}")


def test_a_stranger_that_has_to_make_room_leaves_nothing_behind(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "PENDING_MAX", 2)
    for second in (0, 1, 30):
        hall.at(second).say("ESP32CAM/0000000000A0/status", {"status": "alive", "pendingImg": 5})
    for one in "123":
        hall.say(f"ESP32CAM/0000000000A{one}/status", {"status": "alive"})
    assert hall.core.roster.get("0000000000A0") is None
    for second in range(31, 120, 5):
        assert hall.at(second).tick() == []
    assert len(hall.core.ingest.foreign.dialogues) == 0


def test_a_stranger_keeps_its_place_by_its_hellos(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "PENDING_MAX", 2)
    for minute, one in enumerate("ABACA"):
        hall.at(70 * minute).say(f"ESP32CAM/0000000000A{one}/status", {"status": "alive"})
    assert hall.core.roster.get("0000000000AA") is not None
    assert hall.core.roster.get("0000000000AB") is None


def test_a_retired_board_takes_no_answers_from_its_successor(hall: Hall) -> None:
    room(hall, "a_old", "b_new")
    for old in ("a_old", "esp32_01"):
        done(hall, Retirement(old, "ann"))
    hall.say("devices/b_new/status", "online")
    row = hall.post("b_new", "switch", "light", state="on")
    hall.say("room1/light/feedback", "OK")
    assert hall.stands(row) == ("COMPLETED", None)


def test_rooms_of_the_same_name_at_two_brokers_are_two(hall: Hall) -> None:
    room(hall, "b_far")
    Board.update(site="far", revision=boards.revision() + 1).where(Board.id == "b_far").execute()
    hall.core.roster.route(frozenset({"far"}), hall.now)
    hall.core.roster.listen(hall.now, "far")
    hall.apply(Batch([], [], [], look=True))
    hall.say("devices/esp32_01/status", "online")
    near = hall.post("esp32_01", "switch", "light", state="on")
    say_far(hall, "devices/b_far/status", b"online")
    far = hall.post("b_far", "switch", "light", state="on")
    hall.say("room1/light/feedback", "OK")
    assert (hall.stands(near)[0], hall.stands(far)[0]) == ("COMPLETED", "SENT")
    say_far(hall, "room1/light/feedback", b"OK")
    assert hall.stands(far)[0] == "COMPLETED"


def test_pictures_that_had_to_make_room_are_not_remembered(hall: Hall) -> None:
    hall.say(f"{CAM}/status", {"status": "alive"})
    about = {"image_size": 100, "max_chunks_size": 10, "total_chunk_count": 10}
    for number in range(8):
        hall.say(f"{CAM}/data", {"image_name": f"{number}.jpg", **about})
    assert hall.core.ingest.foreign.dialogues._images.dropped == []


def test_a_cam_that_sleeps_nobody_knows_until_when_is_not_missed_by_a_new_link(
    hall: Hall,
) -> None:
    Board.update(sleeps=True).where(Board.id == MAC).execute()
    hall.restart()
    hall.say(f"{CAM}/status", {"status": "alive", "firmware_version": "7"})
    hall.core.roster.listen(None)
    hall.core.roster.listen(hall.at(60).now)
    hall.at(120).tick()
    assert (hall.online(MAC), downtime.find(MAC, 9)) == (False, [])


def test_nothing_turns_while_there_is_nothing_to_do(hall: Hall) -> None:
    """Each turn moves what is due to later: a minute takes a few turns, and no busy loop."""
    sites.create("s", {"wake_cron": "0 9 * * *"}, START)
    done(hall, Mapping(MAC, "s", "ann", sleeps=True))
    for topic, said in ((f"{CAM}/status", {"status": "alive", "pendingImg": 2}), ("x/y", "z")):
        hall.say(topic, said)
    hall.say("devices/esp32_01/status", "online")
    hall.say("ESP32CAM/0000000000AA/status", {"status": "alive"})
    hall.post("esp32_01", "switch", "light", state="on")
    hall.core.clock_set(-7_200_000, hall.at(-7200).now)
    turns, end = 0, hall.now + 3_600_000
    while (due := hall.core.next_due()) is not None and due <= end:
        turns, hall.now = turns + 1, max(hall.now, due)
        hall.tick()
        assert turns < 100
    assert turns > 3


@pytest.mark.parametrize("wrong", [{"timezone": "Mars/Base"}, {"wake_cron": "never"}])
def test_a_site_whose_wake_times_are_none_ends_nothing(hall: Hall, wrong: dict[str, str]) -> None:
    sites.create("s", {"wake_cron": "0 9 * * *"}, START)
    done(hall, Mapping(MAC, "s", "ann", sleeps=True))
    Site.update(wrong).execute()  # as another system, or a hand in the database, leaves it
    told = hall.at(HOUR + 10).say(f"{CAM}/status", {"status": "alive"})
    assert told == [[f"{CAM}/ack", {"ACK_OK": True}]]
