"""What holds for every message, topic and parameter, looked for with hypothesis."""

import json
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protocol import ProtocolError, ack, decode, encode, topics
from protocol.catalogue import VERBS
from protocol.errors import CODES
from protocol.limits import EPOCH_MAX, EPOCH_MIN, MESSAGE_BYTES, SAFE_INTEGER
from protocol.messages import ACCEPTED, KINDS, PROGRESS, RESULTS
from protocol.reports import KINDS as REPORTS
from protocol.verbs import check_parameters, check_target

from tests.protocol.samples import KEY, MESSAGES, sealed, signed

ids = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
counts = st.integers(0, SAFE_INTEGER)
epochs = st.integers(EPOCH_MIN, EPOCH_MAX)
epochs_or_unset = epochs | st.just(0)
floats = st.floats(-1e38, 1e38)
scalar_values = texts | st.booleans() | floats | st.integers(-SAFE_INTEGER, SAFE_INTEGER)
short_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)
scalars = st.dictionaries(ids, scalar_values, max_size=16)
measured = {
    "value": st.integers(-SAFE_INTEGER, SAFE_INTEGER) | st.floats(-1e9, 1e9),
    "unit": short_texts,
    "timestamp": epochs_or_unset,
}

GOOD = {
    "command": st.fixed_dictionaries(
        {
            "command_id": ids,
            "command_type": ids,
            "target": ids | st.just(""),
            "parameters": scalars,
            "timestamp": epochs,
            "expires_at": epochs,
            "attempt": st.integers(1, 1000),
        }
    ),
    "ack": st.fixed_dictionaries(
        {
            "command_id": ids,
            "state": st.sampled_from([ACCEPTED, PROGRESS, *RESULTS]),
            "success": st.booleans(),
            "message": texts,
            "error": st.none() | st.sampled_from(CODES.split()),
            "result": scalars,
            "timestamp": epochs_or_unset,
            "boot": ids,
        }
    ),
    "status": st.fixed_dictionaries(
        {
            "status": st.sampled_from(["online", "offline", "asleep"]),
            "boot": ids,
            "session": counts,
            "until": epochs_or_unset,
        }
    ),
    "startup": st.fixed_dictionaries(
        {
            "boot": ids,
            "session": counts,
            "cause": ids,
            "firmware": short_texts,
            "board": ids,
            "actuators": st.dictionaries(ids, scalars, max_size=16),
            "has": short_texts,
            "slot": short_texts,
            "slot_state": short_texts,
            "latched": st.booleans(),
            "heap": counts,
            "timestamp": epochs_or_unset,
        }
    ),
    "heartbeat": st.fixed_dictionaries(
        {
            "boot": ids,
            "session": counts,
            "uptime": counts,
            "heap": counts,
            "rssi": st.integers(-200, 0),
            "running": st.dictionaries(ids, ids, max_size=16),
            "latched": st.booleans(),
            "dropped": st.dictionaries(ids, counts, max_size=16),
        }
    ),
    "log": st.fixed_dictionaries(
        {"command_id": ids, "part": counts, "parts": counts, "text": short_texts}
    ),
    "sensors": st.fixed_dictionaries(
        {
            "boot": ids,
            "readings": st.lists(st.fixed_dictionaries({"sensor": ids, **measured}), max_size=16),
            "failed": st.dictionaries(ids, ids, max_size=16),
        }
    ),
    "threshold": st.fixed_dictionaries(
        {
            "boot": ids,
            "sensor": ids,
            "limit": ids,
            "state": st.sampled_from(["crossed", "cleared"]),
            **measured,
        }
    ),
}
kinds = st.sampled_from(sorted({*KINDS, *REPORTS}))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def value_or_refusal(kind: str, data: bytes) -> dict[str, Any] | None:
    """The value, None where it was refused; any other exception ends the test."""
    try:
        value: dict[str, Any] = decode(kind, data, KEY)
    except ProtocolError as error:
        assert error.code in CODES.split() and error.field and error.reason
        return None
    return value


def test_the_tables_name_the_same_kinds() -> None:
    assert set(GOOD) == {*KINDS, *REPORTS} == set(MESSAGES)


@given(st.data(), kinds)
def test_what_is_written_is_read(data: st.DataObject, kind: str) -> None:
    message = data.draw(GOOD[kind])
    try:
        written = encode(kind, message, KEY)
    except ProtocolError as error:
        assert error.code == "too_large"
        return
    assert len(written) <= MESSAGE_BYTES
    assert decode(kind, written, KEY) == message


@given(st.data(), kinds, json_values)
def test_encode_takes_only_what_decode_takes(
    data: st.DataObject, kind: str, anything: object
) -> None:
    name = data.draw(st.sampled_from(sorted(MESSAGES[kind])))
    message = {**MESSAGES[kind], name: anything}
    try:
        written = encode(kind, message, KEY)
    except ProtocolError:
        assert value_or_refusal(kind, sealed(json.dumps(message).encode())) is None
        return
    assert value_or_refusal(kind, written) == message


@given(st.binary(max_size=200), kinds)
@example(b"", "ack")
def test_any_bytes(data: bytes, kind: str) -> None:
    assert value_or_refusal(kind, data) is None  # nobody guesses a signature


@given(st.binary(max_size=4096), kinds)
def test_any_signed_bytes(body: bytes, kind: str) -> None:
    value_or_refusal(kind, sealed(body + b"}"))


@given(json_values, kinds)
def test_any_signed_json(anything: object, kind: str) -> None:
    value_or_refusal(kind, sealed(json.dumps({"a": anything}).encode()))


@given(st.data(), kinds, st.integers(1, 255))
def test_no_byte_of_a_signed_message_can_be_changed(
    data: st.DataObject, kind: str, flip: int
) -> None:
    message = bytearray(signed(MESSAGES[kind]))
    message[data.draw(st.integers(0, len(message) - 1))] ^= flip
    assert value_or_refusal(kind, bytes(message)) is None


@given(kinds, st.integers(0, 400))
def test_no_part_of_a_message_passes(kind: str, length: int) -> None:
    whole = signed(MESSAGES[kind])
    assert value_or_refusal(kind, whole[: min(length, len(whole) - 1)]) is None


@given(ids, st.sampled_from(topics.LEAVES))
def test_topics_are_read_as_written(board_id: str, leaf: str) -> None:
    assert topics.parse(topics.topic(board_id, leaf)) == (board_id, leaf)


@given(st.text() | st.text("devics/+#$ack-1data", max_size=30).map("devices/".__add__))
@example("devices/a/ack\n")
def test_any_text_as_topic(text: str) -> None:
    try:
        board_id, leaf = topics.parse(text)
    except ProtocolError as error:
        assert (error.code, error.field) == ("malformed", "topic")
        return
    assert topics.topic(board_id, leaf) == text


@given(st.text() | st.sampled_from(sorted(VERBS)), st.dictionaries(st.text(), json_values))
def test_any_parameters(verb: str, parameters: dict[str, Any]) -> None:
    try:
        case = check_parameters(verb, parameters)
    except ProtocolError as error:
        assert error.code in ("unknown_type", "bad_parameter")
        return
    assert case in VERBS[verb].cases.values()


@given(st.sampled_from(sorted(VERBS)), st.text(), st.dictionaries(ids, scalars, max_size=3))
def test_any_target(verb: str, target: str, actuators: dict[str, dict[str, Any]]) -> None:
    try:
        check_target(verb, target, actuators)
    except ProtocolError as error:
        assert error.code in ("unknown_target", "wrong_target") and error.field == "target"
        return
    assert target == "" or target in actuators


@pytest.mark.parametrize("error", [None, *CODES.split()])
@pytest.mark.parametrize("state", [ACCEPTED, PROGRESS, *RESULTS])
def test_every_ack_the_helper_makes_can_be_sent(state: str, error: str | None) -> None:
    message = ack("f81d4fae", state, "9f3c", error=error)
    assert decode("ack", encode("ack", message, KEY), KEY) == message
