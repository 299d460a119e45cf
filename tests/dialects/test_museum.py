"""Commands to boards that answer by topic: matched, timed, repeated, and honest about guessing."""

import pytest

from backend.errors import Conflict, Invalid
from tests.dialects.conftest import START, Hall

BOARD = "esp32_01"
STATUS = f"devices/{BOARD}/status"
GUESS = {"correlation": "by topic: this dialect has no command ids"}


@pytest.fixture
def room(hall: Hall) -> Hall:
    hall.say(STATUS, "online")
    return hall


def test_the_flow_of_a_scene(room: Hall) -> None:
    light = room.post(BOARD, "switch", "light", state="on")
    assert room.words() == [["room1/light", "ON"]]
    room.at(0.2).say("room1/status", "OK")
    steam = room.at(5).post(BOARD, "switch", "steam", state="on")
    room.at(5.2).say("room1/steam/feedback", "ERROR")
    assert room.stands(light) == ("COMPLETED", None)
    assert room.stands(steam) == ("FAILED", "hardware")
    assert room.history(light) == [
        ("PENDING", {}),
        ("SENT", {"attempt": 1, **GUESS}),
        ("COMPLETED", {**GUESS, "topic": "room1/status"}),
    ]


def test_presence_is_the_last_will_and_not_silence(room: Hall) -> None:
    assert room.online(BOARD) is True
    room.at(3600).tick()
    assert room.online(BOARD) is True
    room.say(STATUS, "offline")
    assert room.online(BOARD) is False
    row = room.post(BOARD, "switch", "light", state="on")
    assert room.words() == []
    assert room.say(STATUS, "online") == [["room1/light", "ON"]]
    assert room.stands(row) == ("SENT", None)


def test_silence_is_an_open_question_after_harmless_repeats(room: Hall) -> None:
    row = room.post(BOARD, "switch", "light", state="on")
    for second in (2, 4):
        assert room.at(second).tick() == [["room1/light", "ON"]]
    assert room.at(6).tick() == []
    assert room.stands(row) == ("UNKNOWN", "unanswered")
    assert (room.core.next_due() or START + 60_000) > START + 10_000
    room.say(STATUS, "offline")
    assert room.say(STATUS, "online") == []  # nobody can be asked, so nobody is
    room.say("room1/light/feedback", "OK")  # too late to say whose it is
    assert room.stands(row) == ("UNKNOWN", "unanswered")
    assert room.core.refused["unexpected_answer"] == 1


def test_a_second_command_of_a_target_waits_for_the_first(room: Hall) -> None:
    first = room.post(BOARD, "motor", "motor1", action="start", speed=50)
    second = room.post(BOARD, "motor", "motor1", action="speed", speed=70)
    assert room.words() == []
    assert room.say("room1/motor1/feedback", "OK") == [["room1/motor1", "SPEED:70"]]
    assert (room.stands(first)[0], room.stands(second)[0]) == ("COMPLETED", "SENT")


def test_an_answer_that_may_be_of_two_proves_nothing(room: Hall) -> None:
    rows = [room.post(BOARD, "switch", name, state="on") for name in ("light", "steam")]
    room.say("room1/status", "OK")
    assert [room.stands(row)[0] for row in rows] == ["SENT", "SENT"]
    assert room.core.refused["ambiguous_answer"] == 1
    room.say("room1/light/feedback", "OK")
    room.say(STATUS, "OK")  # now there is only one it can be of
    assert [room.stands(row)[0] for row in rows] == ["COMPLETED", "COMPLETED"]


def test_a_stop_overtakes_and_says_that_nothing_is_known_of_the_first(room: Hall) -> None:
    first = room.post(BOARD, "motor", "motor1", action="start", speed=50)
    stop = room.post(BOARD, "motor", "motor1", action="stop")
    assert room.words() == [["room1/motor1", "OFF"]]
    assert room.stands(first) == ("UNKNOWN", "superseded")
    room.say("room1/motor1/feedback", "OK")
    assert room.stands(stop) == ("COMPLETED", None)


def test_an_emergency_stop_is_never_answered_and_says_so(room: Hall) -> None:
    row = room.post(BOARD, "emergency_stop")
    assert room.words() == [["room1/STOP", "STOP"]]
    assert room.tick() == []
    assert room.stands(row) == ("UNKNOWN", "no_answer_possible")
    room.post(BOARD, "switch", "light", state="on")  # nothing holds
    assert room.words() == [["room1/light", "ON"]]


def test_our_own_words_are_no_failures(room: Hall) -> None:
    for topic in (
        "room1/light",
        "room1/STOP",
        "devices/pond/commands",
        "ESP32CAM/0123456789AB/cmd",
    ):
        assert room.say(topic, "ON") == []
    assert not room.core.refused


def test_what_was_sent_cannot_be_called_back(room: Hall) -> None:
    row = room.post(BOARD, "switch", "light", state="on")
    waiting = room.post(BOARD, "switch", "light", state="on")
    refusal = room.cancel(row)
    assert isinstance(refusal, Conflict) and refusal.code == "no_cancel"
    room.cancel(waiting)
    assert (room.stands(row)[0], room.stands(waiting)[0]) == ("SENT", "CANCELLED")


def test_a_restart_takes_what_was_sent_up_again(room: Hall) -> None:
    row = room.post(BOARD, "switch", "light", state="on")
    room.at(1).restart()
    room.say(STATUS, "online")
    room.say("room1/light/feedback", "OK")
    assert room.stands(row) == ("COMPLETED", None)


def test_what_it_has_no_word_for_is_refused_by_name(room: Hall) -> None:
    with pytest.raises(Invalid, match="museum boards understand") as why:
        room.post(BOARD, "feed", "light", amount=5)
    assert why.value.field == "command_type"
