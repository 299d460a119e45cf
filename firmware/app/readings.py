"""Readings until the broker has them: a ring in one piece of memory, nine bytes for each.

Rules of this file:
- a full ring lets the oldest go, and counts it;
- what is on its way stays until it was confirmed; only then is it forgotten.
"""

import struct

from micropython import const

from .sampling import plain

_FORM = const("<BIf")
_BYTES = const(9)


class Readings:
    """Up to `keep` of them; `dropped`: how many had to go."""

    def __init__(self, keep):
        self._ring, self._keep = bytearray(keep * _BYTES), keep
        self._first = self._count = self.dropped = 0
        self._sent = self._risked = 0  # how many are on their way; and had to make room

    def __len__(self):
        return self._count

    def add(self, number, value, timestamp):
        """One more, of the sensor of that number (0 to 255), at Unix seconds or 0."""
        if self._count == self._keep:
            self._make_room()
        place = (self._first + self._count) % self._keep * _BYTES
        struct.pack_into(_FORM, self._ring, place, number, timestamp, value)
        self._count += 1

    def take(self, most):
        """The oldest, up to so many, [(number, value, timestamp)]; `settle` says what became."""
        self._sent = min(most, self._count)
        return [self._read(self._first + i) for i in range(self._sent)]

    def settle(self, confirmed):
        """What was taken is confirmed, or is to be taken again."""
        if confirmed:
            self._drop(self._sent)
        else:
            self.dropped += self._risked
        self._sent = self._risked = 0

    def _make_room(self):
        if self._sent:  # it may yet turn out to have arrived
            self._sent -= 1
            self._risked += 1
        else:
            self.dropped += 1
        self._drop(1)

    def _drop(self, count):
        self._first = (self._first + count) % self._keep
        self._count -= count

    def _read(self, place):
        place = place % self._keep * _BYTES
        number, timestamp, value = struct.unpack_from(_FORM, self._ring, place)
        return number, plain(value), timestamp
