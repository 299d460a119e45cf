"""Reads what protocol.image has written. For the format see there."""

import binascii
import struct
from collections import namedtuple

from .errors import ProtocolError
from .image import CHUNK, HEAD, MAGIC, check_chunk, check_header, wrong
from .limits import MESSAGE_BYTES
from .signature import _equal, _hmac

_START = 5  # bytes before the id
_SEAL = 32

# `size` and `chunk_size` in bytes, `captured` in Unix seconds or 0, `digest` the SHA-256.
Header = namedtuple(
    "Header", ["image_id", "size", "chunk_size", "captured", "width", "height", "digest"]
)
Chunk = namedtuple("Chunk", ["image_id", "index", "data"])


def decode(data, key):
    """The Header or Chunk that was encoded. Raises ProtocolError, and nothing else."""
    if len(data) > MESSAGE_BYTES:
        raise ProtocolError("too_large", "image", "is over {} bytes".format(MESSAGE_BYTES))
    body = memoryview(data)[: max(0, len(data) - _SEAL)]
    if not _equal(_hmac(key, (body,)), bytes(data[len(body) :])):
        raise ProtocolError("bad_signature", "image", "does not fit this board's key")
    if len(body) < _START or bytes(body[:3]) != MAGIC or body[3] > 1:
        raise wrong("image", "is of no known version or kind")
    at = _START + body[4]
    image_id = "".join(chr(byte) for byte in bytes(body[_START:at]))
    return (_chunk if body[3] else _header)(image_id, bytes(body[at:]))


def _header(image_id, body):
    if len(body) != struct.calcsize(HEAD):
        raise wrong("header", "is of another length")
    header = Header(image_id, *struct.unpack(HEAD, body))
    check_header(*header)
    return header


def _chunk(image_id, body):
    start = struct.calcsize(CHUNK)
    if len(body) < start:
        raise wrong("chunk", "is cut off")
    index, length, crc = struct.unpack(CHUNK, body[:start])
    data = body[start:]
    if len(data) != length or binascii.crc32(data) != crc:
        raise wrong("chunk", "is not what was sent")
    check_chunk(image_id, index, data)
    return Chunk(image_id, index, data)
