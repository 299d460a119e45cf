"""A program at the broker's end of a TCP connection that a test writes byte by byte.

It knows as much of MQTT 3.1.1 as is needed to see what a board sends and to send what it likes.
"""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

from protocol import encode, topics

from tests.link.site import BOARD_ID, KEY

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ = 0x10, 0x30, 0x40, 0x80, 0xC0
CONNACK = b"\x20\x02\x00\x00"
PINGRESP = b"\xd0\x00"
DUP = 0x08
SECONDS = 30.0


def puback(packet_id: int) -> bytes:
    """PUBACK."""
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def suback(packet_id: int) -> bytes:
    """SUBACK that grants QoS 1."""
    return b"\x90\x03" + packet_id.to_bytes(2, "big") + b"\x01"


def publish(data: bytes, packet_id: int) -> bytes:
    """PUBLISH of QoS 1 on the board's commands."""
    topic: bytes = topics.topic(BOARD_ID, topics.COMMANDS).encode()
    body = len(topic).to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big") + data
    return b"\x32" + _length(len(body)) + body


def command(verb: str, command_id: str, target: str = "", key: bytes = KEY, **given: Any) -> bytes:
    """The signed bytes of a command that lives for a minute."""
    now = int(time.time())
    message = {
        "command_id": command_id,
        "command_type": verb,
        "target": target,
        "parameters": given,
        "timestamp": now,
        "expires_at": now + 60,
        "attempt": 1,
    }
    signed: bytes = encode("command", message, key)
    return signed


def _length(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


class Packet:
    """One packet of the board: `kind`, `dup`, and of a PUBLISH `leaf`, `message`, `packet_id`."""

    def __init__(self, first: int, body: bytes) -> None:
        self.kind, self.dup = first & 0xF0, bool(first & DUP)
        self.body = body
        self.packet_id, self.leaf = 0, ""
        self.message: dict[str, Any] = {}
        if self.kind == PUBLISH:
            self._take_publish(first & 0x06)
        elif self.kind != CONNECT and len(body) >= 2:
            self.packet_id = int.from_bytes(body[:2], "big")

    def _take_publish(self, qos: int) -> None:
        end = 2 + int.from_bytes(self.body[:2], "big")
        _, self.leaf = topics.parse(self.body[2:end].decode())
        if qos:
            self.packet_id = int.from_bytes(self.body[end : end + 2], "big")
            end += 2
        self.message = json.loads(self.body[end:])


class Line:
    """One connection of the board."""

    def __init__(self, raw: socket.socket) -> None:
        raw.settimeout(SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._raw, self._file = raw, raw.makefile("rb")

    def send(self, data: bytes) -> None:
        """Sends it; a board that has hung up hears nothing."""
        with contextlib.suppress(OSError):
            self._raw.sendall(data)

    def packets(self) -> Iterator[Packet]:
        """What the board sends, until it hangs up."""
        with contextlib.suppress(ConnectionResetError):
            while first := self._file.read(1):
                length = shift = 0
                while (byte := self._file.read(1)[0]) & 0x80:
                    length |= (byte & 0x7F) << shift
                    shift += 7
                yield Packet(first[0], self._file.read(length | byte << shift))

    def until(self, kind: int, leaf: str = "") -> Packet:
        """The next packet of a kind, those before it being passed over; no PUBACK is sent."""
        for packet in self.packets():
            if packet.kind == kind and packet.leaf == leaf:
                return packet
        raise AssertionError("the board hung up")

    def welcome_silently(self) -> None:
        """Lets the board in, and says nothing more."""
        self.until(CONNECT)
        self.send(CONNACK)
        self.send(suback(self.until(SUBSCRIBE).packet_id))

    def welcome(self) -> Packet:
        """Lets the board in; its startup message, acknowledged and answered with the time."""
        self.welcome_silently()
        startup = self.until(PUBLISH, topics.STARTUP)
        facts = startup.message
        time_is = command("time", "t", boot=facts["boot"], session=facts["session"])
        self.send(puback(startup.packet_id) + publish(time_is, 1))
        return startup

    def confirms(self, packet_id: int) -> bool:
        """Whether a PUBACK for that id comes before the board hangs up."""
        return any(
            packet.kind == PUBACK and packet.packet_id == packet_id for packet in self.packets()
        )

    def hung_up(self) -> float:
        """Returns when the board has hung up; how many seconds that took."""
        began = time.monotonic()
        for _ in self.packets():
            pass
        return time.monotonic() - began

    def end(self) -> list[Packet]:
        """Says that no more will come; what the board still sends until it hangs up."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_WR)
        return list(self.packets())

    def close(self) -> None:
        """Hangs up."""
        self._file.close()
        self._raw.close()


class Peer:
    """Listens on 127.0.0.1:`port`, where the board thinks its broker is."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(SECONDS)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @contextlib.contextmanager
    def line(self) -> Iterator[Line]:
        """The board's next connection."""
        raw, _ = self._listener.accept()
        with contextlib.closing(Line(raw)) as line:
            yield line
