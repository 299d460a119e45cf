"""HMAC-SHA256 over the exact bytes of a message (RFC 2104, RFC 6234).

The signature is the last member of the JSON object, so a signed message stays plain JSON:
cut the fixed-length `,"sig":"<64 hex>"}` off the end, put `}` back, and what remains is what
was signed. Nothing is parsed before the signature was found right.
"""

import binascii
import hashlib

from .errors import ProtocolError
from .limits import KEY_BYTES, SIGNATURE_HEX

_OPEN = b',"sig":"'
_CLOSE = b'"}'
TAIL = len(_OPEN) + SIGNATURE_HEX + len(_CLOSE)

try:  # CPython
    from hmac import compare_digest as _equal
    from hmac import digest

    def _hmac(key, parts):
        return digest(key, b"".join(parts), "sha256")

except ImportError:  # MicroPython has no hmac

    def _pad(key, value):
        return bytes(b ^ value for b in key + bytes(64 - len(key)))  # 64: a block of SHA-256

    def _hmac(key, parts):
        inner = hashlib.sha256(_pad(key, 0x36))
        for part in parts:
            inner.update(part)
        outer = hashlib.sha256(_pad(key, 0x5C))
        outer.update(inner.digest())
        return outer.digest()

    def _equal(a, b):
        if len(a) != len(b):
            return False
        difference = 0
        for x, y in zip(a, b):
            difference |= x ^ y
        return difference == 0


def key_from_hex(text):
    """The 32 bytes of a key written as 64 hexadecimal digits. Raises ProtocolError."""
    try:
        key = binascii.unhexlify(text)
    except (ValueError, TypeError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ProtocolError("malformed", "key", "expected 64 hexadecimal digits")
    return key


def sign(opened, key):
    """A JSON object with its signature as the last member. `opened`: the bytes of that object, not
    empty, but for the last brace: to cut it off here would be one more copy in memory.
    """
    return b"".join((opened, _OPEN, binascii.hexlify(_hmac(key, (opened, b"}"))), _CLOSE))


def check(parts, tail, key):
    """Whether `tail`, the last bytes of what was signed, fits `parts`: the rest of it in pieces,
    and a brace. Raises ProtocolError where it does not.
    """
    if tail[: len(_OPEN)] != _OPEN or tail[-2:] != _CLOSE or len(tail) != TAIL:
        raise ProtocolError("bad_signature", "sig", "must be the last member, 64 hex digits")
    if not _equal(binascii.hexlify(_hmac(key, parts)), tail[len(_OPEN) : -2]):
        raise ProtocolError("bad_signature", "sig", "does not fit this board's key")


def verify(data, key):
    """The body that was signed. `data` may be a view; it is copied only once found right.

    Raises ProtocolError where the signature is missing or wrong.
    """
    cut = len(data) - TAIL
    check((memoryview(data)[: max(cut, 0)], b"}"), data[cut:] if cut >= 2 else b"", key)
    body = bytearray(data[: cut + 1])  # one piece and one copy, for memory is short on the board
    body[cut] = 0x7D  # the brace
    return body
