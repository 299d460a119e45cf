"""The chip's clock, kept right until the backend has told the time; then it is set by that.

Rules of this file:
- NTP (RFC 5905) is not authenticated: whoever sits in the network can say any time. So it sets
  nothing but the chip's clock, by which the dates of certificates are judged. A wrong time can
  keep the board from connecting, or let an old certificate pass; it can't make the board obey an
  expired command again, nor refuse all to come: that time is the backend's alone, see clock.py;
- so it is asked again and again until the backend has spoken, for a first answer may be a lie;
- nothing here waits without an await, but for looking up a name, done while nothing moves;
- all is whole numbers.
"""

import asyncio
import binascii
import errno
import os

from micropython import const
from protocol.limits import EPOCH_MAX, EPOCH_MIN

from . import calendar, once

_PORT = const(123)
_PACKET = const(48)
_FILE = const("time")  # when the backend was heard, to a day: a lower bound after a power cut
_DAY_S = const(86400)
_LOOK_MS = const(50)
_LOOKS = const(40)
_FIRST_MS = const(1000)
_LONGEST_MS = const(30000)
_FROM_1900 = const(2208988800)


async def keep(node, server):
    """Until the backend has told the time. `server` is "host", "host:port" or "" for none."""
    if not calendar.get():
        _remember(node.flash)
    pause_ms = _FIRST_MS
    while not node.time():
        wait_ms = _LOOK_MS
        if server and node.network_up() and node.calm():
            await _ask(server)
            wait_ms, pause_ms = pause_ms, min(2 * pause_ms, _LONGEST_MS)
        while wait_ms > 0 and not node.time():
            await asyncio.sleep_ms(_LOOK_MS)
            wait_ms -= _LOOK_MS
    calendar.set(node.time())
    _write(node.flash, node.time())


def request(chance):
    """A question; `chance` are 8 random bytes that only who hears it can answer with."""
    return b"\x23" + bytes(39) + chance


def answer(packet, question):
    """Unix seconds out of an answer to that question, or None where it is none."""
    if len(packet) < _PACKET or packet[0] & 0x07 != 4 or packet[0] >> 6 == 3:
        return None  # too short, no server, or one that does not know the time
    if not 1 <= packet[1] <= 15 or packet[24:32] != question[40:48]:
        return None
    stamp = int(binascii.hexlify(bytes(packet[40:44])), 16)
    if stamp < 0x80000000:
        stamp += 0x100000000  # from 2036 on it counts from there
    unix = stamp - _FROM_1900
    return unix if EPOCH_MIN <= unix <= EPOCH_MAX else None


async def _ask(server):
    import socket

    host, _, port = server.partition(":")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.connect(once("dial").peer(host, int(port or _PORT)))
        sock.setblocking(False)
        question = request(os.urandom(8))
        sock.send(question)
        unix = await _answered(sock, question)
        if unix:
            calendar.set(unix)
            print("answerback: the chip's clock was set by", server)
    except (OSError, ValueError):
        pass  # no network, no such host; it is asked again
    finally:
        sock.close()


async def _answered(sock, question):
    for _ in range(_LOOKS):
        await asyncio.sleep_ms(_LOOK_MS)
        try:
            packet = sock.recv(_PACKET)
        except OSError as why:  # nothing yet, or nobody listens there
            if why.errno != errno.EAGAIN:
                return None
            packet = b""
        unix = answer(packet, question)
        if unix:
            return unix
    return None


def _remember(flash):
    kept = flash.read(_FILE)
    if kept and kept.isdigit():
        calendar.set(int(kept))


def _write(flash, unix):
    kept = flash.read(_FILE)
    if not kept or not kept.isdigit() or abs(unix - int(kept)) > _DAY_S:
        try:
            flash.replace(_FILE, str(unix).encode())
        except OSError:
            pass  # a flash that is full; it only helps
