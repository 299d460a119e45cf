"""Putting a picture on flash, and making room for it. `pictures` is a Pictures.

Rules of this file:
- a picture nobody has confirmed yet is never dropped to make room; the others go, oldest first;
- SPARE_BYTES of flash stay free, for the journal must always be able to write;
- what a power cut leaves of a picture that was being written is removed before the next one.
Raises OSError where the flash fails.
"""

import hashlib
import os
import struct

from micropython import const

LIMIT = 16
SPARE_BYTES = 65536
_PIECE_BYTES = const(1024)
_UNFINISHED = const("new")


def room_for(pictures, size):
    """Make room for so many bytes. Returns whether there is some."""
    tidy(pictures)
    while len(pictures.names()) >= LIMIT or _free(pictures) < size + SPARE_BYTES:
        sent = pictures.names("s")
        if not sent:
            return False
        pictures.remove(sent[0])
    return True


def write(pictures, image_id, data, captured, width, height):
    """Store a picture, yielding after each piece: it may have taken its time."""
    digest = hashlib.sha256()
    path = pictures.root + "/" + _UNFINISHED
    with open(path, "wb") as file:
        for at in range(0, len(data), _PIECE_BYTES):
            piece = data[at : at + _PIECE_BYTES]
            digest.update(piece)
            file.write(piece)
            yield
        file.write(struct.pack(pictures.FOOTER, digest.digest(), captured, width, height))
    os.rename(path, "{}/{}u-{}".format(pictures.root, _next(pictures), image_id))


def tidy(pictures):
    """Make the folder; remove what power or a full flash has cut off."""
    try:
        os.mkdir(pictures.root)
    except OSError:
        pass  # it is there; where it can't be made, the next step says so
    if _UNFINISHED in os.listdir(pictures.root):
        pictures.remove(_UNFINISHED)


def give_up(pictures):
    """A write has failed: remove what there is of it."""
    try:
        tidy(pictures)
    except OSError:
        pass  # the next picture tries again


def _free(pictures):
    facts = os.statvfs(pictures.root)
    return facts[1] * facts[3]


def _next(pictures):
    names = pictures.names()
    return "{:06d}".format(int(names[-1][:6]) + 1 if names else 1)
