"""What became of each command, on flash: written before anything moves, read again at boot.

Rules of this file:
- one line for each step of a command; the last line of an id counts;
- the lines are spread over a few small files by their ids, so that no large piece of memory is
  ever needed; each is only appended to, and now and then replaced by what still counts;
- a line that is torn or corrupt is left out and counted, never fatal;
- an id is remembered until its `expires_at` has passed, for until then a copy may come; its
  answer stays until the space is needed. The oldest goes first, and `floor` is the highest
  `expires_at` that ever went: what is not here and not above it may have run. `complete_from`
  is the same, or later where corruption took lines: nobody can tell which.

A line is `id entry crc`, the crc in 8 hex digits. An entry is a phase letter, the command's
`expires_at` and, once there is one, its answer: state, error or -, timestamp, result as JSON or
nothing. In memory, too, entries are lines, `id entry`, in a few pieces of bytes (with a line end
before the first): a dict of them takes three times as much. Each file has two such pieces, for
each change needs room for a new one, and a hole of that size is what a full memory lacks first.
"""

import binascii
import json

from protocol.limits import COMMAND_LIFE_MAX, EPOCH_MAX

from . import once

QUEUED = "q"
BEGUN = "b"
RESTARTING = "s"
ENDED = "r"
HEAD = "."  # stands where an id would

FILES = 8
PIECES = 16  # a multiple of FILES
SPARE = 16  # lines between two replacements of a file


def file_name(number):
    """Where the lines of file `number` are."""
    return "journal{}".format(number)


def piece_of(name):
    """The number of the piece an id (bytes) belongs to; modulo FILES it is that of its file."""
    return binascii.crc32(name) % PIECES


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
        self._owed = set()  # files a write has failed on
        self.floor = self.complete_from = self.bad = self.failures = 0
        self._recover(once("recovery").Found(flash))

    def find(self, command_id):
        """The phase a command is in, or None where it is not known."""
        entry = self._entry(command_id)
        return None if entry is None else phase_of(entry)

    def answer(self, command_id):
        """(state, error, timestamp, result) of a command that is ENDED."""
        return answer_of(self._entry(command_id))

    def full(self, now, reserve=False):
        """True where there is no room for one more, even without what has expired at `now`.

        `now` is Unix seconds, or 0 where nobody knows. `reserve`: may use the reserved part.
        """
        limit = self._capacity if reserve else self._capacity - self._reserved
        while self._size() >= limit:
            if not self._drop_oldest(now):
                return True
        return False

    def lost(self, expires_at, now):
        """True where a command of this `expires_at` that is not here may have been here once."""
        if now and self.complete_from == EPOCH_MAX:  # lines are gone, and now it has a date
            self.complete_from = now + COMMAND_LIFE_MAX
        return expires_at <= self.complete_from

    def kept(self, command_id):
        """True where what is known of it is on flash, after one more try if need be."""
        number = piece_of(command_id.encode()) % FILES
        return number not in self._owed or self._replace(number)

    def queue(self, command_id, expires_at):
        """It waits for its turn."""
        return self._put(command_id, started(QUEUED, expires_at))

    def begin(self, command_id, expires_at, phase=BEGUN):
        """It begins as soon as this returns True. `phase`: BEGUN or RESTARTING."""
        return self._put(command_id, started(phase, expires_at))

    def finish(self, command_id, state, error, timestamp, result):
        """It has an answer; it is one of those here."""
        expires_at = expires_at_of(self._entry(command_id))
        return self.remember(command_id, expires_at, state, error, timestamp, result)

    def remember(self, command_id, expires_at, state, error, timestamp, result):
        """Its answer, whether it was here or not."""
        return self._put(command_id, answered(expires_at, state, error, timestamp, result))

    def tidy(self):
        """Replace the file that needs it first, if any does soon: for quiet moments."""
        number = min(range(FILES), key=lambda number: self._left[number])
        if self._left[number] <= SPARE // 4 and number not in self._owed:
            self._replace(number)

    def _recover(self, found):
        """Go on from there, with every file one that can be appended to."""
        self._lines = found.lines  # of each piece, what counts
        self._left = found.left  # lines that may be appended to each; 0: replace it instead
        self.floor, self.complete_from = found.floor, found.complete_from
        self.bad = found.bad
        while self._size() > self._capacity and self._drop_oldest(EPOCH_MAX):
            pass
        for number in found.end_all():
            self._replace(number)

    def _entry(self, command_id):
        name = command_id.encode()
        return entry_in(self._lines[piece_of(name)], name)

    def _put(self, command_id, entry):
        name = command_id.encode()
        place = piece_of(name)
        number = place % FILES
        self._lines[place] = changed(self._lines[place], name, entry)
        if self._left[number] == 0:
            written = self._replace(number)
        else:
            written = self._append(number, to_line(name + b" " + entry))
        if written:
            for owed in list(self._owed):
                self._replace(owed)
        return written

    def _append(self, number, line):
        self._left[number] -= 1
        try:
            self._flash.append(file_name(number), line)
        except OSError:
            return self._failed(number)
        return True

    def _failed(self, number):
        self.failures += 1
        self._owed.add(number)
        self._left[number] = 0  # part of a line may stand there: nothing may be appended to it
        return False

    def _replace(self, number):
        head = "{} {} {}".format(HEAD, self.floor, self.complete_from).encode()
        lines = [head]
        for place in range(number, PIECES, FILES):
            lines += lines_in(self._lines[place])
        try:
            self._flash.replace(file_name(number), b"".join(to_line(line) for line in lines))
        except OSError:
            return self._failed(number)
        self._left[number] = SPARE
        self._owed.discard(number)
        return True

    def _size(self):
        return sum(lines.count(b"\n") - 1 for lines in self._lines)

    def _drop_oldest(self, now):
        """Drop the answer that expired first, if that was before `now`. Returns whether it did."""
        place, oldest, when = 0, None, now + 1
        for number in range(PIECES):
            for line in lines_in(self._lines[number]):
                name, entry = line.split(b" ", 1)
                if phase_of(entry) == ENDED and expires_at_of(entry) < when:
                    place, oldest, when = number, name, expires_at_of(entry)
        if oldest is None:
            return False
        self._lines[place] = without(self._lines[place], oldest)
        self.floor = max(self.floor, when)
        self.complete_from = max(self.complete_from, when)
        return True


def to_line(body):
    """The bytes of a line on flash, its line end included."""
    return body + b" %08x\n" % binascii.crc32(body)


def lines_in(lines):
    """Each `id entry`, as a list of bytes."""
    return lines[1:-1].split(b"\n") if len(lines) > 1 else []


def entry_in(lines, name):
    """The entry of an id (bytes), or None."""
    key = b"\n" + name + b" "
    start = lines.find(key) + len(key)
    return lines[start : lines.find(b"\n", start)] if start >= len(key) else None


def without(lines, name):
    """The lines, but that of an id (bytes), if there is one."""
    start = lines.find(b"\n" + name + b" ")
    return lines if start < 0 else lines[:start] + lines[lines.find(b"\n", start + 1) :]


def changed(lines, name, entry):
    """The lines with an entry put in, in place of the one of that id (bytes)."""
    return b"".join((without(lines, name), name, b" ", entry, b"\n"))  # one piece and no more


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
