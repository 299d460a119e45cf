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

Writing is here; reading is in image_reading and the lists of missing chunks in image_ranges, for
a board that sends needs neither.
"""

import binascii
import struct

from .errors import ProtocolError
from .limits import EPOCH_MAX, EPOCH_MIN, IMAGE_BYTES
from .signature import _hmac
from .topics import ID_RULE, is_id

CHUNK_SIZE = 1024  # what this firmware sends
CHUNK_LEAST = 256
CHUNK_MOST = 2048
CHUNKS = IMAGE_BYTES // CHUNK_LEAST

MAGIC = b"AB\x01"
HEAD = ">IHIHH32s"
CHUNK = ">HHI"


def chunks_of(size, chunk_size):
    """How many chunks a picture of `size` bytes has."""
    return (size + chunk_size - 1) // chunk_size


def encode_header(header, key):
    """The signed bytes of a header. Raises ProtocolError where `decode` would.

    `header` is (image id, bytes, bytes of a chunk, captured in Unix seconds or 0, width, height,
    SHA-256).
    """
    check_header(*header)
    return _sealed(key, 0, header[0], struct.pack(HEAD, *header[1:]))


def encode_chunk(image_id, index, data, key):
    """The signed bytes of a chunk; its data may be a view. Raises ProtocolError."""
    check_chunk(image_id, index, data)
    head = struct.pack(CHUNK, index, len(data), binascii.crc32(data))
    return _sealed(key, 1, image_id, head, data)


def check_header(image_id, size, chunk_size, captured, width, height, digest):
    """Raises ProtocolError (malformed) where a member is out of range."""
    if not is_id(image_id):
        raise wrong("image_id", ID_RULE)
    if not 0 < size <= IMAGE_BYTES:
        raise wrong("size", "must be from 1 to {}".format(IMAGE_BYTES))
    if not CHUNK_LEAST <= chunk_size <= CHUNK_MOST:
        raise wrong("chunk_size", "must be from {} to {}".format(CHUNK_LEAST, CHUNK_MOST))
    if captured and not EPOCH_MIN <= captured <= EPOCH_MAX:
        raise wrong("captured", "is the time of a clock that was never set")
    if not (0 <= width < 65536 and 0 <= height < 65536 and len(digest) == 32):
        raise wrong("header", "has a member out of range")


def check_chunk(image_id, index, data):
    """Raises ProtocolError (malformed) where a member is out of range."""
    if not is_id(image_id):
        raise wrong("image_id", ID_RULE)
    if not 0 <= index < CHUNKS:
        raise wrong("index", "must be below {}".format(CHUNKS))
    if not 0 < len(data) <= CHUNK_MOST:
        raise wrong("chunk", "must be of 1 to {} bytes".format(CHUNK_MOST))


def wrong(field, why):
    """The ProtocolError (malformed)."""
    return ProtocolError("malformed", field, why)


def _sealed(key, kind, image_id, *parts):
    name = image_id.encode()
    parts = (MAGIC + bytes((kind, len(name))) + name,) + parts
    return b"".join(parts + (_hmac(key, parts),))
