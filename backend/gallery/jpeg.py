"""What a JPEG is, and a small one of it, whoever sent it.

Rules of this file:
- a decoder sees nothing that takes it long: PIXELS, and SCANS, since each scan of a progressive
  one goes over all of the picture;
- it sees one picture at a time, reduced while it is decoded.
"""

import io
import struct
import threading

from PIL import Image, JpegImagePlugin

PIXELS = 8_000_000
SCANS = 32
EDGE = 320  # of a thumbnail, at most
WAIT_SECONDS = 3.0

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ONE = threading.Lock()
_CAN_FAIL = (OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError, struct.error,
             EOFError, MemoryError, OverflowError)  # fmt: skip


def size_of(data: bytes) -> tuple[int, int] | None:
    """(width, height) as its frame header says, or None where there is none."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return (width, height) if width and height else None
        at += 1 if marker == 0xFF else 2 + length
    return None


def thumbnail(data: bytes) -> bytes | None:
    """A JPEG of at most EDGE x EDGE pixels, or None where this is no picture that can be shown.

    Raises TimeoutError where too many wait for theirs.
    """
    size = size_of(data)
    if size is None or size[0] * size[1] > PIXELS or data.count(b"\xff\xda") > SCANS:
        return None
    if not _ONE.acquire(timeout=WAIT_SECONDS):
        raise TimeoutError
    try:
        return _reduced(data)
    except _CAN_FAIL:  # what Pillow raises for a picture that is broken
        return None
    finally:
        _ONE.release()


def _reduced(data: bytes) -> bytes | None:
    # What ends too early, or has a hole, is shown as far as it goes.
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data + b"\xff\xd9"))
    if image.width * image.height > PIXELS:
        return None
    image.draft("RGB", (EDGE, EDGE))
    small = image.convert("RGB")
    small.thumbnail((EDGE, EDGE), Image.Resampling.BILINEAR)
    small.info.clear()  # no comment of the original goes along
    out = io.BytesIO()
    small.save(out, "JPEG", quality=75)
    return out.getvalue()
