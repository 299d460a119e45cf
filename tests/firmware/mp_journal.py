"""The journal: full, broken, forgotten."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from app.journal import FILES, piece_of  # noqa: E402
from mp_fakes import Board, Flash, PowerCut  # noqa: E402 (after the path is right)

FEED = ("feed", "feeder1", {"amount": 20})
ACCEPTED = ("accepted", None)
DONE = ("completed", None)
REFUSED = ("rejected", "storage")
NEVER = ("failed", "never")
UNSURE = ("unknown", "storage")  # it could be obeyed after a reboot


def names_in_one_file(count):
    """Ids whose lines lie in the same file of the journal."""
    names = ["n{}".format(n) for n in range(count * 20)]
    file = piece_of(b"n0") % FILES
    return [name for name in names if piece_of(name.encode()) % FILES == file][:count]


def test_no_flash_no_motor():
    flash = Flash()
    board = Board(flash)
    flash.broken = True
    assert board.say("a", *FEED) == [UNSURE]
    assert board.say("m", "motor", "motor1", {"action": "start", "speed": 4, "seconds": 9}) == [
        UNSURE
    ]
    assert board.say("p", "ping") == [UNSURE]
    assert board.say("r", "restart") == [UNSURE] and board.restarts == 0
    assert board.say("n", "query") == [UNSURE]
    assert board.say("s", "stop") == [DONE]
    assert board.say("a", *FEED) == [UNSURE]
    flash.broken = False
    assert board.say("a", *FEED) == [REFUSED]  # a late copy must not begin after the stop
    assert board.say("n", "query") == [NEVER]
    assert board.say("b", *FEED) == [ACCEPTED]
    board.boot()
    assert board.say("a", *FEED) == [REFUSED] and board.say("n", *FEED) == [NEVER]
    assert board.say("b", *FEED) == [("unknown", "interrupted")]
    assert [pulse[0] for pulse in board.pulses] == ["b"]


def test_a_result_that_cannot_be_written_is_told_and_written_later():
    flash = Flash()
    board = Board(flash)
    board.say("a", *FEED)
    board.say("b", *FEED)
    flash.broken = True
    board.run(2000)
    assert board.results("a") == [DONE]
    assert board.results("b") == [("failed", "storage")]
    flash.broken = False
    board.say("p", "ping")
    board.boot()
    assert board.say("a", "query") == [DONE] and board.say("b", "query") == [("failed", "storage")]


def test_a_full_journal_refuses_work_and_then_everything_but_stops():
    board = Board(capacity=16)
    for n in range(12):
        assert board.say("p{}".format(n), "ping") == [DONE]
    for n in range(4):
        assert board.say("f{}".format(n), *FEED) == [("rejected", "busy")]
    assert board.say("g", *FEED) == [] and board.say("q", "query") == []
    assert board.dispatcher.dropped == {"full": 2}
    assert board.say("s", "stop") == [DONE] and board.dispatcher.dropped == {"full": 3}
    board.run(61000)
    assert board.say("g", *FEED) == [ACCEPTED]


def test_forgotten_is_not_never():
    board = Board(capacity=16)
    expires_at = board.now + 60
    board.say("old", *FEED, expires_at=expires_at)
    board.run(61000)
    assert board.say("old", "query", expires_at=expires_at) == [DONE]
    for n in range(16):
        board.say("p{}".format(n), "ping")
    assert board.journal.find("old") is None and board.journal.complete_from == expires_at
    assert board.say("old", "query", expires_at=expires_at) == [("unknown", "forgotten")]
    assert board.say("old", *FEED, expires_at=expires_at) == [("unknown", "forgotten")]
    assert board.say("new", "query", expires_at=expires_at + 1) != [("unknown", "forgotten")]
    assert len(board.pulses_of("old")) == 1


def test_nothing_is_appended_to_what_power_tore_off():
    first, second, third = names_in_one_file(3)
    flash = Flash(cut_at=1, how="torn")
    board = Board(flash)
    board.say(first, "ping")
    try:
        board.say(second, *FEED)
    except PowerCut:
        board.boot()
    assert board.say(third, *FEED) == [ACCEPTED]
    board.boot()
    assert board.say(third, *FEED) == [("unknown", "interrupted")]
    assert board.say(second, "query") == [("failed", "never")]
    assert board.say(first, "query") == [DONE] and board.journal.bad == 0


def test_nothing_is_appended_to_what_failed_half_way():
    first, second, third = names_in_one_file(3)
    flash = Flash()
    board = Board(flash)
    board.say(first, "ping")
    flash.broken = "half"
    assert board.say(second, *FEED) == [UNSURE]
    flash.broken = False
    assert board.say(third, *FEED) == [ACCEPTED]
    board.boot()
    assert board.say(third, *FEED) == [("unknown", "interrupted")]
    assert board.say(second, "query") == [REFUSED] and board.journal.bad == 0


def test_a_clock_set_back_wakes_nothing_that_was_dropped():
    board = Board(capacity=16)
    expires_at = board.now + 60
    board.say("old", *FEED, expires_at=expires_at)
    board.run(61000)
    for n in range(16):
        board.say("p{}".format(n), "ping")
    for _ in range(2):
        board.clock.set(expires_at - 30, board.now_ms)
        assert board.say("old", *FEED, expires_at=expires_at) == [("unknown", "forgotten")]
        for n in range(400):  # until every file has been replaced
            board.journal.queue("p{}".format(n % 16), expires_at + 60)
        board.boot()
    assert board.journal.floor == expires_at
