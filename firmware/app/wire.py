"""A TCP connection that never makes anybody wait.

Rules of this file:
- every wait is an await with a deadline, and what can't be written now is kept, up to a limit;
- a connection that ends, however that comes about, is an OSError;
- a socket that was opened is closed, whatever happened to it.
"""

import asyncio
import errno
import select
import socket

from micropython import const

from .clock import ticks_add, ticks_diff, ticks_ms

_UNSENT_BYTES = const(16384)
_LOOK_MS = const(10)
_TCP = const(6)  # IPPROTO_TCP and TCP_NODELAY: MicroPython has no names for them
_NO_DELAY = const(1)


def peer(host, port):
    """The address to connect to. Blocks where `host` is a name. Raises OSError."""
    return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]


async def connect(address, for_ms, wrap=None):
    """A Wire to what `peer` returned. Raises OSError, also where it takes longer than `for_ms`.

    `wrap(socket)` makes a stream for TLS of it, whose handshake is made while reading and writing
    (do_handshake_on_connect=False).
    """
    sock = socket.socket()
    try:
        await _connected(sock, address, for_ms)
        return Wire(sock, wrap(sock) if wrap else sock)
    except BaseException:  # cancelled, too
        sock.close()
        raise


async def _connected(sock, address, for_ms):
    sock.setblocking(False)
    try:
        sock.connect(address)
    except OSError as why:
        if why.errno not in (errno.EINPROGRESS, errno.EAGAIN, errno.EALREADY):
            raise
    try:  # Nagle's algorithm would hold an ack back for 40 ms and more
        sock.setsockopt(_TCP, _NO_DELAY, 1)
    except (OSError, ValueError):
        pass  # not every port has the option
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    give_up = ticks_add(ticks_ms(), for_ms)
    while not poller.poll(0):  # a refused one is ready, too: the first write tells
        if ticks_diff(give_up, ticks_ms()) <= 0:
            raise OSError(errno.ETIMEDOUT)
        await asyncio.sleep_ms(_LOOK_MS)


def _readable(stream):
    """As asyncio.StreamReader waits; all of that class would take 1.7 KB of memory."""
    yield asyncio.core._io_queue.queue_read(stream)  # type: ignore[attr-defined]


class Wire:
    """An open connection; `stream` is what is read and written, `sock` the socket below it."""

    def __init__(self, sock, stream):
        self._sock, self.stream = sock, stream
        self._unsent = b""

    @property
    def unsent(self):
        """How many bytes wait for the network to take them."""
        return len(self._unsent)

    async def read(self, buffer):
        """Puts the next bytes into `buffer`, as soon as there are some; returns how many."""
        count = None
        while count is None:  # nothing yet, or with TLS a part of a record
            await _readable(self.stream)
            count = self.stream.readinto(buffer)
        if not count:
            raise OSError(errno.ECONNRESET)
        return count

    def write(self, data):
        """Send it, now or with the next `flush`. Raises OSError where too much waits already."""
        if len(self._unsent) + len(data) > _UNSENT_BYTES:
            raise OSError(errno.ENOBUFS)
        self._unsent += data

    def flush(self):
        """Hands over what the network takes now."""
        while self._unsent:
            count = self.stream.write(self._unsent)
            if not count:
                return
            self._unsent = self._unsent[count:]

    def close(self):
        """At once; nobody may be reading."""
        self.stream.close()
        if self.stream is not self._sock:
            self._sock.close()
