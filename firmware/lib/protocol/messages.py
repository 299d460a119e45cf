"""What is said between backend and board: one table of kinds, one encoder, one decoder.

A message is a dict. `encode` and `decode` apply the same checks, so neither side can say what the
other refuses; members that are not in the table are ignored when read and refused when written.
Every message is signed with the board's key, in both directions, so the broker need not be
trusted. Time on the wire: Unix seconds, whole numbers; 0 where a board does not know the time.
"""

import json

from .errors import CODES, ProtocolError
from .fields import (
    OneOf,
    boolean,
    identifier,
    identifier_or_empty,
    members,
    reason,
    scalars,
    text,
    whole,
)
from .limits import (
    ATTEMPTS_MAX,
    CONDITIONS_MAX,
    EPOCH_MAX,
    EPOCH_MIN,
    MESSAGE_BYTES,
    SAFE_INTEGER,
)
from .signature import sign, verify
from .topics import is_id

try:  # CPython: non-ASCII as UTF-8, for MicroPython can't join an escaped surrogate pair
    dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
except AttributeError:  # MicroPython writes UTF-8 by itself

    def dumps(message):
        return json.dumps(message, separators=(",", ":"))


# What an ack can say. `accepted` and `progress` come before the result, the rest are results.
# `unknown` is the board's own honest answer: interrupted, or forgotten.
ACCEPTED = "accepted"
PROGRESS = "progress"
COMPLETED = "completed"
FAILED = "failed"
REJECTED = "rejected"
CANCELLED = "cancelled"
UNKNOWN = "unknown"
RESULTS = (COMPLETED, FAILED, REJECTED, CANCELLED, UNKNOWN)
SUCCESSES = (ACCEPTED, PROGRESS, COMPLETED)

_epoch = whole(EPOCH_MIN, EPOCH_MAX)
count = whole(0, SAFE_INTEGER)


def epoch_or_unset(value):
    return None if type(value) is int and value == 0 else reason(_epoch, value)


def error(value):
    """None, or one of CODES."""
    known = value is None or is_id(value) and " " + value + " " in CODES
    return None if known else "is not a known code"


def _counts(value):
    return members(value, count)


def conditions(value):
    """1 to CONDITIONS_MAX objects of scalars; `conditions.py` has what each of them is."""
    if type(value) is not list or not 0 < len(value) <= CONDITIONS_MAX:
        return "must be a list of 1 to {}".format(CONDITIONS_MAX)
    for one in value:
        why = scalars(one)
        if why:
            return "has one that " + why
    return None


def identifiers(value):
    return members(value, identifier)


# What a kind of message has, as ((name, check), ...), in order; OPTIONAL may be left out, no other
# may. They are functions, for as tables they would lie in a board's memory for ever.

OPTIONAL = ("conditions",)


def _command():
    return (
        ("command_id", identifier),
        ("command_type", identifier),
        ("target", identifier_or_empty),
        ("parameters", scalars),
        ("timestamp", _epoch),
        ("expires_at", _epoch),
        ("attempt", whole(1, ATTEMPTS_MAX)),
        ("conditions", conditions),
    )


def _ack():
    return (
        ("command_id", identifier),
        ("state", OneOf((ACCEPTED, PROGRESS) + RESULTS)),
        ("success", boolean),
        ("message", text),
        ("error", error),
        ("result", scalars),
        ("timestamp", epoch_or_unset),
        ("boot", identifier),
    )


def _status():
    return (
        ("status", OneOf(("online", "offline", "asleep"))),
        ("boot", identifier),
        ("session", count),
        ("until", epoch_or_unset),  # asleep: when it wakes
    )


def _heartbeat():
    return (
        ("boot", identifier),
        ("session", count),
        ("uptime", count),
        ("heap", count),
        ("rssi", whole(-200, 0)),
        ("running", identifiers),
        ("latched", boolean),
        ("dropped", _counts),
    )


# Those that are said rarely, or only by some boards, are in `reports`.
KINDS = {
    "command": _command,
    "ack": _ack,
    "status": _status,
    "heartbeat": _heartbeat,
}


def _members_of(kind):
    """What returns the members that a message of this kind has."""
    members = KINDS.get(kind)
    if members is None:
        from .reports import KINDS as others

        members = others[kind]
    return members


def _checked(kind, message, members, whole=False):
    """The members of a message, checked; those its kind does not have are left out, or refused
    where that is to be the `whole` of it.
    """
    if type(message) is not dict:
        raise ProtocolError("malformed", kind, "must be an object")
    out = {}
    for member, check in members:
        if member not in message:
            if member in OPTIONAL:
                continue
            raise ProtocolError("malformed", member, "is missing")
        why = reason(check, message[member])
        if why:
            raise ProtocolError("malformed", member, why)
        out[member] = message[member]
    for member in message if whole else ():
        if member not in out:
            raise ProtocolError("malformed", str(member), "is no member of " + kind)
    return out


def encode(kind, message, key, members=None):
    """The signed bytes of a message. Raises ProtocolError where `decode` would.

    `members` returns those of the kind, where it is at hand.
    """
    _checked(kind, message, (members or _members_of(kind))(), True)
    data = sign(dumps(message)[:-1].encode(), key)
    if len(data) > MESSAGE_BYTES:
        raise ProtocolError("too_large", kind, "is over {} bytes".format(MESSAGE_BYTES))
    return data


def decode(kind, data, key):
    """The dict that was encoded. Raises ProtocolError, and nothing else, for any other bytes.

    `data` are bytes, or a view of some that is not needed any more once this returns.
    """
    if len(data) > MESSAGE_BYTES:
        raise ProtocolError("too_large", kind, "is over {} bytes".format(MESSAGE_BYTES))
    body = verify(data, key)
    try:
        text = body.decode()
        del body  # before the values come: memory is short on the board
        message = json.loads(text)
    except (ValueError, RuntimeError, MemoryError):  # RuntimeError: nested too deeply
        raise ProtocolError("malformed", kind, "is not JSON")  # noqa: B904 (MicroPython: no from)
    return _checked(kind, message, _members_of(kind)())


def ack(command_id, state, boot, timestamp=0, error=None, result=None, message=None):
    """An ack as a dict; `success` follows from the state. `message`: more about it, for people."""
    return {
        "command_id": command_id,
        "state": state,
        "success": state in SUCCESSES,
        "message": message or error or state,
        "error": error,
        "result": result or {},
        "timestamp": timestamp,
        "boot": boot,
    }
