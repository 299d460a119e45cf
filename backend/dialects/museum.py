"""Rooms of a museum: plain words on plain topics, `room1/light` = `ON`, answered by `OK`.

Boards say nothing of themselves but `devices/{client id}/status` = `online`, so what each has is
told at enrolment: targets, each with its topic. Whatever is sent is a *set*: repeating it is
harmless. Sent and read with QoS 0, but for the emergency stop, never retained but for the status.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from protocol import ProtocolError
from protocol.fields import OneOf, whole
from protocol.topics import PREFIX, STATUS, is_id
from protocol.verbs import SET, STOP, Case, Verb

from backend.dialects.dialect import Dialect, Facts, Message, Subscription
from backend.dialects.meaning import Answer, Meaning, Presence

KINDS = ("switch", "motor")
TARGETS_MAX = 64
PAYLOAD_MAX = 64
_FEEDBACK = "/feedback"
_VERDICTS = {"OK": ("completed", None), "ERROR": ("failed", "hardware")}
_NO_VERDICTS = ("ACTIVE", "INACTIVE")  # of a group of effects; it is no OK


def read(topic: str, payload: bytes, facts: Facts) -> list[Meaning]:
    """`online`, `offline`, or the verdict on whatever was sent last."""
    word = _word(payload)
    own = topic == f"{PREFIX}/{facts['board_id']}/{STATUS}"
    if own and word in ("ONLINE", "OFFLINE"):
        return [Presence(word == "ONLINE")]
    if word in _VERDICTS:
        state, error = _VERDICTS[word]
        return [Answer("" if own else topic, state, error)]
    if word in _NO_VERDICTS:
        return []
    known = "online, offline, OK or ERROR" if own else "OK or ERROR"
    raise ProtocolError("malformed", "payload", f"must be {known}")


def _word(payload: bytes) -> str:
    if len(payload) > PAYLOAD_MAX:
        raise ProtocolError("too_large", "payload", f"is over {PAYLOAD_MAX} bytes")
    try:
        return payload.decode().strip().strip('"').upper()
    except UnicodeDecodeError:
        raise ProtocolError("malformed", "payload", "is not UTF-8") from None


def write(facts: Facts, command: dict[str, Any]) -> list[Message]:
    """A word on the target's topic; an emergency stop goes to each of its rooms as a whole."""
    kind, target = command["command_type"], command["target"]
    if kind == "emergency_stop":
        return [(f"{room}/STOP", b"STOP", 1) for room in rooms(facts["actuators"])]
    about = facts["actuators"].get(target)
    if about is None:
        raise ProtocolError("unknown_target", "target", "must be one this board has")
    return [(about["topic"], _said(kind, command["parameters"]).encode(), 0)]


def _said(kind: str, parameters: Mapping[str, Any]) -> str:
    if kind == "direction":
        return f"DIR:{parameters['direction']}"
    if kind == "switch" and parameters["state"] == "on":
        return "ON"
    if kind == "motor" and parameters["action"] == "speed":
        return f"SPEED:{parameters['speed']}"
    if kind == "motor" and parameters["action"] == "start":
        ramp = f":{parameters['ramp_ms']}" if "ramp_ms" in parameters else ""
        return f"ON:{parameters['speed']}:{parameters.get('direction', 'L')}{ramp}"
    return "OFF"


def meant(kind: str, word: str) -> tuple[str, dict[str, Any]]:
    """(command type, parameters) of a word as scenes have it, for a target of this kind.

    A motor that is only told to start runs at full speed. Raises ProtocolError where targets of
    this kind know no such word.
    """
    word, off = word.strip().upper(), kind == "switch" and {"state": "off"}
    if word in ("OFF", "0", "STOP"):
        return kind, off or {"action": "stop"}
    if kind == "switch":
        if word in ("ON", "1", "START"):
            return kind, {"state": "on"}
        raise ProtocolError("bad_parameter", "message", "must be ON or OFF, 1 or 0, START or STOP")
    if found := _STARTED.fullmatch(word):
        speed, side, ramp = found.groups()
        given = {"direction": side, "ramp_ms": ramp and int(ramp)}
        more = {name: value for name, value in given.items() if value is not None}
        return kind, {"action": "start", "speed": int(speed or 100), **more}
    if found := _TURNED.fullmatch(word):
        return "direction", {"direction": found[1]}
    if found := _SPED.fullmatch(word):
        return kind, {"action": "speed", "speed": int(found[1])}
    known = "ON:<speed>:<L or R>, OFF, SPEED:<speed> or DIR:<L or R>"
    raise ProtocolError("bad_parameter", "message", f"must be {known}")


_STARTED = re.compile(r"(?:ON|START|1)(?::(\d{1,3}))?(?::([LR]))?(?::(\d{1,5}))?")
_TURNED, _SPED = re.compile("DIR:([LR])"), re.compile(r"SPEED:(\d{1,3})")


def rooms(actuators: Mapping[str, Any]) -> list[str]:
    """The rooms a board's targets are in."""
    return sorted({about["topic"].split("/")[0] for about in actuators.values()})


def lines(about: Mapping[str, Any]) -> list[str]:
    """The topics on which a target's answer may come."""
    topic = about["topic"]
    room = topic.split("/")[0]
    named = [about["feedback"]] if "feedback" in about else []
    return [*named, topic + _FEEDBACK, f"{room}/{STATUS}"]


def patterns(boards: Iterable[Facts]) -> list[Subscription]:
    """The answers of the targets that are known, and every status; no room as a whole."""
    topics = {f"{PREFIX}/+/{STATUS}"}
    for facts in boards:
        topics |= {line for about in facts["actuators"].values() for line in lines(about)}
    return [(topic, 0) for topic in sorted(topics)]


def configure(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """{"targets": {name: topic, or {"topic", "kind": "switch" or "motor", "feedback"}}}"""
    targets = options.get("targets")
    if set(options) != {"targets"} or type(targets) is not dict or not targets:
        raise _wrong(
            "targets",
            'say, and nothing else, which topics there are: {"targets": {"light": "room1/light"}}',
        )
    if len(targets) > TARGETS_MAX:
        raise _wrong("targets", f"must be at most {TARGETS_MAX}")
    return {name: _target(name, about) for name, about in targets.items()}, {}


def _target(name: str, given: Any) -> dict[str, Any]:
    if not is_id(name):
        raise _wrong("targets", "must have names of 1 to 64 of A-Z a-z 0-9 _ -")
    about = {"topic": given} if type(given) is str else given
    if type(about) is not dict or not {"topic"} <= set(about) <= {"topic", "kind", "feedback"}:
        raise _wrong(f"targets.{name}", "must be a topic, or an object of topic, kind, feedback")
    for member in ("topic", "feedback"):
        if member in about and not is_topic(about[member]):
            raise _wrong(f"targets.{name}", f"has a {member} that is none, such as room1/light")
    guessed = "motor" if about["topic"].split("/")[1].startswith("motor") else "switch"
    kind = about.get("kind", guessed)
    if kind not in KINDS:
        raise _wrong(f"targets.{name}", "has a kind that must be one of " + ", ".join(KINDS))
    return {**about, "kind": kind}


def is_topic(value: Any) -> bool:
    """Whether it is a topic of a room: two levels or more, no wildcards, nobody else's."""
    if type(value) is not str or len(value) > 200 or not value.isprintable():
        return False
    levels = value.split("/")
    strange = any(not level or set(level) & set("+#$") for level in levels)
    return 2 <= len(levels) <= 8 and not strange and levels[0] not in TAKEN


TAKEN = (PREFIX, "device", "ESP32CAM")  # the first levels that other dialects use


def _wrong(name: str, why: str) -> ProtocolError:
    return ProtocolError("bad_parameter", f"options.{name}", why)


_SPEED = whole(0, 100, "%")
_SIDE = OneOf(("L", "R"))
_OFF = Case(STOP, {}, {})
_START = Case(SET, {"speed": _SPEED}, {"direction": _SIDE, "ramp_ms": whole(0, 60_000, "ms")})
VERBS = {
    "switch": Verb("switch", {"on": Case(SET, {}, {}), "off": _OFF}, "state", False),
    "motor": Verb(
        "motor",
        {"start": _START, "speed": Case(SET, {"speed": _SPEED}, {}), "stop": _OFF},
        "action",
        False,
    ),
    "direction": Verb("motor", {None: Case(SET, {"direction": _SIDE}, {})}, None, False),
    "emergency_stop": Verb(None, {None: _OFF}, None, False),
}

MUSEUM = Dialect(
    "museum",
    read,
    write,
    patterns,
    VERBS,
    configure,
    answer_ms=2_000,
    retries=2,
    lease_ms=180_000,
    mute=frozenset({"emergency_stop"}),
    slow={"emergency_stop": 0},  # there is nothing to wait for
    limits=(
        "Commands carry no id: OK and ERROR are matched by topic, which is a guess.",
        "Nothing limits how long an output stays on but the board: 180 s without any command.",
        "An emergency stop reaches every board of the room, is never answered, and holds nothing.",
        "Messages are not signed, expire nowhere, and may be lost (QoS 0).",
    ),
)
