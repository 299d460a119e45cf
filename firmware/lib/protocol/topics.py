"""MQTT topics: `devices/{board id}/{leaf}`, built and taken apart here and nowhere else."""

from .errors import ProtocolError
from .limits import ID_LENGTH

PREFIX = "devices"

COMMANDS = "commands"
ACK = "ack"
STATUS = "status"
STARTUP = "data/startup"
HEARTBEAT = "data/heartbeat"
LOG = "data/log"
SENSORS = "data/sensors"
IMAGE = "data/image"
THRESHOLD = "threshold"

LEAVES = (
    COMMANDS, ACK, STATUS, STARTUP, HEARTBEAT, LOG, SENSORS, IMAGE, THRESHOLD,
)  # fmt: skip

ID_RULE = "must be 1 to 64 of A-Z a-z 0-9 _ -"


def is_id(text):
    """True where `text` is a str of 1 to 64 characters out of A-Z a-z 0-9 _ -."""
    if type(text) is not str or not 0 < len(text) <= ID_LENGTH:
        return False
    return not text.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def topic(board_id, leaf):
    """The topic of one board's leaf. Raises ProtocolError for an id or a leaf that is none."""
    if not is_id(board_id):
        raise ProtocolError("malformed", "board_id", ID_RULE)
    if leaf not in LEAVES:
        raise ProtocolError("malformed", "topic", "is not known")
    return "/".join((PREFIX, board_id, leaf))


def parse(text):
    """(board id, leaf) of a topic. Raises ProtocolError where it is not one of ours."""
    parts = text.split("/", 2)
    if len(parts) != 3 or parts[0] != PREFIX:
        raise ProtocolError("malformed", "topic", "is not known")
    if not is_id(parts[1]):
        raise ProtocolError("malformed", "topic", ID_RULE)
    if parts[2] not in LEAVES:
        raise ProtocolError("malformed", "topic", "is not known")
    return parts[1], parts[2]
