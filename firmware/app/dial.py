"""Opens a TCP connection without making anybody wait; loaded for that and let go afterwards."""

import asyncio
import errno
import select
import socket

from micropython import const

from .clock import ticks_add, ticks_diff, ticks_ms
from .wire import Wire

_LOOK_MS = const(10)
_TCP = const(6)  # IPPROTO_TCP and TCP_NODELAY: MicroPython has no names for them
_NO_DELAY = const(1)


def peer(host, port):
    """The address to connect to. Blocks where `host` is a name. Raises OSError."""
    return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]


async def connect(address, for_ms, wrap=None):
    """A Wire to what `peer` returned. Raises OSError, also where it takes longer than `for_ms`.

    `wrap(socket)` makes the Wire where it is to be another, see tls.py.
    """
    sock = socket.socket()
    try:
        await _connect(sock, address, for_ms)
        return wrap(sock) if wrap else Wire(sock, sock)
    except BaseException:  # cancelled, too
        sock.close()
        raise


async def _connect(sock, address, for_ms):
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
