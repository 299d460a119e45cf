"""What the dispatcher answers to one command after the other."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_fakes import KEY, Board  # noqa: E402 (after the path is right)
from protocol import encode  # noqa: E402

FEED = ("feed", "feeder1", {"amount": 20})
ACCEPTED = ("accepted", None)
DONE = ("completed", None)


def test_a_feed_runs_once_and_says_what_it_gave():
    board = Board()
    assert board.say("a", *FEED) == [ACCEPTED]
    assert board.acks[-1]["result"] == {"within": 3}
    assert board.pins[16].value and board.dispatcher.running() == {"feeder1": "a"}
    assert board.dispatcher.next_due(board.now_ms) == 2000
    board.run(1999)
    assert board.pins[16].value and board.results("a") == []
    board.run(1)
    assert not board.pins[16].value and board.results("a") == [DONE]
    assert board.acks[-1]["result"] == {"grams": 20, "ran_ms": 2000}
    assert board.acks[-1]["timestamp"] == board.now
    assert board.dispatcher.running() == {} and board.dispatcher.next_due(board.now_ms) is None


def test_flash_that_is_slow_makes_no_dose_short():
    board = Board()

    def busy():
        board.now_ms += 80

    board.flash.busy = busy
    board.say("a", *FEED)
    board.run(1999)
    assert board.pins[16].value
    board.run(1)
    assert not board.pins[16].value
    assert board.acks[-1]["result"] == {"grams": 20, "ran_ms": 2000}


def test_a_known_id_is_answered_and_not_run():
    board = Board()
    board.say("a", *FEED)
    board.run(500)
    assert board.say("a", *FEED) == [ACCEPTED]
    assert board.acks[-1]["result"] == {"within": 3}
    board.run(5000)
    assert board.say("a", *FEED) == [DONE]
    assert board.acks[-1] == board.acks[-2]
    board.boot()
    assert board.say("a", *FEED) == [DONE]
    assert board.acks[-1]["result"] == {"grams": 20, "ran_ms": 2000}
    assert len(board.pulses) == 1


def test_too_late_is_refused():
    board = Board()
    assert board.say("a", *FEED, lives=0) == [("rejected", "expired")]
    late = board.message("b", *FEED)
    board.run(60000)
    board.dispatcher.receive(late, board.now_ms)
    assert board.results("b") == [("rejected", "expired")]
    assert board.say("c", *FEED, lives=8 * 24 * 3600) == [("rejected", "bad_parameter")]
    assert board.pulses == []


def test_a_refusal_stands_even_when_the_copy_would_be_obeyed():
    board = Board()
    for name in "abcde":
        assert board.say(name, *FEED) == [ACCEPTED]
    assert board.say("f", *FEED) == [("rejected", "busy")]
    board.run(30000)
    assert board.say("f", *FEED) == [("rejected", "busy")]
    board.boot()
    assert board.say("f", *FEED) == [("rejected", "busy")]
    assert len(board.pulses) == 5


def test_wrong_commands_are_refused_with_a_code():
    board = Board()
    for number, (verb, target, parameters, code) in enumerate(
        (
            ("dance", "", {}, "unknown_type"),
            ("feed", "feeder2", {"amount": 1}, "unknown_target"),
            ("feed", "valve1", {"amount": 1}, "wrong_target"),
            ("feed", "feeder1", {"amount": 0}, "bad_parameter"),
            ("ping", "feeder1", {}, "unknown_target"),
            ("stop", "feeder9", {}, "unknown_target"),
        )
    ):
        name = "c{}".format(number)
        assert board.say(name, verb, target, parameters) == [("rejected", code)]
        assert board.say(name, *FEED) == [("rejected", code)]
    assert board.pulses == []


def test_ping_and_restart():
    board = Board()
    assert board.say("p", "ping") == [DONE]
    board.say("a", *FEED)
    board.say("b", *FEED)
    assert board.say("r", "restart") == [
        ("failed", "stopped"),
        ("cancelled", "cancelled"),
        ACCEPTED,
    ]
    assert board.restarts == 1
    assert board.say("r", "restart") == [ACCEPTED]
    assert board.say("c", *FEED) == [] and board.restarts == 1
    board.boot()
    assert board.say("r", "query") == [DONE]
    assert board.say("r", "restart") == [DONE] and board.restarts == 1
    assert board.say("c", *FEED) == [ACCEPTED]


def test_query_and_cancel():
    board = Board()
    for name in "abc":
        board.say(name, *FEED)
    assert board.say("a", "query") == [ACCEPTED] and board.say("b", "query") == [ACCEPTED]
    assert board.say("b", "cancel") == [("cancelled", "cancelled")]
    board.run(1000)
    assert board.say("a", "cancel") == [("failed", "stopped")]
    assert board.acks[-1]["result"] == {"grams": 10, "ran_ms": 1000}
    assert board.say("a", "cancel") == [("failed", "stopped")]
    board.run(5000)
    assert board.say("c", "cancel") == [DONE]
    for asked in ("query", "cancel"):
        assert board.say(asked, asked) == [("failed", "never")]
        assert board.say(asked, *FEED) == [("failed", "never")]
    assert board.say("x", "query", "", {"a": 1}) == []
    assert [pulse[0] for pulse in board.pulses if pulse[1] == 16] == ["a", "c"]


def test_a_long_reason_is_cut():
    config = {"kind": "switch", "longest_s": 9}
    names = ["light-with-quite-a-long-name-{}".format(n) for n in range(9)]
    board = Board(config={"actuators": {n: dict(config, pin=i) for i, n in enumerate(names)}})
    assert board.say("a", *FEED) == [("rejected", "unknown_target")]
    assert len(board.acks[-1]["message"]) == 200


def test_bytes_from_anywhere():
    board = Board()
    good = board.message("a", *FEED)
    for data in (
        b"",
        b"{}",
        good[:-1],
        good + b" ",
        good.replace(b"20", b"21"),
        b"\xff" * 5000,
        encode("status", {"status": "online", "boot": "b", "session": 1, "until": 0}, KEY),
        encode("status", {"status": "online", "boot": "b", "session": 1, "until": 0}, bytes(32)),
    ):
        board.dispatcher.receive(data, board.now_ms)
    assert board.acks == [] and board.dispatcher.dropped == {
        "bad_signature": 6,
        "too_large": 1,
        "malformed": 1,
    }
