"""One command at a time for each target, and stops that overtake them."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_fakes import Board  # noqa: E402 (after the path is right)

FEED = ("feed", "feeder1", {"amount": 20})
FILL = ("water", "valve1", {"action": "fill", "seconds": 10})
DRAIN = ("water", "valve1", {"action": "drain", "seconds": 10})
ACCEPTED = ("accepted", None)
DONE = ("completed", None)


def test_one_at_a_time_in_order_and_targets_side_by_side():
    board = Board()
    board.say("a", *FEED)
    board.say("b", *FEED)
    board.say("c", *FILL)
    board.say("d", *DRAIN)
    assert board.dispatcher.running() == {"feeder1": "a", "valve1": "c"}
    assert [ack["result"]["within"] for ack in board.acks] == [3, 5, 11, 21]
    board.run(2000)
    assert board.dispatcher.running() == {"feeder1": "b", "valve1": "c"}
    board.run(18000)
    done = [ack["command_id"] for ack in board.acks if ack["state"] == "completed"]
    assert done == ["a", "b", "c", "d"]
    assert [(pulse[0], pulse[1], pulse[2]) for pulse in board.pulses] == [
        ("a", 16, 2000),
        ("c", 17, 10000),
        ("b", 16, 2000),
        ("d", 18, 10000),
    ]


def test_one_that_waited_too_long_fails():
    board = Board()
    board.say("a", *FILL)
    assert board.say("b", *DRAIN, lives=9) == [ACCEPTED]
    assert board.say("c", *DRAIN) == [ACCEPTED]
    board.run(20000)
    assert board.results("b") == [("failed", "expired")] and board.pulses_of("b") == []
    assert board.results("c") == [DONE]


def test_sixteen_wait_at_most():
    config = {"pin": 0, "kind": "feeder", "grams_per_second": 1, "longest_s": 100}
    many = {"f{}".format(n): dict(config, pin=n) for n in range(8)}
    board = Board(config={"actuators": many})
    answers = []
    for n in range(30):
        answers += board.say("c{}".format(n), "feed", "f{}".format(n % 8), {"amount": 1})
        board.acks.clear()  # they would fill a small heap
    assert answers == [ACCEPTED] * 24 + [("rejected", "busy")] * 6


def test_a_stop_overtakes_and_empties_the_queue():
    board = Board()
    board.say("a", *FEED)
    board.say("b", *FEED)
    board.say("w", *FILL)
    board.run(1500)
    assert board.say("s", "stop", "feeder1") == [
        DONE,
        ("failed", "stopped"),
        ("cancelled", "cancelled"),
    ]
    assert board.acks[-2]["result"] == {"grams": 15, "ran_ms": 1500}
    assert board.dispatcher.running() == {"valve1": "w"}
    assert board.say("s", "stop", "feeder1") == [DONE]
    assert board.say("e", "emergency_stop") == [DONE, ("failed", "stopped")]
    assert board.dispatcher.running() == {} and board.dispatcher.next_due(board.now_ms) is None
    assert board.say("b", *FEED) == [("cancelled", "cancelled")]
    assert board.say("c", "clear_stop") == [DONE]
    assert board.say("n", *FEED) == [ACCEPTED]


def test_a_copy_of_a_stop_stops_nothing_new():
    board = Board()
    board.say("s", "stop")
    board.say("a", *FEED)
    assert board.say("s", "stop") == [DONE]
    assert board.dispatcher.running() == {"feeder1": "a"}


def test_set_safe_ends_everything():
    board = Board()
    board.say("a", *FEED)
    board.say("b", *FEED)
    board.say("l", "switch", "light1", {"state": "on"})
    board.run(100)
    board.dispatcher.set_safe()
    assert board.results("a") == [("failed", "stopped")]
    assert board.results("b") == [("cancelled", "cancelled")]
    assert [number for number, pin in board.pins.items() if pin.value] == [22]
    board.dispatcher.set_safe(board.now_ms)
