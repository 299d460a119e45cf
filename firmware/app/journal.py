"""What became of each command, on flash: written before anything moves, read again at boot.

Rules of this file:
- one line for each step, `id entry crc`; an entry is a phase letter, the command's `expires_at`
  and, once there is one, the answer. The last line of an id counts;
- the file is only appended to, and now and then replaced by what still counts;
- a line that is torn or corrupt is left out and counted, never fatal;
- an id is remembered until its `expires_at` has passed, for until then a copy may come; its
  answer stays until the space is needed. The oldest goes first, and `floor` is the highest
  `expires_at` that ever went: what is not here and not above it may have run. `complete_from`
  is the same, or later where corruption took lines: nobody can tell which.
"""

import binascii
import json

from protocol.limits import COMMAND_LIFE_MAX, EPOCH_MAX
from protocol.messages import COMPLETED, FAILED, UNKNOWN

NAME = "journal"

QUEUED = "q"
BEGUN = "b"
RESTARTING = "s"
ENDED = "r"
_HEAD = "."  # stands where an id would

# What power took away, by the phase it was in.
_AT_BOOT = {
    QUEUED: (FAILED, "not_started"),
    BEGUN: (UNKNOWN, "interrupted"),
    RESTARTING: (COMPLETED, None),
}


def _line(name, entry):
    body = name.encode() + b" " + entry
    return body + b" %08x\n" % binascii.crc32(body)


def _parsed(line):
    """(id, entry) of a line without its line end, or None where it is corrupt."""
    body = line[:-9]
    if len(line) < 12 or line[-9:] != b" %08x" % binascii.crc32(body):
        return None
    name, entry = body.split(b" ", 1)
    return name.decode(), entry


def _answer(expires_at, state, error, timestamp, result):
    text = json.dumps(result) if result else ""
    words = (ENDED + str(expires_at), state, error or "-", str(timestamp), text)
    return " ".join(words).encode()


def _expires_at(entry):
    return int(entry[1:].split(b" ", 1)[0])


class Journal:
    """The commands this board has seen. `capacity`: how many it remembers, a quarter of them
    reserved for stops, refusals and the like.

    The writing methods return whether the line is on flash; if it is not, it is still remembered
    here, and goes along with the next that succeeds. `bad`: lines lost to corruption;
    `failures`: writes that failed. Raises OSError where the flash can't be read.
    """

    def __init__(self, flash, boot, capacity=64):
        self._flash, self.boot = flash, boot
        self._capacity, self._reserved = capacity, capacity // 4
        self._entries = {}
        self._lines = 0
        self._dirty = False
        self.floor = self.complete_from = 0
        self.bad = self.failures = 0
        self._load()
        self._recover()

    def find(self, command_id):
        """The phase a command is in, or None where it is not known."""
        entry = self._entries.get(command_id)
        return None if entry is None else chr(entry[0])

    def answer(self, command_id):
        """(state, error, timestamp, result) of a command that is ENDED."""
        _, state, error, timestamp, text = self._entries[command_id].split(b" ", 4)
        error = None if error == b"-" else error.decode()
        return state.decode(), error, int(timestamp), json.loads(text) if text else {}

    def full(self, now, reserve=False):
        """True where there is no room for one more, even without what has expired at `now`.

        `now` is Unix seconds, or 0 where nobody knows. `reserve`: may use the reserved part.
        """
        limit = self._capacity if reserve else self._capacity - self._reserved
        while len(self._entries) >= limit:
            if not self._drop_oldest(now):
                return True
        return False

    def lost(self, expires_at, now):
        """True where a command of this `expires_at` that is not here may have been here once."""
        if now and self.complete_from == EPOCH_MAX:  # lines are gone, and now it has a date
            self.complete_from = now + COMMAND_LIFE_MAX
        return expires_at <= self.complete_from

    def forget(self, command_id):
        """Take back what was to be remembered and could not be written."""
        del self._entries[command_id]

    def queue(self, command_id, expires_at):
        """It waits for its turn."""
        return self._put(command_id, (QUEUED + str(expires_at)).encode())

    def begin(self, command_id, expires_at, phase=BEGUN):
        """It begins as soon as this returns True. `phase`: BEGUN or RESTARTING."""
        return self._put(command_id, (phase + str(expires_at)).encode())

    def finish(self, command_id, state, error, timestamp, result):
        """It has an answer; it is one of those here."""
        expires_at = _expires_at(self._entries[command_id])
        return self.remember(command_id, expires_at, state, error, timestamp, result)

    def remember(self, command_id, expires_at, state, error, timestamp, result):
        """Its answer, whether it was here or not."""
        return self._put(command_id, _answer(expires_at, state, error, timestamp, result))

    @property
    def bulky(self):
        """True where replacing the file at the next quiet moment is worth it."""
        return self._lines > len(self._entries) + self._capacity // 2

    def compact(self):
        """Replace the file by what still counts. Returns whether that succeeded."""
        head = "{} {}".format(self.floor, self.complete_from).encode()
        lines = [_line(_HEAD, head)]
        lines.extend(_line(name, self._entries[name]) for name in self._entries)
        self._dirty = True
        try:
            self._flash.replace(NAME, b"".join(lines))
        except OSError:
            self.failures += 1
            return False
        self._lines = len(lines)
        self._dirty = False
        return True

    def _put(self, command_id, entry):
        self._entries[command_id] = entry
        if self._dirty or self._lines >= 2 * self._capacity:
            return self.compact()
        try:
            self._flash.append(NAME, _line(command_id, entry))
        except OSError:  # part of the line may stand there: nothing may be appended to it
            self._dirty = True
            self.failures += 1
            return False
        self._lines += 1
        return True

    def _drop_oldest(self, now):
        oldest, when = None, now + 1
        for name, entry in self._entries.items():
            if entry[0] == ord(ENDED) and _expires_at(entry) < when:
                oldest, when = name, _expires_at(entry)
        if oldest is None:
            return False
        del self._entries[oldest]
        self.floor = max(self.floor, when)
        self.complete_from = max(self.complete_from, when)
        return True

    def _load(self):
        data = self._flash.read(NAME) or b""
        start = 0
        while start < len(data):
            end = data.find(b"\n", start)
            if end < 0:  # torn: it was never acted upon
                self._dirty = True
                return
            self._take(data[start:end])
            start = end + 1

    def _take(self, line):
        self._lines += 1
        parsed = _parsed(line)
        if parsed is None:
            self.bad += 1
        elif parsed[0] == _HEAD:
            self.floor, self.complete_from = [int(part) for part in parsed[1].split(b" ")]
        else:
            self._entries[parsed[0]] = parsed[1]

    def _recover(self):
        if self.bad:
            self.complete_from = EPOCH_MAX
            self._dirty = True
        for name, entry in self._entries.items():
            if entry[0] != ord(ENDED):
                state, error = _AT_BOOT[chr(entry[0])]
                self._entries[name] = _answer(_expires_at(entry), state, error, 0, {})
                self._dirty = True
        while len(self._entries) > self._capacity and self._drop_oldest(EPOCH_MAX):
            pass
        if self._dirty:
            self.compact()
