"""Files by HTTP/1.1, from any byte on; loaded for an update and let go afterwards."""

import asyncio
import errno

from micropython import const
from protocol import ProtocolError

from . import once
from .actuators import Fault
from .clock import ticks_diff, ticks_ms

_WAIT_MS = const(10000)  # for the server's next bytes
_LOOK_MS = const(20)
_BUFFER_BYTES = const(768)


def split(url):
    """(host, port, path) of http://host[:port]/path. Raises ProtocolError (bad_parameter)."""
    try:
        scheme, empty, place, path = url.split("/", 3)
        host, _, port = place.partition(":")
        port = int(port or 80)
        if (scheme, empty) == ("http:", "") and host and 0 < port < 65536 and _plain(url):
            return host, port, "/" + path
    except ValueError:
        pass
    raise ProtocolError("bad_parameter", "parameters.url", "must be http://host:port/path")


def _plain(url):
    return all("!" <= ch <= "~" for ch in url)


async def get(peer, host, path, at, give_up, sink):
    """Hands the bytes of a file from number `at` on to `sink`; returns when it has all of them.

    `sink.begin(at, length)` hears where they begin, which may be 0, and how many they are.
    Raises OSError where the network fails, or it is past `give_up` (ticks); Fault (download)
    where the server has no such file.
    """
    line = await once("dial").connect(peer, _WAIT_MS)
    try:
        request = "GET {} HTTP/1.1\r\nHost: {}\r\nRange: bytes={}-\r\nConnection: close\r\n\r\n"
        line.write(request.format(path, host, at).encode())
        await _flush(line)
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        filled = end = 0
        while not end:
            if filled == len(buffer):
                raise OSError(errno.EIO)
            filled += await _read(line, buffer[filled:], give_up)
            end = bytes(buffer[:filled]).find(b"\r\n\r\n") + 1
        first, left = _head(bytes(buffer[:end]).lower())
        sink.begin(first, left)
        piece = buffer[end + 3 : filled]
        while True:
            sink.write(piece[:left])
            left -= len(piece)
            if left <= 0:
                return
            piece = buffer[: await _read(line, buffer, give_up)]
    finally:
        line.close()


async def _read(line, buffer, give_up):
    """How many bytes have come into `buffer`. Raises OSError."""
    if ticks_diff(give_up, ticks_ms()) <= 0:
        raise OSError(errno.ETIMEDOUT)
    try:
        return await asyncio.wait_for_ms(line.read(buffer), _WAIT_MS)
    except asyncio.TimeoutError:
        raise OSError(errno.ETIMEDOUT)


async def _flush(line):
    line.flush()
    while line.unsent:
        await asyncio.sleep_ms(_LOOK_MS)
        line.flush()


def _head(head):
    """(number of the first byte, how many) of what a server answers, in lower case."""
    status = head[9:12]  # after HTTP/1.1
    if status[:1] == b"5":
        raise OSError(errno.EIO)
    if status not in (b"200", b"206"):
        raise Fault("download", {})
    try:
        first = 0
        if status == b"206":
            first = int(_field(head, b"content-range: bytes ").split(b"-", 1)[0])
        return first, int(_field(head, b"content-length: "))
    except ValueError:
        raise Fault("download", {})


def _field(head, name):
    at = head.find(b"\n" + name)
    if at < 0:
        raise ValueError
    return head[at + 1 + len(name) :].split(b"\r", 1)[0]
