"""What moves, for how long, and what ends it."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_fakes import Board  # noqa: E402 (after the path is right)

FEED = ("feed", "feeder1", {"amount": 20})
FILL = ("water", "valve1", {"action": "fill", "seconds": 10})
ACCEPTED = ("accepted", None)
DONE = ("completed", None)


def test_verbs_of_their_own_that_stop():
    board = Board()
    board.say("w", *FILL)
    board.say("m", "motor", "motor1", {"action": "start", "speed": 40, "seconds": 60})
    board.say("l", "switch", "light1", {"state": "on"})
    assert board.say("w2", "water", "valve1", {"action": "stop"}) == [DONE, ("failed", "stopped")]
    assert board.say("m2", "motor", "motor1", {"action": "stop"}) == [DONE]
    assert board.say("l2", "switch", "light1", {"state": "off"}) == [DONE]
    assert [number for number, pin in board.pins.items() if pin.value] == [22]
    assert board.dispatcher.running() == {}


def test_a_set_answers_at_once_and_a_dead_man_ends_it():
    board = Board()
    assert board.say("m", "motor", "motor1", {"action": "start", "speed": 40, "seconds": 60}) == [
        DONE
    ]
    assert board.acks[-1]["result"] == {"seconds": 60}
    board.run(30000)
    assert board.say("n", "motor", "motor1", {"action": "speed", "speed": 80}) == [DONE]
    assert board.pins[19].value == 80 and board.acks[-1]["result"] == {"seconds": 30}
    assert board.dispatcher.running() == {"motor1": "m"}
    board.run(29999)
    assert board.pins[19].value == 80
    board.run(1)
    assert board.pins[19].value == 0 and board.dispatcher.running() == {}
    assert board.say("o", "motor", "motor1", {"action": "speed", "speed": 80}) == [
        ("rejected", "bad_parameter")
    ]
    assert board.say("l", "switch", "light1", {"state": "on"}) == [DONE]
    board.run(3600000 - 1)
    assert board.pins[21].value
    board.run(1)
    assert not board.pins[21].value


def test_a_switch_that_is_safe_on_goes_back_on():
    board = Board()
    assert board.pins[22].value
    assert board.say("a", "switch", "air1", {"state": "off"}) == [DONE]
    assert not board.pins[22].value and board.dispatcher.running() == {"air1": "a"}
    board.run(60000)
    assert board.pins[22].value and board.dispatcher.running() == {}
    board.say("b", "switch", "air1", {"state": "off"})
    assert board.say("c", "switch", "air1", {"state": "on"}) == [DONE]
    assert board.pins[22].value and board.dispatcher.next_due(board.now_ms) is None
    board.say("d", "switch", "air1", {"state": "off"})
    assert board.say("e", "stop") == [DONE]
    assert board.pins[22].value


def test_longer_than_the_longest_is_refused_before_anything_moves():
    board = Board()
    for verb, target, parameters in (
        ("feed", "feeder1", {"amount": 1200.1}),
        ("water", "valve1", {"action": "fill", "seconds": 901}),
        ("motor", "motor1", {"action": "start", "speed": 5, "seconds": 601}),
        ("switch", "air1", {"state": "on", "seconds": 61}),
    ):
        assert board.say(target, verb, target, parameters) == [("rejected", "bad_parameter")]
        assert "longest" in board.acks[-1]["message"]
    assert board.pulses == []
    assert board.say("ok", "feed", "feeder1", {"amount": 1200}) == [ACCEPTED]


def test_water_by_the_amount_needs_a_valve_that_was_measured():
    board = Board()
    assert board.say("w", "water", "valve1", {"action": "fill", "amount": 100}) == [
        ("rejected", "bad_parameter")
    ]
    assert "ml_per_second" in board.acks[-1]["message"] and board.pulses == []
    board.actuators["valve1"].facts["ml_per_second"] = 50
    assert board.say("d", "water", "valve1", {"action": "drain", "amount": 125}) == [ACCEPTED]
    board.run(2499)
    assert board.pins[18].value and not board.pins[17].value
    board.run(1)
    assert not board.pins[18].value and board.acks[-1]["state"] == "completed"
    assert board.acks[-1]["result"] == {"ran_ms": 2500, "ml": 125}
    too_much = {"action": "fill", "amount": 45001}
    assert board.say("t", "water", "valve1", too_much) == [("rejected", "bad_parameter")]
    assert "longest" in board.acks[-1]["message"]


def test_a_fault_of_the_hardware_is_told():
    board = Board()
    board.pins[16].fails = True
    assert board.say("a", *FEED) == [ACCEPTED, ("failed", "hardware")]
    assert board.say("s", "stop", "feeder1") == [("failed", "hardware")]
    board.pins[16].fails = False
    board.run(1000)
    assert board.dispatcher.next_due(board.now_ms) is None
    board.say("b", *FEED)
    board.pins[16].fails = True
    board.run(2000)
    assert board.results("b") == [("failed", "hardware")] and board.pins[16].value
    assert board.acks[-1]["result"] == {"grams": 20, "ran_ms": 2000}
    board.pins[16].fails = False
    board.run(1000)
    assert not board.pins[16].value
    board.pins[19].fails = True
    assert board.say("m", "motor", "motor1", {"action": "start", "speed": 4, "seconds": 9}) == [
        ("failed", "hardware")
    ]


def test_fill_and_drain_are_never_open_together():
    board = Board()
    board.pins[18].on()
    assert board.say("a", *FILL) == [ACCEPTED, ("failed", "interlock")]
    assert not board.pins[17].value and not board.pins[18].value
    board.pins[18].on()
    board.pins[18].fails = True
    assert board.say("b", *FILL) == [ACCEPTED, ("failed", "hardware")]
    assert not board.pins[17].value
