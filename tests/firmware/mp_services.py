"""Commands that move nothing, and the emergency stop that holds."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from app.actuators import Fault  # noqa: E402
from mp_fakes import Board, Flash  # noqa: E402 (after the path is right)
from protocol import ProtocolError  # noqa: E402

FEED = ("feed", "feeder1", {"amount": 20})
ACCEPTED = ("accepted", None)
DONE = ("completed", None)
LATCHED = ("rejected", "latched")


def raiser(why):
    def start(command_id):
        raise why

    return start


def test_an_emergency_stop_holds_until_it_is_cleared():
    board = Board()
    board.say("a", *FEED)
    board.run(100)
    assert board.say("e", "emergency_stop") == [DONE, ("failed", "stopped")]
    assert board.say("b", *FEED) == [LATCHED]
    assert board.say("l", "switch", "light1", {"state": "on"}) == [LATCHED]
    assert board.say("p", "ping") == [DONE] and board.say("s", "stop") == [DONE]
    board.boot()
    assert board.dispatcher.latch.on
    assert board.say("c", *FEED) == [LATCHED]
    assert board.say("clear", "clear_stop") == [DONE]
    assert board.say("d", *FEED) == [ACCEPTED]
    board.run(3000)
    board.boot()
    assert board.say("f", *FEED) == [ACCEPTED]
    assert [pulse[0] for pulse in board.pulses] == ["a", "d", "f"]


def test_a_copy_of_an_emergency_stop_does_not_hold_again():
    board = Board()
    board.say("e", "emergency_stop")
    board.say("clear", "clear_stop")
    assert board.say("e", "emergency_stop") == [DONE]
    assert board.say("a", *FEED) == [ACCEPTED]


def test_a_latch_that_cannot_be_written_holds_and_says_so():
    flash = Flash()
    board = Board(flash)
    flash.broken = True
    assert board.say("e", "emergency_stop") == [("failed", "storage")]
    flash.broken = False
    assert board.say("a", *FEED) == [LATCHED]
    flash.broken = True
    assert board.say("clear", "clear_stop") == [("unknown", "storage")]
    flash.broken = False
    assert board.say("b", *FEED) == [LATCHED]
    assert board.say("clear2", "clear_stop") == [DONE] and board.say("d", *FEED) == [ACCEPTED]


def test_what_is_not_readable_on_flash_holds():
    flash = Flash()
    flash.replace("latch", b"")
    assert Board(flash).say("a", *FEED) == [LATCHED]


def test_a_service_answers_at_once_or_later():
    board = Board()
    board.services = {"get_log": lambda command_id: {"parts": 2}}
    assert board.say("a", "get_log") == [DONE] and board.acks[-1]["result"] == {"parts": 2}
    board.services = {"get_log": lambda command_id: 30}
    assert board.say("b", "get_log") == [ACCEPTED] and board.acks[-1]["result"] == {"within": 30}
    board.run(10000)
    assert board.say("b", "get_log") == [ACCEPTED] and board.acks[-1]["result"] == {"within": 20}
    assert board.say("b", "cancel") == [ACCEPTED]  # it goes on
    board.dispatcher.finish("b", "completed", None, {"parts": 1}, board.now_ms)
    assert board.say("b", "query") == [DONE] and board.acks[-1]["result"] == {"parts": 1}


def test_a_service_that_fails_says_why():
    board = Board()
    board.services = {"get_log": raiser(Fault("hardware", {"parts": 1}))}
    assert board.say("a", "get_log") == [("failed", "hardware")]
    board.services = {"get_log": raiser(ProtocolError("bad_parameter", "part", "is too high"))}
    assert board.say("b", "get_log") == [("rejected", "bad_parameter")]
    assert board.acks[-1]["message"] == "part: is too high"


def test_a_service_that_power_cut_off_is_not_begun_again():
    board = Board()
    board.services = {"get_log": lambda command_id: 30}
    board.say("a", "get_log")
    board.boot()
    assert board.say("a", "get_log") == [("unknown", "interrupted")]


def test_a_board_without_the_service_refuses():
    assert Board().say("a", "get_log") == [("rejected", "unknown_type")]
