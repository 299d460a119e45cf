"""The lines of the journal: `id entry crc`, the crc in 8 hex digits.

An entry is a phase letter, the command's `expires_at` and, once there is one, its answer: state,
error or -, timestamp, result as JSON or nothing. Entries stay bytes in memory, too.
"""

import binascii
import json

QUEUED = "q"
BEGUN = "b"
RESTARTING = "s"
ENDED = "r"
HEAD = "."  # stands where an id would


def to_line(name, entry):
    """The bytes of a line, its line end included."""
    body = name.encode() + b" " + entry
    return body + b" %08x\n" % binascii.crc32(body)


def from_line(line):
    """(id, entry) of a line without its line end, or None where it is corrupt."""
    body = line[:-9]
    if len(line) < 12 or line[-9:] != b" %08x" % binascii.crc32(body):
        return None
    name, entry = body.split(b" ", 1)
    return name.decode(), entry


def started(phase, expires_at):
    """The entry of a command that has no answer yet."""
    return (phase + str(expires_at)).encode()


def answered(expires_at, state, error, timestamp, result):
    """The entry of a command that has its answer."""
    text = json.dumps(result, separators=(",", ":")) if result else ""
    words = (ENDED + str(expires_at), state, error or "-", str(timestamp), text)
    return " ".join(words).encode()


def answer_of(entry):
    """(state, error, timestamp, result) of an entry that has an answer."""
    _, state, error, timestamp, text = entry.split(b" ", 4)
    error = None if error == b"-" else error.decode()
    return state.decode(), error, int(timestamp), json.loads(text) if text else {}


def phase_of(entry):
    """Its phase letter."""
    return chr(entry[0])


def expires_at_of(entry):
    """Unix seconds."""
    return int(entry[1:].split(b" ", 1)[0])
