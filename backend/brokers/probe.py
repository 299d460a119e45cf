"""Whether a broker can be reached and lets us in: one MQTT CONNECT, and no more.

It uses the backend's own session and leaves it as it is, so ask only while no backend runs: a
broker lets the newest connection of a name in, and throws the older one out.
"""

import socket
import ssl
import struct

from backend.brokers.linkstate import Address
from backend.brokers.mqtt import CLIENT_ID

SECONDS = 5.0
_REFUSED = {
    1: "does not speak MQTT 3.1.1; use another one",
    2: "does not like our client id; let it in",
    3: "is not available just now; look at its log",
    4: "says that user or password is wrong; check user and password",
    5: "does not let this user in; check user and password",
}


def trouble(address: Address, site: str = "") -> str | None:
    """What is wrong with a broker, in words; None where nothing is. `site`: whose it is."""
    try:
        with (
            socket.create_connection((address.host, address.port), SECONDS) as raw,
            _sealed(raw, address) if address.tls else raw as one,
        ):
            one.sendall(_connect(address, f"{CLIENT_ID}-{site}" if site else CLIENT_ID))
            return _answer(one)
    except ssl.SSLCertVerificationError as why:
        return f"is not believed: {why.verify_message}; check its certificate, and who vouches"
    except OSError as why:
        return f"can't be reached: {why.strerror or why}; check the address, and that it runs"


def _sealed(raw: socket.socket, address: Address) -> socket.socket:
    context = ssl.create_default_context(cadata=address.ca or None)
    return context.wrap_socket(raw, server_hostname=address.host)


def _connect(address: Address, client_id: str) -> bytes:
    user, password = address.username, address.password
    flags = 0xC0 if user else 0  # with the session that is kept; user and password
    body = _text("MQTT") + struct.pack("!BBH", 4, flags, 30) + _text(client_id)
    body += _text(user) + _text(password) if user else b""
    return b"\x10" + _length(len(body)) + body


def _answer(one: socket.socket) -> str | None:
    said = b""
    while len(said) < 4:
        more = one.recv(4 - len(said))
        if not more:
            return "closed the connection without an answer; check that it is an MQTT broker"
        said += more
    if said[:2] != b"\x20\x02":
        return "answers something that is not MQTT; check the port"
    one.sendall(b"\xe0\x00")
    return _REFUSED.get(said[3], f"refuses with {said[3]}; look at its log") if said[3] else None


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw


def _length(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)
