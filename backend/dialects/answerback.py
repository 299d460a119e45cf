"""Our own dialect: signed messages with ids, exactly as protocol/ has them."""

from collections.abc import Iterable
from typing import Any

from protocol import ProtocolError, decode, encode, image_reading
from protocol.catalogue import VERBS
from protocol.topics import (
    ACK,
    COMMANDS,
    HEARTBEAT,
    IMAGE,
    LOG,
    PREFIX,
    SENSORS,
    STARTUP,
    STATUS,
    THRESHOLD,
    parse,
    topic,
)

from backend.dialects.dialect import (
    Dialect,
    Facts,
    Message,
    Subscription,
    nothing_to_configure,
)

# What is read, {the end of its topic: its kind}.
KINDS = {
    ACK: "ack",
    STATUS: "status",
    STARTUP: "startup",
    HEARTBEAT: "heartbeat",
    LOG: "log",
    SENSORS: "sensors",
    THRESHOLD: "threshold",
    IMAGE: "image",
}


def read(where: str, payload: bytes, facts: Facts) -> tuple[str, Any]:
    """(kind, message); an image's is a Header or Chunk."""
    _, leaf = parse(where)
    if leaf not in KINDS:
        raise ProtocolError("unknown_type", "topic", "is not read by this version")
    if leaf == IMAGE:
        return KINDS[leaf], image_reading.decode(payload, facts["key"])
    return KINDS[leaf], decode(KINDS[leaf], payload, facts["key"])


def write(facts: Facts, command: dict[str, Any]) -> list[Message]:
    """One signed message on the board's commands topic."""
    return [(topic(facts["board_id"], COMMANDS), encode("command", command, facts["key"]), 1)]


def patterns(boards: Iterable[Facts]) -> list[Subscription]:
    """The leaves of every board, known or not."""
    return [(f"{PREFIX}/+/{leaf}", 1) for leaf in KINDS]


ANSWERBACK = Dialect(
    "answerback",
    read,
    write,
    patterns,
    {name: verb for name, verb in VERBS.items() if not verb.internal},
    nothing_to_configure,
    exact=True,
    silence_ms=35_000,
)
