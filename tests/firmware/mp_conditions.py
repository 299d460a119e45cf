"""A command with conditions begins where they hold at that moment, and else moves nothing."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_fakes import Board, PowerCut  # noqa: E402 (after the path is right)

FEED = ("feed", "feeder1", {"amount": 20})
FILL = ("water", "valve1", {"action": "fill", "seconds": 1})
ON = ("switch", "light1", {"state": "on", "seconds": 60})
ACCEPTED, DONE = ("accepted", None), ("completed", None)
UNMET = ("failed", "condition")
LOW = {"sensor": "oxygen1", "below": 4.5, "max_age_s": 60}
HIGH = {"sensor": "oxygen1", "above": 4.5, "max_age_s": 60}
DARK = {"output": "light1", "is": "off"}
CLOSED = {"output": "valve1", "is": "off"}


def found(board):
    return board.acks[-1]["result"]


def say(board, *args, **kwargs):
    """What it answers, once its loop has turned."""
    before = len(board.acks)
    board.say(*args, **kwargs)
    board.dispatcher.tick(board.now_ms)
    return [(ack["state"], ack["error"]) for ack in board.acks[before:]]


def read(board, value, age_ms=0):
    board.dispatcher.latest["oxygen1"] = value, board.now_ms - age_ms


def test_it_runs_where_they_hold():
    board = Board()
    read(board, 4.25)
    assert say(board, "a", *FEED, only_if=[LOW, DARK, CLOSED]) == [ACCEPTED]
    board.run(2000)
    assert board.results("a") == [DONE]
    assert [pulse[2] for pulse in board.pulses] == [2000]


def test_a_value_is_held_against_its_limit():
    for one, value, holds in (
        (LOW, 4.5, False),
        (LOW, 4.49, True),
        (LOW, 5, False),
        (HIGH, 4.5, False),
        (HIGH, 4.51, True),
        (HIGH, -1, False),
    ):
        board = Board()
        read(board, value)
        said = say(board, "a", *FEED, only_if=[one])
        assert said == ([ACCEPTED] if holds else [ACCEPTED, UNMET]), (one, value)
        assert holds or found(board) == {"condition": 0, "found": value}
        assert len(board.pulses) == holds


def test_a_sensor_that_is_not_known_or_old_does_not_hold():
    board = Board()
    assert say(board, "a", *FEED, only_if=[LOW]) == [ACCEPTED, UNMET]
    assert found(board) == {"condition": 0, "found": "unknown"}
    read(board, 4, 60000)
    assert say(board, "b", *FEED, only_if=[LOW]) == [ACCEPTED]
    board.run(5000)
    read(board, 4, 60001)
    assert say(board, "c", *FEED, only_if=[DARK, LOW]) == [ACCEPTED, UNMET]
    assert found(board) == {"condition": 1, "found": "old"}
    read(board, 4, -1)  # ticks have wrapped
    assert say(board, "d", *FEED, only_if=[LOW]) == [ACCEPTED, UNMET]
    assert [pulse[0] for pulse in board.pulses] == ["b"]


def test_outputs_are_as_they_are():
    board = Board()
    off = {"output": "air1", "is": "off"}
    for number, one in enumerate((off, dict(DARK, **{"is": "on"}), {"output": "x", "is": "off"})):
        name = "a{}".format(number)
        assert say(board, name, *FEED, only_if=[one]) == [ACCEPTED, UNMET]
        assert found(board)["found"] == ("on", "off", "unknown")[number]
    board.say("l", *ON)
    assert say(board, "b", *FEED, only_if=[DARK]) == [ACCEPTED, UNMET]
    assert board.say("s", "switch", "air1", {"state": "off"}) == [DONE]  # on is what is safe
    assert say(board, "c", *FEED, only_if=[off, dict(DARK, **{"is": "on"})]) == [ACCEPTED]
    board.actuators["valve1"].stuck = True
    assert say(board, "d", *ON, only_if=[CLOSED]) == [("rejected", "condition")]
    assert found(board) == {"condition": 0, "found": "stuck"}


def test_what_waits_is_held_against_them_when_it_begins():
    board = Board()
    board.say("a", *FEED)
    assert say(board, "b", *FEED, only_if=[CLOSED]) == [ACCEPTED]
    say(board, "c", *FEED, only_if=[{"output": "valve1", "is": "on"}])
    board.run(1900)
    board.say("v", *FILL)
    board.run(200)
    assert board.results("b") == [UNMET] and board.dispatcher.running()["feeder1"] == "c"
    board.run(5000)
    assert board.results("c") == [DONE]
    assert [pulse[0] for pulse in board.pulses if pulse[1] == 16] == ["a", "c"]


def test_the_answer_stays_the_same():
    board = Board()
    read(board, 6.5)
    for name, wanted, state in (("a", FEED, "failed"), ("b", ON, "rejected")):
        say(board, name, *wanted, only_if=[LOW])
        first = board.acks[-1]
        assert (first["state"], first["error"]) == (state, "condition")
        read(board, 1)  # now it would hold
        assert say(board, name, *wanted, only_if=[LOW]) == [(state, "condition")]
        assert board.acks[-1] == first
        board.boot()
        assert board.say(name, *wanted) == [(state, "condition")]
        assert board.acks[-1]["result"] == {"condition": 0, "found": 6.5}
        read(board, 6.5)
    assert board.pulses == []


def test_what_moves_nothing_has_them_too():
    board = Board()
    board.services["get_log"] = lambda _: {"lines": 0}
    assert say(board, "a", "get_log", only_if=[DARK]) == [DONE]
    assert say(board, "b", "restart", only_if=[LOW]) == [("rejected", "condition")]
    assert board.restarts == 0
    assert say(board, "c", "ping", only_if=[DARK]) == [DONE]


def test_a_power_cut_before_it_begins_is_certain():
    board = Board()
    board.flash.cut_at = board.flash.writes + 1  # queued is on flash, begun is not
    try:
        say(board, "a", *FEED, only_if=[DARK])
        raise AssertionError("the power is there")
    except PowerCut:
        board.boot()
    assert board.say("a", "query") == [("failed", "not_started")]
    assert board.pulses == []


def test_wrong_ones_are_refused_by_name():
    board = Board()
    for number, (verb, only_if, field) in enumerate(
        (
            (FEED, [{"output": "light1"}], "conditions[0].is"),
            (FEED, [DARK, dict(LOW, below="4")], "conditions[1].below"),
            (("stop", "", {}), [DARK], "conditions"),
            (("water", "valve1", {"action": "stop"}), [DARK], "conditions"),
        )
    ):
        name = "c{}".format(number)
        assert say(board, name, *verb, only_if=only_if) == [("rejected", "bad_parameter")]
        assert board.acks[-1]["message"].startswith(field + ": "), board.acks[-1]["message"]
    assert board.pulses == []


def test_no_memory_to_look_is_no():
    board = Board()

    def none(*_):
        raise MemoryError

    module = sys.modules["app.work"]
    once, module.once = module.once, none
    try:
        assert say(board, "a", *FEED, only_if=[DARK]) == [ACCEPTED, UNMET]
        assert found(board) == {"condition": 0, "found": "memory"}
    finally:
        module.once = once
    module = sys.modules["app.commands"]
    once, module.once = module.once, none
    try:
        assert say(board, "b", *FEED, only_if=[DARK]) == []
    finally:
        module.once = once
    assert board.dispatcher.dropped == {"memory": 1} and board.pulses == []
    assert say(board, "b", *FEED, only_if=[DARK]) == [ACCEPTED]
