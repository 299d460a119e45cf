"""MQTT 3.1.1 packets: umqtt.simple as nothing but an encoder and decoder.

Rules of this file:
- no I/O: umqtt writes into memory, and reads from one whole packet that lies in memory;
- a packet is checked before umqtt sees it, so that no byte from the network reaches its asserts;
- whatever is wrong with a packet raises LinkDown, and nothing else.

Left alone, umqtt.simple waits for ever on a half-open link, loses what it has read of a packet
when the rest is late, and hangs where a message is published inside its callback. It works here
from 1.3.4 on, the version frozen into stock ESP32 images included.
"""

from micropython import const
from umqtt import simple

from .wire import LinkDown

CONNACK = 0x20
PUBACK = 0x40
SUBACK = 0x90
_PUBLISH = const(0x30)
_PINGRESP = const(0xD0)
REFUSED = 0x80  # in a SUBACK

_LENGTHS = {CONNACK: 2, PUBACK: 2, SUBACK: 3, _PINGRESP: 0}  # of the body, where it is fixed
_COPIES = const(2)  # of a message while it is read: as verified and as text, then as values
_DUP = const(0x08)
_QOS = const(0x06)
_QOS_1 = const(0x02)


class _Pipe:
    """What umqtt takes for its socket; EOFError where it wants bytes that are not there."""

    def __init__(self):
        self.fill(b"")

    def fill(self, packet):
        self.packet, self._at, self._buffer = packet, 0, bytearray()

    def getvalue(self):
        """What was written since `fill`; it is kept here no longer."""
        written = self._buffer
        self.fill(b"")
        return written

    def read(self, length):
        end = self._at + length
        if length < 0 or end > len(self.packet):
            raise EOFError
        data = self.packet[self._at : end]
        self._at = end
        return data

    def write(self, data, length=None):
        self._buffer.extend(data if length is None else data[:length])

    def close(self, *_):
        """Like all else umqtt does to a socket beside reading and writing: nothing."""

    connect = settimeout = setblocking = close

    def socket(self, *_):
        """As the module `socket`: umqtt makes its own when it encodes CONNECT."""
        return self

    def getaddrinfo(self, *address):
        return [address]


class Codec:
    """Packets of one client. `handler(topic, data)` gets what was published.

    Both are views into the packet given to `decode`, good until it returns. What it raises goes
    through, and the message then gets no PUBACK. Topics are given as str; `user` and `password`
    may be None.
    """

    def __init__(self, client_id, user, password, keepalive, handler):
        self.sock = _Pipe()
        simple.socket = self.sock  # type: ignore[attr-defined]  # what umqtt opens sockets with
        names = (_bytes(client_id), "", 1883, _bytes(user), _bytes(password))
        self.umqtt = simple.MQTTClient(*names, keepalive)
        self.umqtt.set_callback(handler)

    def connect(self, topic, will):
        """CONNECT with a clean session and a retained last will of QoS 1 on `topic`."""
        self.umqtt.set_last_will(_bytes(topic), will, True, 1)
        return self._encoded(self.umqtt.connect, True)

    def subscribe(self, topic, packet_id):
        """SUBSCRIBE with QoS 1; the topic is at most 120 characters long."""
        self.umqtt.pid = packet_id - 1
        return self._encoded(self.umqtt.subscribe, _bytes(topic), 1)

    def publish(self, topic, data, retain, packet_id=0, again=False):
        """PUBLISH: QoS 1 where there is a `packet_id`, else QoS 0; `again` sets DUP."""
        self.umqtt.pid = packet_id - 1
        qos = 1 if packet_id else 0
        packet = self._encoded(self.umqtt.publish, _bytes(topic), data, retain, qos)
        if again:
            packet[0] |= _DUP
        return packet

    def ping(self):
        """PINGREQ."""
        return self._encoded(self.umqtt.ping)

    def disconnect(self):
        """DISCONNECT."""
        return self._encoded(self.umqtt.disconnect)

    def decode(self, packet):
        """(type, body, answer) of a whole packet; a PUBLISH has been handed to the callback.

        `answer` is its PUBACK, or b"" where none is due. Raises LinkDown.
        """
        kind = packet[0] & 0xF0
        if kind == _PUBLISH:
            return kind, b"", self._deliver(packet)
        body = bytes(packet[2:])
        if packet[0] != kind or _LENGTHS.get(kind) != len(body):
            raise LinkDown("malformed")
        return kind, body, b""

    def _deliver(self, packet):
        if packet[0] & _QOS not in (0, _QOS_1):
            raise LinkDown("malformed")
        _make_room(len(packet))
        self.sock.fill(packet)
        try:
            self.umqtt.check_msg()
        except EOFError:
            raise LinkDown("malformed")
        return self.sock.getvalue()

    def _encoded(self, write, *arguments):
        self.sock.fill(b"")
        try:
            write(*arguments)
        except EOFError:  # all is written, and umqtt would now wait for the broker's answer
            pass
        return self.sock.getvalue()


def _make_room(length):
    """Raises LinkDown where there is no memory to read a packet of so many bytes."""
    try:
        copies = [bytearray(length) for _ in range(_COPIES)]
        copies.clear()
    except MemoryError:  # here nothing has been done yet; in the middle of a command it would be
        raise LinkDown("too_large")


def _bytes(text):
    """umqtt counts the characters of a str where it should count bytes."""
    return text.encode() if isinstance(text, str) else text
