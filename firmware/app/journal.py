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
"""

import binascii

from protocol.limits import COMMAND_LIFE_MAX, EPOCH_MAX
from protocol.messages import COMPLETED, FAILED, UNKNOWN

from .lines import (
    BEGUN,
    ENDED,
    HEAD,
    QUEUED,
    RESTARTING,
    answer_of,
    answered,
    expires_at_of,
    from_line,
    phase_of,
    started,
    to_line,
)

FILES = 8
_SPARE = 16  # lines between two replacements of a file

# What power took away, by the phase it was in.
_AT_BOOT = {
    QUEUED: (FAILED, "not_started"),
    BEGUN: (UNKNOWN, "interrupted"),
    RESTARTING: (COMPLETED, None),
}


def file_name(number):
    """Where the lines of file `number` are."""
    return "journal{}".format(number)


def file_of(command_id):
    """The number of the file an id belongs to."""
    return binascii.crc32(command_id.encode()) % FILES


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
        self._entries: list = [{} for _ in range(FILES)]  # of each file, {id: entry}
        self._left = bytearray(FILES)  # lines that may be appended to each; 0: replace it instead
        self._owed = set()  # files a write has failed on
        self.floor = self.complete_from = 0
        self.bad = self.failures = 0
        torn = [self._load(number) for number in range(FILES)]
        self._recover(torn)

    def find(self, command_id):
        """The phase a command is in, or None where it is not known."""
        entry = self._entries[file_of(command_id)].get(command_id)
        return None if entry is None else phase_of(entry)

    def answer(self, command_id):
        """(state, error, timestamp, result) of a command that is ENDED."""
        return answer_of(self._entries[file_of(command_id)][command_id])

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

    def forget(self, command_id):
        """Take back what was to be remembered and could not be written."""
        del self._entries[file_of(command_id)][command_id]

    def queue(self, command_id, expires_at):
        """It waits for its turn."""
        return self._put(command_id, started(QUEUED, expires_at))

    def begin(self, command_id, expires_at, phase=BEGUN):
        """It begins as soon as this returns True. `phase`: BEGUN or RESTARTING."""
        return self._put(command_id, started(phase, expires_at))

    def finish(self, command_id, state, error, timestamp, result):
        """It has an answer; it is one of those here."""
        expires_at = expires_at_of(self._entries[file_of(command_id)][command_id])
        return self.remember(command_id, expires_at, state, error, timestamp, result)

    def remember(self, command_id, expires_at, state, error, timestamp, result):
        """Its answer, whether it was here or not."""
        return self._put(command_id, answered(expires_at, state, error, timestamp, result))

    def tidy(self):
        """Replace the file that needs it first, if any does soon: for quiet moments."""
        number = min(range(FILES), key=lambda number: self._left[number])
        if self._left[number] <= _SPARE // 4 and number not in self._owed:
            self._replace(number)

    def _put(self, command_id, entry):
        number = file_of(command_id)
        self._entries[number][command_id] = entry
        if self._left[number] == 0:
            written = self._replace(number)
        else:
            written = self._append(number, to_line(command_id, entry))
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
        head = "{} {}".format(self.floor, self.complete_from).encode()
        lines = [to_line(HEAD, head)]
        lines.extend(to_line(name, entry) for name, entry in self._entries[number].items())
        try:
            self._flash.replace(file_name(number), b"".join(lines))
        except OSError:
            return self._failed(number)
        self._left[number] = _SPARE
        self._owed.discard(number)
        return True

    def _size(self):
        return sum(len(entries) for entries in self._entries)

    def _drop_oldest(self, now):
        """Drop the answer that expired first, if that was before `now`. Returns whether it did."""
        place, oldest, when = self._entries[0], None, now + 1
        for entries in self._entries:
            for name, entry in entries.items():
                if phase_of(entry) == ENDED and expires_at_of(entry) < when:
                    place, oldest, when = entries, name, expires_at_of(entry)
        if oldest is None:
            return False
        del place[oldest]
        self.floor = max(self.floor, when)
        self.complete_from = max(self.complete_from, when)
        return True

    def _load(self, number):
        """Take what is in a file. Returns whether its end is torn off."""
        data = self._flash.read(file_name(number)) or b""
        start = lines = 0
        while True:
            end = data.find(b"\n", start)
            if end < 0:
                break
            self._take(data[start:end])
            start, lines = end + 1, lines + 1
        self._left[number] = max(0, 2 * _SPARE - lines)
        return start < len(data)  # torn: it was never acted upon

    def _take(self, line):
        parsed = from_line(line)
        if parsed is None:
            self.bad += 1
        elif parsed[0] == HEAD:
            floor, complete_from = [int(part) for part in parsed[1].split(b" ")]
            self.floor = max(self.floor, floor)
            self.complete_from = max(self.complete_from, complete_from)
        else:
            self._entries[file_of(parsed[0])][parsed[0]] = parsed[1]

    def _recover(self, torn):
        """Answer what power has cut off, and make every file one that can be appended to."""
        if self.bad:
            self.complete_from = EPOCH_MAX
            torn = [True] * FILES
        while self._size() > self._capacity and self._drop_oldest(EPOCH_MAX):
            pass
        for number in range(FILES):
            if self._end_all(self._entries[number]) or torn[number]:
                self._replace(number)

    def _end_all(self, entries):
        """Answer what is under way. Returns whether there was any."""
        under_way = [name for name in entries if phase_of(entries[name]) != ENDED]
        for name in under_way:
            phase = phase_of(entries[name])
            if phase == QUEUED and self.bad:  # that it began may be what is gone
                phase = BEGUN
            state, error = _AT_BOOT[phase]
            entries[name] = answered(expires_at_of(entries[name]), state, error, 0, {})
        return bool(under_way)
