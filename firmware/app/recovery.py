"""The journal as it lies on flash after a boot, read once and then never needed again.

What power cut off gets its answer here: queued, so it never began; begun, so nobody knows how far
it came; restarting, so it has restarted.
"""

import binascii

from protocol.limits import EPOCH_MAX
from protocol.messages import COMPLETED, FAILED, UNKNOWN

from .journal import (
    BEGUN,
    ENDED,
    FILES,
    HEAD,
    QUEUED,
    RESTARTING,
    SPARE,
    answered,
    expires_at_of,
    file_name,
    file_of,
    phase_of,
)

_AT_BOOT = {
    QUEUED: (FAILED, "not_started"),
    BEGUN: (UNKNOWN, "interrupted"),
    RESTARTING: (COMPLETED, None),
}


class Found:
    """What is on flash. The members are those of Journal. Raises OSError."""

    def __init__(self, flash):
        self._flash = flash
        self.entries: list = [{} for _ in range(FILES)]
        self.left = bytearray(FILES)
        self.floor = self.complete_from = 0
        self.bad = 0
        self._torn = [self._load(number) for number in range(FILES)]
        if self.bad:
            self.complete_from = EPOCH_MAX
            self._torn = [True] * FILES

    def end_all(self):
        """Answer all that is under way. Returns the numbers of the files to be replaced."""
        return [n for n in range(FILES) if self._end(self.entries[n]) or self._torn[n]]

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
        self.left[number] = max(0, 2 * SPARE - lines)
        return start < len(data)  # torn: it was never acted upon

    def _take(self, line):
        parsed = _from_line(line)
        if parsed is None:
            self.bad += 1
        elif parsed[0] == HEAD:
            floor, complete_from = [int(part) for part in parsed[1].split(b" ")]
            self.floor = max(self.floor, floor)
            self.complete_from = max(self.complete_from, complete_from)
        else:
            self.entries[file_of(parsed[0])][parsed[0]] = parsed[1]

    def _end(self, entries):
        """Answer what is under way. Returns whether there was any."""
        under_way = [name for name in entries if phase_of(entries[name]) != ENDED]
        for name in under_way:
            phase = phase_of(entries[name])
            if phase == QUEUED and self.bad:  # that it began may be what is gone
                phase = BEGUN
            state, error = _AT_BOOT[phase]
            entries[name] = answered(expires_at_of(entries[name]), state, error, 0, {})
        return bool(under_way)


def _from_line(line):
    """(id, entry) of a line without its line end, or None where it is corrupt."""
    body = line[:-9]
    if len(line) < 12 or line[-9:] != b" %08x" % binascii.crc32(body):
        return None
    name, entry = body.split(b" ", 1)
    return name.decode(), entry
