"""A TCP connection that never makes anybody wait, and MQTT packets out of what it brings.

Rules of this file:
- every wait is an await with a deadline, and what can't be written now is kept, up to a limit;
- a connection that ends, however that comes about, is an OSError;
- a socket that was opened is closed, whatever happened to it;
- packets are cut out of what comes in one buffer, made once. One that grew with the packets would
  need a new hole in the memory each time, and after some weeks there is none that is large
  enough. What the backend says fits into it; a packet that does not gets a buffer of its own
  until it is read, and where there is no room for that it is too large.
"""

import asyncio
import errno

from micropython import const

_UNSENT_BYTES = const(16384)
_SMALL_BYTES = const(512)


def readable(stream):
    """As asyncio.StreamReader waits; all of that class would take 1.7 KB of memory."""
    yield asyncio.core._io_queue.queue_read(stream)  # type: ignore[attr-defined]


class Wire:
    """An open connection; `stream` is what is read and written, `sock` the socket below it."""

    def __init__(self, sock, stream):
        self.sock, self.stream = sock, stream
        self.unsent = b""

    async def read(self, buffer):
        """Puts the next bytes into `buffer`, as soon as there are some; returns how many."""
        count = None
        while count is None:
            await readable(self.stream)
            count = self.stream.readinto(buffer)
        return self.received(count)

    def received(self, count):
        """So many bytes came; none at all is the end. Raises OSError."""
        if not count:
            raise OSError(errno.ECONNRESET)
        return count

    def write(self, data):
        """Send it, now or with the next `flush`. Raises OSError where too much waits already."""
        if len(self.unsent) + len(data) > _UNSENT_BYTES:
            raise OSError(errno.ENOBUFS)
        self.unsent = self.unsent + data if self.unsent else data  # a copy only where it must be

    def flush(self):
        """Hands over what the network takes now."""
        while self.unsent:
            count = self.stream.write(self.unsent)
            if not count:
                return
            self.unsent = self.unsent[count:]

    def close(self):
        """At once; nobody may be reading."""
        self.stream.close()
        if self.stream is not self.sock:
            self.sock.close()


class LinkDown(Exception):
    """This connection is over: `reason` is what it is counted under, the text is for people.

    Where the peer does not keep to MQTT it is "malformed" or "too_large".
    """

    def __init__(self, reason, text=None):
        super().__init__(text or reason)
        self.reason = reason


class Framer:
    """Cuts a stream into packets of at most `limit` bytes; its own buffer holds `length`.

    What is returned is a view into the buffer, good until the next call of any method.
    """

    def __init__(self, limit, length=_SMALL_BYTES):
        self.limit = limit
        self._small = self._buffer = memoryview(bytearray(length))
        self._start = self._end = 0

    def clear(self):
        """Another stream begins."""
        self._buffer = self._small
        self._start = self._end = 0

    def space(self):
        """Where to put the next bytes; never empty once `next` has returned None.

        Raises LinkDown where there is no memory for the packet that has begun.
        """
        length, buffer = self._end - self._start, self._large_enough()
        buffer[:length] = self._buffer[self._start : self._end]
        self._buffer = buffer
        self._start, self._end = 0, length
        return buffer[length:]

    def filled(self, count):
        """So many bytes were put there."""
        self._end += count

    def next(self):
        """The next whole packet, or None as long as there is none. Raises LinkDown."""
        length = self._length()
        if length is None or self._end - self._start < length:
            return None
        packet = self._buffer[self._start : self._start + length]
        self._start += length
        return packet

    def _large_enough(self):
        length = self._length() or 0
        if length <= len(self._small):
            return self._small
        if length <= len(self._buffer):
            return self._buffer
        try:
            return memoryview(bytearray(length))
        except MemoryError:
            raise LinkDown("too_large")

    def _length(self):
        """Of the packet at the start, header included; None where that is not known yet."""
        length, here = 0, self._end - self._start
        for i in range(1, min(5, here)):
            byte = self._buffer[self._start + i]
            length |= (byte & 0x7F) << 7 * (i - 1)
            if byte < 0x80:
                return self._bounded(length + 1 + i)
        if here >= 5:
            raise LinkDown("malformed")
        return None

    def _bounded(self, length):
        if length > self.limit:
            raise LinkDown("too_large")
        return length
