"""Pictures on the wire: one header, then chunks; binary, each signed, in any order.

A message is, in network byte order:
- "AB", the version (1), the kind (0 header, 1 chunk), the length of the id, the id;
- a header: bytes u32, bytes of a chunk u16, captured u32 (Unix seconds, 0 where nobody knows the
  time), width u16, height u16 (0 where they are not known), SHA-256 of the whole picture;
- a chunk: index u16, length u16, CRC-32 of the data u32, the data;
- HMAC-SHA256 of all of that with the board's key. All 32 bytes of it: they are 3 % of a chunk, and
  so there is one strength of signature and not two.
No JSON message begins with "A", so neither kind can be taken for the other. Every chunk but the
last is as long as the header says. The CRC is for whoever keeps chunks; it finds nothing that the
signature has not found.
"""

import binascii
import struct
from collections import namedtuple

from micropython import const

from .errors import ProtocolError
from .limits import EPOCH_MAX, EPOCH_MIN, MESSAGE_BYTES, TEXT_LENGTH
from .signature import _equal, _hmac
from .topics import ID_RULE, is_id

IMAGE_BYTES = 1 << 20
CHUNK_SIZE = 1024  # what this firmware sends
CHUNK_LEAST = 256
CHUNK_MOST = 2048
CHUNKS = IMAGE_BYTES // CHUNK_LEAST

_START = const(5)  # before the id
_SEAL = const(32)
_HEAD = ">IHIHH32s"
_CHUNK = ">HHI"

# `size` and `chunk_size` in bytes, `captured` in Unix seconds or 0, `digest` the SHA-256.
Header = namedtuple(
    "Header", ["image_id", "size", "chunk_size", "captured", "width", "height", "digest"]
)
Chunk = namedtuple("Chunk", ["image_id", "index", "data"])


def chunks_of(size, chunk_size):
    """How many chunks a picture of `size` bytes has."""
    return (size + chunk_size - 1) // chunk_size


def encode_header(header, key):
    """The signed bytes of a Header. Raises ProtocolError where `decode` would."""
    _check_header(header)
    return _sealed(key, _start(0, header[0]), struct.pack(_HEAD, *header[1:]))


def encode_chunk(chunk, key):
    """The signed bytes of a Chunk; its data may be a view. Raises ProtocolError."""
    image_id, index, data = chunk
    _check_chunk(chunk)
    head = struct.pack(_CHUNK, index, len(data), binascii.crc32(data))
    return _sealed(key, _start(1, image_id), head, data)


def decode(data, key):
    """The Header or Chunk that was encoded. Raises ProtocolError, and nothing else."""
    if len(data) > MESSAGE_BYTES:
        raise ProtocolError("too_large", "image", "is over {} bytes".format(MESSAGE_BYTES))
    body = memoryview(data)[: max(0, len(data) - _SEAL)]
    if not _equal(_hmac(key, body), bytes(data[len(body) :])):
        raise ProtocolError("bad_signature", "image", "does not fit this board's key")
    if len(body) < _START or bytes(body[:3]) != b"AB\x01" or body[3] > 1:
        raise _wrong("image", "is of no known version or kind")
    at = _START + body[4]
    image_id = "".join(chr(byte) for byte in bytes(body[_START:at]))
    if len(image_id) != body[4]:
        raise _wrong("image_id", "is cut off")
    return (_chunk if body[3] else _header)(image_id, bytes(body[at:]))


def ranges(numbers, limit=TEXT_LENGTH):
    """Rising numbers as text such as "0-3,7,9-12", the last of them left out beyond `limit`."""
    out, first, last = "", None, None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        out, full = _added(out, first, last, limit)
        if full:
            return out
        first = last = number
    return _added(out, first, last, limit)[0]


def parse_ranges(text, count):
    """[(first, last)], rising and below `count`. Raises ProtocolError (bad_parameter)."""
    out: list = []
    for part in text.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(_is_number(end) for end in ends):
            raise _bad_ranges("must be ranges such as 0-3,7,9-12")
        first, last = int(ends[0]), int(ends[-1])
        if first > last or last >= count or out and first <= out[-1][1]:
            raise _bad_ranges("must rise, and stay below {}".format(count))
        out.append((first, last))
    return out


def _added(out, first, last, limit):
    """(the text with a range added, False), or (the text, True) where there is no room."""
    if first is None:
        return out, False
    part = str(first) if first == last else "{}-{}".format(first, last)
    longer = out + "," + part if out else part
    return (out, True) if len(longer) > limit else (longer, False)


def _is_number(text):
    return 0 < len(text) <= 5 and not text.strip("0123456789")


def _start(kind, image_id):
    name = image_id.encode()
    return b"AB\x01" + bytes((kind, len(name))) + name


def _sealed(key, *parts):
    return b"".join(parts + (_hmac(key, *parts),))


def _header(image_id, body):
    if len(body) != struct.calcsize(_HEAD):
        raise _wrong("header", "is of another length")
    header = Header(image_id, *struct.unpack(_HEAD, body))
    _check_header(header)
    return header


def _chunk(image_id, body):
    start = struct.calcsize(_CHUNK)
    if len(body) < start:
        raise _wrong("chunk", "is cut off")
    index, length, crc = struct.unpack(_CHUNK, body[:start])
    data = body[start:]
    if len(data) != length or binascii.crc32(data) != crc:
        raise _wrong("chunk", "is not what was sent")
    chunk = Chunk(image_id, index, data)
    _check_chunk(chunk)
    return chunk


def _check_header(header):
    """Raises ProtocolError where a member is out of range."""
    image_id, size, chunk_size, captured, width, height, digest = header
    if not is_id(image_id):
        raise _wrong("image_id", ID_RULE)
    if not 0 < size <= IMAGE_BYTES:
        raise _wrong("size", "must be from 1 to {}".format(IMAGE_BYTES))
    if not CHUNK_LEAST <= chunk_size <= CHUNK_MOST:
        raise _wrong("chunk_size", "must be from {} to {}".format(CHUNK_LEAST, CHUNK_MOST))
    if captured and not EPOCH_MIN <= captured <= EPOCH_MAX:
        raise _wrong("captured", "is the time of a clock that was never set")
    if not (0 <= width < 65536 and 0 <= height < 65536 and len(digest) == 32):
        raise _wrong("header", "has a member out of range")


def _check_chunk(chunk):
    image_id, index, data = chunk
    if not is_id(image_id):
        raise _wrong("image_id", ID_RULE)
    if not 0 <= index < CHUNKS:
        raise _wrong("index", "must be below {}".format(CHUNKS))
    if not 0 < len(data) <= CHUNK_MOST:
        raise _wrong("chunk", "must be of 1 to {} bytes".format(CHUNK_MOST))


def _wrong(field, why):
    return ProtocolError("malformed", field, why)


def _bad_ranges(why):
    return ProtocolError("bad_parameter", "parameters.missing", why)
