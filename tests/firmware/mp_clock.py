"""The time of day: who is believed, and what happens without it."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_fakes import Board  # noqa: E402 (after the path is right)

FEED = ("feed", "feeder1", {"amount": 20})
ACCEPTED = ("accepted", None)
DONE = ("completed", None)


def test_without_the_time_only_stops_are_obeyed():
    board = Board()
    board.boot(told=False)
    assert board.say("a", *FEED) == [] and board.asked == 0  # its startup is on its way
    board.now_ms += 6000
    assert board.say("a", *FEED) == [] and board.asked == 1
    assert board.dispatcher.dropped == {"clock_unset": 2}
    assert board.say("l", "switch", "light1", {"state": "off"}) == [DONE]
    assert board.say("s", "stop") == [DONE]
    assert board.acks[-1]["timestamp"] == 0
    assert board.say("q", "query") == [("failed", "never")]
    assert board.say("o", "switch", "air1", {"state": "off"}) == []  # on is what is safe there
    board.tell_time()
    assert board.say("a", *FEED) == [ACCEPTED]
    assert board.say("q", *FEED) == [("failed", "never")]


def test_only_an_answer_to_this_connection_sets_the_clock():
    board = Board()
    board.boot(told=False)
    board.say("t", "time", "", {"boot": "boot1", "session": 1})
    board.tell_time(session=2)
    assert board.clock.now(board.now_ms) == 0 and board.dispatcher.dropped == {"time": 2}
    board.tell_time()
    recorded = board.message("t", "time", "", {"boot": "boot2", "session": 1})
    board.run(100000)
    board.dispatcher.receive(recorded, board.now_ms)
    assert board.clock.now(board.now_ms) == board.now
    board.dispatcher.connected(2, board.now_ms)
    board.dispatcher.receive(recorded, board.now_ms)
    assert board.clock.now(board.now_ms) == board.now
    board.tell_time(session=2)
    assert board.clock.now(board.now_ms) == board.now


def test_a_late_answer_makes_the_clock_fast_never_slow():
    board = Board()
    board.boot(told=False)
    answer = board.message("t", "time", "", {"boot": "boot2", "session": 1})
    board.now_ms += 7500
    board.dispatcher.receive(answer, board.now_ms)
    assert board.clock.now(board.now_ms) >= board.now
    board.boot(told=False)
    answer = board.message("t", "time", "", {"boot": "boot3", "session": 1})
    board.now_ms += 25000
    board.dispatcher.receive(answer, board.now_ms)
    assert board.clock.now(board.now_ms) == 0 and board.asked == 1


def test_an_answer_that_was_held_back_is_none_to_a_later_question():
    board = Board()
    board.boot(told=False)
    held = board.message("t", "time", "", {"boot": "boot2", "session": 1})
    board.now_ms += 25000
    board.dispatcher.receive(held, board.now_ms)
    board.dispatcher.receive(held, board.now_ms)  # after a reconnect they come in bursts
    assert board.clock.now(board.now_ms) == 0 and board.asked == 1
    board.tell_time(session=2)
    assert board.clock.now(board.now_ms) == board.now


def test_a_full_journal_and_no_time_asks_for_the_time():
    board = Board(capacity=16)
    for number in range(16):
        board.say("q{}".format(number), "query")
    board.boot(told=False)
    board.now_ms += 70000
    assert board.say("q", "query") == [] and board.asked == 1
    board.tell_time(session=2)
    assert board.say("q", "query") == [("failed", "never")]
