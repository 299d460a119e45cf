"""ESP32-CAM boards that sleep: `ESP32CAM/{MAC}/status|data|ack|cmd`, also under `device/`.

JSON without ids. A board wakes, says HELLO, is told what to do, sends its pictures in chunks,
gets ACK_OK with the next wake and sleeps: backend/delivery/dialogues.py keeps that conversation.
Wake times are `5:30PM`, UTC, without a date, so at most 24 hours ahead.
"""

import base64
import binascii
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from protocol import ProtocolError
from protocol.fields import boolean, reason, scalar, text, whole
from protocol.limits import IMAGE_BYTES
from protocol.verbs import ANY, DOSE, SET, Case, Verb

from backend.dialects import loose
from backend.dialects.dialect import Dialect, Facts, Message, Subscription
from backend.dialects.meaning import Answer, Hello, Meaning, Measured, Part, Picture

PREFIXES = ("ESP32CAM", "device")
MESSAGE_MAX = 64 * 1024
CHUNKS_MAX = 16_384
NAME_MAX = 100

_UNITS = {"temperature": "°C", "humidity": "%", "pressure": "hPa", "gas_resistance": "kΩ",
          "battery_voltage": "V", "wifi_rssi": "dBm"}  # fmt: skip
_TIMES = ("timestamp", "capture_timestamp", "capture_timeStamp", "captured_at")
_ACCEPTED = ("acknowledged", "accepted", "received")  # it has it; that it was done is not said
_DONE = ("ok", "success", "done", "completed", "executed")
_OPTIONS = {
    "prefix": lambda value: None if value in PREFIXES else "must be one of " + ", ".join(PREFIXES),
    "device_id": boolean,
    "missing_chunks": boolean,
}


def mac_of(raw: str) -> str | None:
    """12 upper-case hexadecimal digits, also from `aa:bb:…` and `aa-bb-…`; else None."""
    plain = raw.replace(":", "").replace("-", "").replace(" ", "").upper()
    return plain if len(plain) == 12 and not plain.strip("0123456789ABCDEF") else None


def parse(topic: str) -> tuple[str, str] | None:
    """(MAC, leaf), or None where the topic is not of this dialect."""
    parts = topic.split("/")
    mac = mac_of(parts[1]) if len(parts) == 3 and parts[0] in PREFIXES else None
    return (mac, parts[2]) if mac else None


def read(topic: str, payload: bytes, facts: Facts) -> list[Meaning]:
    """What a board says; [] for our own words, which come back on shared topics."""
    found = parse(topic)
    if found is None:
        raise ProtocolError("malformed", "topic", "is none of an ESP32-CAM")
    said = loose.read_object(payload, MESSAGE_MAX)
    if found[1] == "ack":
        return _ack(said)
    if found[1] == "status":
        return [_hello(said), *_measured(said)]
    if found[1] == "data":
        return _data(said)
    raise ProtocolError("unknown_type", "topic", "is not read by this version")


def _hello(said: dict[str, Any]) -> Hello:
    listed = said.get("pending_list")
    count = loose.whole(loose.first(said, "pendingImg", "pending_count"), 0, 10_000)
    if count is None:
        count = min(len(listed), 10_000) if type(listed) is list else 0
    claims = {
        "firmware": loose.text(said.get("firmware_version")),
        "device_mac": loose.text(loose.first(said, "device_mac", "device_id")),
    }
    return Hello(count, {name: value for name, value in claims.items() if value})


def _ack(said: dict[str, Any]) -> list[Meaning]:
    if "ACK_OK" in said or "missing_chunks" in said:
        return []
    ack = said.get("command_ack")
    status = ack.get("status") if type(ack) is dict else ack
    kind = loose.text(ack.get("type")) if type(ack) is dict else ""
    if type(status) is not str:
        raise ProtocolError("malformed", "command_ack", "is missing")
    if status.lower() in (*_ACCEPTED, *_DONE):
        state = "accepted" if status.lower() in _ACCEPTED else "completed"
        return [Answer("", state, None, kind or None)]
    return [Answer("", "failed", "hardware", kind or None)]


def _data(said: dict[str, Any]) -> list[Meaning]:
    """A chunk, metadata, or telemetry alone, told apart by their members."""
    if "chunk_id" in said:
        return [_part(said)]
    if loose.first(said, "total_chunk_count", "total_chunks_count", "image_size") is not None:
        return [_picture(said), *_measured(said)]
    measured = _measured(said)
    if not measured:
        raise ProtocolError("malformed", "message", "is no metadata, chunk or telemetry")
    return measured


def _name(said: dict[str, Any]) -> str:
    name = loose.text(said.get("image_name"), NAME_MAX)
    if not name or name != said["image_name"]:
        raise ProtocolError("malformed", "image_name", f"must be 1 to {NAME_MAX} characters")
    return name


def _picture(said: dict[str, Any]) -> Picture:
    size = loose.whole(said.get("image_size"), 1, IMAGE_BYTES)
    chunk = loose.whole(loose.first(said, "max_chunks_size", "max_chunk_size"), 1, MESSAGE_MAX)
    count = loose.whole(
        loose.first(said, "total_chunk_count", "total_chunks_count"), 1, CHUNKS_MAX
    )
    error = loose.whole(said.get("error"), 0, 10_000) or 0
    if size is None or chunk is None or -(-size // chunk) > CHUNKS_MAX:
        raise ProtocolError("malformed", "image_size", "or the size of its chunks can't be right")
    if count not in (None, -(-size // chunk)):
        raise ProtocolError("malformed", "total_chunk_count", "does not fit size and chunk size")
    count = -(-size // chunk)
    return Picture(_name(said), size, chunk, count, _time(said), error, _values(said))


def _part(said: dict[str, Any]) -> Part:
    index = loose.whole(said["chunk_id"], 0, CHUNKS_MAX - 1)
    if index is None:
        raise ProtocolError("malformed", "chunk_id", f"must be from 0 to {CHUNKS_MAX - 1}")
    return Part(_name(said), index, _bytes(said.get("payload")))


def _bytes(value: Any) -> bytes:
    """Base64, or a list of byte numbers."""
    try:
        if type(value) is str:
            return base64.b64decode(value, validate=True)
        if type(value) is list and all(type(one) is int for one in value):
            return bytes(value)
    except (ValueError, binascii.Error):
        pass
    raise ProtocolError("malformed", "payload", "must be base64, or a list of bytes")


def _values(said: dict[str, Any]) -> dict[str, tuple[float, str]]:
    nested = said.get("sensor_data")
    flat = {**said, **(nested if type(nested) is dict else {})}
    values = {name: loose.number(flat.get(name)) for name in _UNITS}
    return {name: (value, _UNITS[name]) for name, value in values.items() if value is not None}


def _measured(said: dict[str, Any]) -> list[Meaning]:
    found = _values(said)
    return [Measured(_time(said), found)] if found else []


def _time(said: dict[str, Any]) -> int:
    return loose.epoch(loose.first(said, *_TIMES))


def wake_text(at: int) -> str:
    """The wake time of an epoch as these boards read it: `5:30PM`, UTC."""
    hour, minute = time.gmtime(at)[3:5]
    return f"{(hour + 11) % 12 + 1}:{minute:02}{'AM' if hour < 12 else 'PM'}"


def say(facts: Facts, leaf: str, members: dict[str, Any]) -> Message:
    """One message to a board, under the prefix that is set for it."""
    options = facts["options"]
    if options.get("device_id"):
        members = {"device_id": facts["board_id"], **members}
    where = f"{options.get('prefix', PREFIXES[0])}/{facts['board_id']}/{leaf}"
    return where, json.dumps(members, separators=(",", ":")).encode(), 1


def write(facts: Facts, command: dict[str, Any]) -> list[Message]:
    """One JSON object on `cmd`; nothing in it says which command it is."""
    parameters, now = command["parameters"], command["timestamp"]
    members: dict[str, dict[str, Any]] = {
        "capture_image": {"capture_image": True},
        "ping": {"ping": True, "timestamp": now},
        "restart": {"reboot": True},
        "send_image": {"send_image": parameters.get("image_id")},
        "set_wake_schedule": {"next_wake": wake_text(now + parameters.get("seconds", 0))},
        "update_firmware": {"firmware_url": parameters.get("url")},
        "update_config": dict(parameters),
    }
    if command["command_type"] not in members:
        raise ProtocolError("unknown_type", "command_type", "is no word of an ESP32-CAM")
    return [say(facts, "cmd", members[command["command_type"]])]


def patterns(boards: Iterable[Facts]) -> list[Subscription]:
    """QoS 0: a HELLO that a broker kept while we were away would be of a board asleep again."""
    leaves = ("status", "data", "ack")
    return [(f"{prefix}/+/{leaf}", 0) for prefix in PREFIXES for leaf in leaves]


def configure(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """`prefix` of what is sent, `device_id` in it, `missing_chunks`: asked for one by one."""
    for name, value in options.items():
        check = _OPTIONS.get(name)
        why = reason(check, value) if check else "is unknown; use " + ", ".join(_OPTIONS)
        if why:
            raise ProtocolError("bad_parameter", f"options.{name[:64]}", why)
    return {}, dict(options)


def _verb(kind: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> Verb:
    return Verb(None, {None: Case(kind, required, optional or {})}, None, False)


def file_name(value: Any) -> str | None:
    """A check for the name of a picture."""
    fine = type(value) is str and 0 < len(value) <= NAME_MAX and value.isprintable()
    return None if fine else f"must be 1 to {NAME_MAX} printable characters"


VERBS = {
    "capture_image": _verb(DOSE, {}),
    "send_image": _verb(SET, {"image_id": file_name}),  # what it has kept it sends at each wake
    "set_wake_schedule": _verb(SET, {"seconds": whole(60, 86_340, "s")}),
    "ping": _verb(SET, {}),
    "restart": _verb(SET, {}),
    "update_firmware": _verb(DOSE, {"url": text}),
    "update_config": _verb(SET, {}, {ANY: scalar}),
}

ESP32CAM = Dialect(
    "esp32cam",
    read,
    write,
    patterns,
    VERBS,
    configure,
    life_s=24 * 3600,
    answer_ms=10_000,
    slow={"capture_image": 30_000, "send_image": 600_000},
    mute=frozenset(VERBS) - {"capture_image", "send_image"},
    limits=(
        "Commands carry no id: what answers which is told by topic and time, which is a guess.",
        "The board remembers nothing: a repeated command is carried out twice, a late one too.",
        "Messages are not signed: whoever may publish on the broker may command it.",
        "Most commands are never answered; they end as UNKNOWN and can't be asked about.",
    ),
)
