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
    PIECES,
    QUEUED,
    RESTARTING,
    SPARE,
    answered,
    changed,
    expires_at_of,
    file_name,
    lines_in,
    phase_of,
    piece_of,
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
        self.lines = [b"\n"] * PIECES
        self.left = bytearray(FILES)
        self.floor = self.complete_from = 0
        self.bad = 0
        self._torn = [self._load(number) for number in range(FILES)]
        if self.bad:
            self.complete_from = EPOCH_MAX
            self._torn = [True] * FILES

    def end_all(self):
        """Answer all that is under way. Returns the numbers of the files to be replaced."""
        ended = [place % FILES for place in range(PIECES) if self._end(place)]
        return [n for n in range(FILES) if n in ended or self._torn[n]]

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
        body = line[:-9]
        if len(line) < 12 or line[-9:] != b" %08x" % binascii.crc32(body):
            self.bad += 1
            return
        name, entry = body.split(b" ", 1)
        if name == HEAD.encode():
            floor, complete_from = [int(part) for part in entry.split(b" ")]
            self.floor = max(self.floor, floor)
            self.complete_from = max(self.complete_from, complete_from)
        else:
            number = piece_of(name)
            self.lines[number] = changed(self.lines[number], name, entry)

    def _end(self, number):
        """Answer what is under way in a piece. Returns whether there was any."""
        pairs = [line.split(b" ", 1) for line in lines_in(self.lines[number])]
        under_way = [pair for pair in pairs if phase_of(pair[1]) != ENDED]
        for name, entry in under_way:
            phase = phase_of(entry)
            if phase == QUEUED and self.bad:  # that it began may be what is gone
                phase = BEGUN
            state, error = _AT_BOOT[phase]
            done = answered(expires_at_of(entry), state, error, 0, {})
            self.lines[number] = changed(self.lines[number], name, done)
        return bool(under_way)
