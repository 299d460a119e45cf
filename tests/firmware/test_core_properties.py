"""Any bytes to the dispatcher, any damage to the journal: nothing raises, nothing is made up."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from protocol.signature import sign

sys.path.append(str(Path(__file__).parent))

mp_fakes: Any = importlib.import_module("mp_fakes")

FEED = ("feed", "feeder1", {"amount": 20})

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)
verbs = st.sampled_from(
    ("feed", "water", "motor", "switch", "ping", "stop", "query", "cancel", "time", "restart", "x")
)
targets = st.sampled_from(("", "feeder1", "valve1", "motor1", "light1", "air1", "nobody"))
parameters = st.fixed_dictionaries(
    {},
    optional={
        "amount": values | st.floats(0.1, 5000),
        "action": st.sampled_from(("fill", "drain", "start", "speed", "stop")) | scalars,
        "state": st.sampled_from(("on", "off")) | scalars,
        "speed": st.integers(0, 101),
        "seconds": st.integers(0, 4000) | scalars,
    },
)
condition = st.fixed_dictionaries(
    {},
    optional={
        "output": targets | scalars,
        "is": st.sampled_from(("on", "off")) | scalars,
        "sensor": st.just("oxygen1") | scalars,
        "below": st.integers(0, 10) | scalars,
        "max_age_s": st.integers(1, 60) | scalars,
    },
)
# The end of the type on the wire, and the conditions, if there are any.
only_if = (
    st.tuples(st.just(""), st.none())
    | st.tuples(st.just("_if"), st.lists(condition, min_size=1, max_size=5))
    | st.tuples(st.sampled_from(("", "_if")), values)
)


@given(st.binary(max_size=200))
def test_any_bytes_are_counted(data: bytes) -> None:
    board = mp_fakes.Board()
    board.dispatcher.receive(data, board.now_ms)
    assert board.acks == [] and sum(board.dispatcher.dropped.values()) == 1


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), verbs, targets, parameters, only_if), max_size=12)
)
@settings(deadline=None)
def test_any_signed_commands_end_with_everything_safe(
    said: list[tuple[str, str, str, dict[str, Any], tuple[str, Any]]],
) -> None:
    board = mp_fakes.Board()
    board.dispatcher.latest["oxygen1"] = 5, board.now_ms
    for name, verb, target, given_parameters, (suffix, conditions) in said:
        message = {
            "command_id": name,
            "command_type": verb + suffix,
            "target": target,
            "parameters": given_parameters,
            "timestamp": board.now,
            "expires_at": board.now + 60,
            "attempt": 1,
        }
        if conditions is not None:
            message["conditions"] = conditions
        body = json.dumps(message, separators=(",", ":")).encode()
        board.dispatcher.receive(sign(body[:-1], mp_fakes.KEY), board.now_ms)
        board.run(700)
    board.run(4_000_000)
    assert [number for number, pin in board.pins.items() if pin.value] == [22]
    assert board.dispatcher.running() == {} and board.dispatcher.next_due(board.now_ms) is None
    for name in "abcde":
        assert len(set(board.results(name))) <= 1
        assert len([pulse for pulse in board.pulses_of(name) if pulse[1] in (16, 17, 18)]) <= 1


def _board_with_a_past() -> Any:
    board = mp_fakes.Board()
    for pair in ("ab", "cd", "ef", "gh"):
        for name in pair:  # the second waits for the first
            board.say(name, *FEED)
        board.run(4500)
    return board


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_a_damaged_journal_loses_lines_and_says_so(data: st.DataObject) -> None:
    board = _board_with_a_past()
    name = data.draw(st.sampled_from(sorted(board.flash.files)))
    content = bytearray(board.flash.read(name))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
    damaged = bytes(content) != board.flash.read(name)
    board.flash.files[name] = [bytes(content)]
    board.boot()
    for command in "abcdefgh":
        (fate,) = board.say(command, "query")
        possible: list[tuple[str, str | None]] = [("completed", None)]
        if damaged:  # the line of its end may be gone, or both
            possible += [("unknown", "interrupted"), ("unknown", "forgotten")]
        assert fate in possible, (command, fate, board.journal.bad)


@given(st.binary(max_size=400), st.integers(0, 7))
@settings(deadline=None, max_examples=40)
def test_any_bytes_for_a_journal(content: bytes, number: int) -> None:
    flash = mp_fakes.Flash()
    flash.files[f"journal{number}"] = [content]
    board = mp_fakes.Board(flash)
    board.say("a", *FEED)
    board.run(2000)
    board.boot()
    assert board.say("a", "query") == [("completed", None)]
