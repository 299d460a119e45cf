"""Good and bad values for every member of every message; nothing of the protocol is imported."""

import hashlib
import hmac
import json
from typing import Any

KEY = bytes(range(32))
NOW = 1_800_000_000
LONGEST_TEXT = "x" * 200
SAFE = 2**53 - 1

MESSAGES: dict[str, dict[str, Any]] = {
    "command": {
        "command_id": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "command_type": "feed",
        "target": "feeder1",
        "parameters": {"amount": 20.25},
        "timestamp": NOW,
        "expires_at": NOW + 60,
        "attempt": 1,
    },
    "ack": {
        "command_id": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "state": "completed",
        "success": True,
        "message": "completed",
        "error": None,
        "result": {"amount": 20.25},
        "timestamp": NOW + 2,
        "boot": "9f3c",
    },
    "status": {"status": "online", "boot": "9f3c", "session": 7, "until": 0},
    "startup": {
        "boot": "9f3c",
        "session": 7,
        "cause": "power_on",
        "firmware": "0.1.0",
        "board": "ESP32_GENERIC",
        "actuators": {"feeder1": {"kind": "feeder", "longest_s": 120}},
        "has": "camera sleep",
        "slot": "a",
        "slot_state": "confirmed",
        "latched": False,
        "heap": 65536,
        "timestamp": 0,
    },
    "heartbeat": {
        "boot": "9f3c",
        "session": 7,
        "uptime": 12,
        "heap": 65536,
        "rssi": -61,
        "running": {"feeder1": "f81d4fae"},
        "latched": True,
        "dropped": {"out": 0},
    },
    "log": {"command_id": "f81d4fae", "part": 1, "parts": 2, "text": "Traceback: é\n" * 30},
    "sensors": {
        "boot": "9f3c",
        "readings": [
            {"sensor": "oxygen1", "value": 6.25, "unit": "mg/l", "timestamp": NOW},
            {"sensor": "water1", "value": -5, "unit": "°C", "timestamp": 0},
        ],
        "failed": {"air1": "driver"},
    },
    "threshold": {
        "boot": "9f3c",
        "sensor": "oxygen1",
        "limit": "low_oxygen",
        "state": "crossed",
        "value": 3.75,
        "unit": "mg/l",
        "timestamp": NOW,
    },
}

CONDITIONS: list[dict[str, Any]] = [
    {"sensor": "oxygen1", "below": 4.5, "max_age_s": 60},
    {"sensor": "water1", "above": -2, "max_age_s": 86400},
    {"output": "light1", "is": "off"},
    {"output": "feeder1", "is": "on"},
]

_READING: dict[str, Any] = {"sensor": "a", "value": 1, "unit": "", "timestamp": 0}

_ID: list[Any] = ["", "a" * 65, "a b", "a/b", "é", "a\0", 1, None, True, ["a"], {"a": 1}]
_COUNT: list[Any] = [-1, SAFE + 1, 1.0, "1", True, None, [1], 10**30]
_EPOCH: list[Any] = [1735689599, 4102444801, -NOW, NOW + 0.5, str(NOW), True, None, 10**12]
_SCALARS: list[Any] = [
    None,
    [],
    "a",
    {"a": None},
    {"a": []},
    {"a": {}},
    {"": 1},
    {"a b": 1},
    {"a": "x" * 201},
    {"a": "\ud800"},
    {"a": SAFE + 1},
    {f"p{n}": n for n in range(17)},
]
_TEXT: list[Any] = ["x" * 201, "é" * 201, "\ud800", "a\udfffé", 1, None, False, ["a"]]

# member -> values for which the message is refused with that member's name.
WRONG: dict[str, dict[str, list[Any]]] = {
    "command": {
        "command_id": _ID,
        "command_type": ["", "a" * 65, 5, None],
        "target": ["a" * 65, "a b", 0, None, False],
        "parameters": _SCALARS,
        "timestamp": [0, *_EPOCH],
        "expires_at": [0, *_EPOCH],
        "attempt": [0, -1, 1001, 1.0, True, "1", None],
        "conditions": [
            *(None, [], {}, "a", 1, True, [1], ["a"], [None], [[]], [{"a": None}], [{"a": []}]),
            *([{"a": {}}], [{"a b": 1}], [{"a": SAFE + 1}], [{}] * 5, [*CONDITIONS, {}]),
            [{f"p{n}": n for n in range(17)}],
        ],
    },
    "ack": {
        "command_id": ["", "a.b", 5, None],
        "state": ["", "done", "Completed", 1, None, True, ["completed"]],
        "success": [0, 1, "true", None],
        "message": _TEXT,
        "error": ["", "oops", "Expired", 0, False, ["expired"]],
        "result": [None, [1], {"a": None}],
        "timestamp": _EPOCH,
        "boot": ["", None, 9],
    },
    "status": {
        "status": ["", "Online", "Asleep", True, 1, None],
        "until": [1, -1, True, None, "0", 1.5, 4102444801],
        "boot": ["", "a" * 65, None, 9],
        "session": _COUNT,
    },
    "startup": {
        "boot": ["", "a b", None],
        "session": [-1, 0.0, False, None],
        "cause": ["", "power on", 1, None],
        "firmware": ["x" * 65, "\udc00", 1, None],
        "board": ["", "a" * 65, None],
        "actuators": [None, [], {"a": 1}, {"a": {"b": None}}, {"a b": {}}, {"a": None}],
        "has": ["x" * 65, None, []],
        "slot": ["x" * 65, None, 1],
        "slot_state": ["x" * 65, None, True],
        "latched": [0, 1, None, "false"],
        "heap": [-1, 1.5, True, "9"],
        "timestamp": [1, False, 0.0, *_EPOCH],
    },
    "heartbeat": {
        "boot": ["", None],
        "session": [-1, "7", None],
        "uptime": [-1, 0.5, True],
        "heap": [-1, None],
        "rssi": [1, -201, -60.5, True, None, "-60"],
        "running": [None, [], {"a": ""}, {"a": 1}, {"": "a"}, {"a": None}],
        "latched": [0, None, "true"],
        "dropped": [None, {"a": -1}, {"a": True}, {"a": 0.0}, {"a": "0"}, {"a b": 1}],
    },
    "log": {
        "command_id": ["", None, "a b"],
        "part": _COUNT,
        "parts": [-1, None],
        "text": ["x" * 513, "\ud800", None, 1],
    },
    "sensors": {
        "boot": ["", None],
        "readings": [
            *(None, {}, "", 1, [1], [[]], [None], [{}], [_READING] * 17),
            *([{**_READING, "sensor": bad}] for bad in ("", "a b", None, 1)),
            *([{**_READING, "value": bad}] for bad in (None, True, "1", SAFE + 1, 1e300, [1])),
            *([{**_READING, "unit": bad}] for bad in (None, 1, "x" * 65, "\ud800")),
            *([{**_READING, "timestamp": bad}] for bad in (None, 1, NOW + 0.5, "0", True)),
            [{**_READING, "more": 1}],
            [_READING, {"sensor": "a", "value": 1, "unit": ""}],
        ],
        "failed": [None, [], {"a": ""}, {"a": 1}, {"a b": "driver"}],
    },
    "threshold": {
        "boot": ["", None],
        "sensor": ["", None, "a.b"],
        "limit": ["", None, 1],
        "state": ["", "on", None, True, ["crossed"]],
        "value": [None, True, "1", SAFE + 1, -1e300, [1]],
        "unit": ["x" * 65, None, 1],
        "timestamp": [1, False, *_EPOCH],
    },
}

# Members at their limits, for which the message is accepted.
RIGHT: dict[str, list[dict[str, Any]]] = {
    "command": [
        {"command_id": "a"},
        {"command_id": "Az09_-" + "x" * 58},
        {"target": ""},
        {"parameters": {}},
        {"parameters": {f"p{n}": n for n in range(16)}},
        {"parameters": {"a": SAFE, "b": -SAFE, "c": True, "d": -0.5, "e": ""}},
        {"parameters": {"a": LONGEST_TEXT}},
        {"timestamp": 1735689600, "expires_at": 4102444800},
        {"attempt": 1000},
        {"command_type": "feed_if", "conditions": CONDITIONS},
    ],
    "ack": [
        {"state": "unknown", "success": False, "error": "interrupted"},
        {"message": ""},
        {"message": "é" * 200},
        {"message": "水槽 \U0001f41f 😀"},
        {"message": 'a"b\\c/d\b\f\n\r\t\0\x7f'},
        {"message": "\\ud83d\\ude00 \ud7ff\ue000\uffff"},
        {"timestamp": 0},
    ],
    "status": [
        {"status": "offline"},
        {"status": "asleep", "until": 1800000000},
        {"session": 0},
        {"session": SAFE},
    ],
    "startup": [{"actuators": {}}, {"actuators": {"a": {}}}, {"timestamp": NOW}, {"heap": 0}],
    "heartbeat": [{"rssi": 0}, {"rssi": -200}, {"running": {}}, {"dropped": {}}],
    "log": [{"text": ""}, {"text": "x" * 512}, {"part": 0, "parts": 0}],
    "sensors": [
        {"readings": [], "failed": {}},
        {"readings": [_READING] * 16},
        {"readings": [{**_READING, "value": SAFE}, {**_READING, "value": -SAFE}]},
        {"readings": [{**_READING, "value": -0.5, "unit": "°" * 64, "sensor": "x" * 64}]},
    ],
    "threshold": [{"state": "cleared"}, {"timestamp": 0}, {"value": 0}, {"unit": ""}],
}


def body_of(message: object) -> bytes:
    """The JSON of a message, without a signature."""
    return json.dumps(message, separators=(",", ":")).encode()


def sealed(body: bytes, key: bytes = KEY) -> bytes:
    """`body`, any bytes that end with a brace, with its signature (RFC 2104) before the brace."""
    digest = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
    return body[:-1] + b',"sig":"' + digest + b'"}'


def signed(message: object, key: bytes = KEY) -> bytes:
    """The signed bytes of a message; lone surrogates stand escaped, other characters as UTF-8."""
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    body = text.encode("utf-8", "surrogatepass")
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        body = body_of(message)
    return sealed(body, key)


def padded(message: dict[str, Any], size: int) -> bytes:
    """A signed message of `size` bytes, with a member nobody reads."""
    bare = len(signed({**message, "pad": ""}))
    return signed({**message, "pad": "x" * (size - bare)})


def ack_saying(raw: bytes) -> bytes:
    """The body of an ack whose message is `raw`, bytes as they stand between the quotes."""
    return body_of({**MESSAGES["ack"], "message": "SAID"}).replace(b"SAID", raw)
