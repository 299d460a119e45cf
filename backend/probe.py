"""Whether a broker can be reached and lets us in: one MQTT CONNECT, and no more.

It uses the backend's own session and leaves it as it is, so ask only while no backend runs: a
broker lets the newest connection of a name in, and throws the older one out.
"""

import socket
import ssl
import struct
from pathlib import Path
from urllib.parse import unquote, urlsplit

from backend.mqtt import CLIENT_ID

SECONDS = 5.0
_REFUSED = {
    1: "does not speak MQTT 3.1.1",
    2: "does not like the client id",
    3: "is not available just now",
    4: "says that user or password is wrong; check them",
    5: "does not let this user in; check user and password",
}


def trouble(url: str, ca: Path | None = None) -> str | None:
    """What is wrong with the broker at mqtt:// or mqtts://, in words; None where nothing is."""
    parts = urlsplit(url)
    sealed = parts.scheme == "mqtts"
    place = parts.hostname or "127.0.0.1", parts.port or (8883 if sealed else 1883)
    try:
        with socket.create_connection(place, SECONDS) as raw:
            context = ssl.create_default_context(cafile=ca) if sealed else None
            one = context.wrap_socket(raw, server_hostname=place[0]) if context else raw
            with one:
                one.sendall(_connect(unquote(parts.username or ""), unquote(parts.password or "")))
                return _answer(one)
    except ssl.SSLCertVerificationError as why:
        return f"is not believed: {why.verify_message}; check BROKER_CA and the host's name"
    except OSError as why:
        return f"can't be reached: {why}; check the address, and that it runs"


def _connect(user: str, password: str) -> bytes:
    flags = 0xC0 if user else 0  # with the session that is kept; user and password
    body = _text("MQTT") + struct.pack("!BBH", 4, flags, 30) + _text(CLIENT_ID)
    body += _text(user) + _text(password) if user else b""
    return b"\x10" + _length(len(body)) + body


def _answer(one: socket.socket) -> str | None:
    said = b""
    while len(said) < 4:
        more = one.recv(4 - len(said))
        if not more:
            return "closed the connection without an answer; is it an MQTT broker?"
        said += more
    if said[:2] != b"\x20\x02":
        return "answers something that is not MQTT"
    one.sendall(b"\xe0\x00")
    return _REFUSED.get(said[3], f"refused with {said[3]}") if said[3] else None


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
