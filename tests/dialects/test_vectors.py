"""The dialects against vectors, valid and malformed, and against any bytes at all."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protocol import ProtocolError

from backend.dialects import registry
from backend.dialects.registry import DIALECTS

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
NOW = 1_770_481_994  # 2026-02-07T16:33:14Z
MAC = "A1B2C3D4E5F6"


def ids(rows: list[Any]) -> list[str]:
    return [row["name"] if isinstance(row, dict) else " ".join(map(str, row)) for row in rows]


def facts(**more: Any) -> dict[str, Any]:
    return {"board_id": "esp32_01", "key": b"k" * 32, "actuators": {}, "options": {}, **more}


def read(topic: str, payload: bytes) -> list[Any]:
    dialect, board_id = registry.speaker(topic)
    if topic.startswith("devices/"):
        dialect = DIALECTS["museum"]
    return list(dialect.read(topic, payload, facts(board_id=board_id)))


def shown(meaning: Any) -> list[Any]:
    members = asdict(meaning)
    if "data" in members:
        members["data"] = members["data"].hex()
    return [type(meaning).__name__, json.loads(json.dumps(members))]


@pytest.mark.parametrize("vector", VECTORS["read"], ids=ids(VECTORS["read"]))
def test_what_boards_say_means(vector: dict[str, Any]) -> None:
    assert [shown(one) for one in read(vector["topic"], vector["payload"].encode())] == vector[
        "means"
    ]


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=ids(VECTORS["malformed"]))
def test_what_cannot_be_read_says_why(vector: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as why:
        read(vector["topic"], vector["payload"].encode())
    assert why.value.code == vector["code"]


@pytest.mark.parametrize("vector", VECTORS["write"], ids=ids(VECTORS["write"]))
def test_commands_become_words(vector: dict[str, Any]) -> None:
    dialect = DIALECTS[vector["dialect"]]
    kind, target, parameters = vector["command"]
    dialect.check(kind, target, parameters, vector["actuators"])
    about = facts(board_id=MAC, actuators=vector["actuators"], options=vector["options"])
    command = {"command_type": kind, "target": target, "parameters": parameters, "timestamp": NOW}
    for written, wanted in zip(dialect.write(about, command), vector["messages"], strict=True):
        topic, payload, qos = written
        text = payload.decode()
        said = text if isinstance(wanted[1], str) else json.loads(text)
        assert [topic, said, qos] == wanted


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=ids(VECTORS["refused"]))
def test_what_a_board_has_no_word_for_is_refused(vector: list[Any]) -> None:
    name, kind, target, parameters, field = vector
    actuators = VECTORS["write"][0]["actuators"]
    with pytest.raises(ProtocolError) as why:
        DIALECTS[name].check(kind, target, parameters, actuators)
    assert why.value.field == field


@pytest.mark.parametrize("vector", VECTORS["configure"], ids=ids(VECTORS["configure"]))
def test_options_are_checked(vector: list[Any]) -> None:
    name, options, field = vector
    if field is None:
        DIALECTS[name].configure(options)
        return
    with pytest.raises(ProtocolError) as why:
        DIALECTS[name].configure(options)
    assert why.value.field == field


TOPICS = [f"ESP32CAM/{MAC}/{leaf}" for leaf in ("status", "data", "ack")]
TOPICS += ["devices/esp32_01/status", "room1/light/feedback", "room1/status"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["status", "chunk_id", "payload", "image_name", "image_size", "max_chunk_size", "pendingImg",
     "total_chunk_count", "timestamp", "sensor_data", "temperature", "command_ack", "error"]
)  # fmt: skip
SAID = st.dictionaries(NAMES, JSON, max_size=7).map(lambda one: json.dumps(one).encode())


@given(topic=st.sampled_from(TOPICS) | st.text(), payload=st.binary() | SAID)
@example(topic=TOPICS[1], payload=b'{"temperature": 1e400, "timestamp": 1e400}')
@example(topic=TOPICS[1], payload=b'{"temperature": ' + b"9" * 5000 + b"}")
def test_any_bytes_mean_something_or_are_refused(topic: str, payload: bytes) -> None:
    try:
        read(topic, payload)
    except ProtocolError as why:
        assert why.code and why.field and why.reason


@pytest.mark.parametrize(
    ("pattern", "topic", "covered"),
    [
        ("devices/+/ack", "devices/pond/ack", True),
        ("devices/+/ack", "devices/pond/status", False),
        ("devices/+/ack", "devices/pond/ack/more", False),
        ("#", "any/thing", True),
        ("#", "$SYS/broker", False),
        ("room1/#", "room1", True),
        ("room1/#", "room1/+/x", True),
        ("room1/+", "room1/#", False),
    ],
)
def test_patterns_cover_topics(pattern: str, topic: str, covered: bool) -> None:
    assert registry.covers(pattern, topic) == covered


def test_subscriptions_are_what_boards_and_settings_ask_for() -> None:
    ours = registry.subscriptions([], [])
    assert all(pattern.startswith("devices/+/") and qos == 1 for pattern, qos in ours)
    assert len(ours) == 8  # more at QoS 1 would be more than NATS allows one session
    light = facts(actuators={"light": {"topic": "room1/light", "kind": "switch"}})
    museum = registry.subscriptions([("museum", light)], [])
    assert ("room1/light/feedback", 0) in museum and ("room1/status", 0) in museum
    assert ("ESP32CAM/+/status", 0) in registry.subscriptions([], ["esp32cam"])
    everything = registry.subscriptions([("museum", light)], ["esp32cam"], ["#"])
    assert {one for one in everything if one[1] == 0} == {("#", 0)}
