"""Pictures on flash: each a file in /images, written whole or not at all.

Rules of this file:
- a picture nobody has yet confirmed is never dropped to make room; the others go, oldest first;
- SPARE_BYTES of flash stay free, for the journal must always be able to write;
- a name tells all that changes: `000012u-ID`, a number that rises with age, u for unsent or s for
  sent, and the id. It changes by renaming, which power can't cut in half;
- what a power cut leaves of a picture that was being written is removed before the next one.

A file is the JPEG and a footer of FOOTER_BYTES: SHA-256, captured u32, width u16, height u16.
Raises OSError where the flash fails.
"""

import hashlib
import os
import struct

FOLDER = "/images"
LIMIT = 16
SPARE_BYTES = 64 * 1024
PIECE_BYTES = 1024

_FOOTER = ">32sIHH"
FOOTER_BYTES = 40
_UNFINISHED = "new"


class Pictures:
    """Those below `root`."""

    def __init__(self, root=FOLDER):
        self._root = root

    def names(self, state=""):
        """The names of all, or of those in one state ("u" or "s"), oldest first."""
        try:
            names = sorted(os.listdir(self._root))
        except OSError:
            return []
        return [name for name in names if _is_ours(name) and state in name[6]]

    def find(self, image_id):
        """The name of a picture, or None."""
        for name in self.names():
            if id_of(name) == image_id:
                return name
        return None

    def room_for(self, size):
        """Make room for so many bytes. Returns whether there is some."""
        self.tidy()
        while len(self.names()) >= LIMIT or self._free() < size + SPARE_BYTES:
            sent = self.names("s")
            if not sent:
                return False
            self.remove(sent[0])
        return True

    def write(self, image_id, data, captured, width, height):
        """Store a picture, yielding after each piece: it may have taken its time."""
        digest = hashlib.sha256()
        path = self._root + "/" + _UNFINISHED
        with open(path, "wb") as file:
            for at in range(0, len(data), PIECE_BYTES):
                piece = data[at : at + PIECE_BYTES]
                digest.update(piece)
                file.write(piece)
                yield
            file.write(struct.pack(_FOOTER, digest.digest(), captured, width, height))
        os.rename(path, "{}/{}u-{}".format(self._root, self._next(), image_id))

    def facts(self, name):
        """(bytes, SHA-256, captured, width, height) of a picture."""
        size = self.size(name)
        footer = self.read(name, size, FOOTER_BYTES)
        if size <= 0 or len(footer) != FOOTER_BYTES:
            raise OSError("not a picture")
        return (size,) + struct.unpack(_FOOTER, footer)

    def size(self, name):
        """Bytes of a picture."""
        return os.stat(self._root + "/" + name)[6] - FOOTER_BYTES

    def read(self, name, at, length):
        """So many bytes of its file. It is open only that long: another command may remove it."""
        with open(self._root + "/" + name, "rb") as file:
            file.seek(at)
            return file.read(length)

    def mark_sent(self, name):
        """All of it was confirmed. Returns its new name."""
        sent = name[:6] + "s" + name[7:]
        if sent != name:
            os.rename(self._root + "/" + name, self._root + "/" + sent)
        return sent

    def remove(self, name):
        """Drop a picture."""
        os.remove(self._root + "/" + name)

    def tidy(self):
        """Make the folder; remove what power or a full flash has cut off."""
        try:
            os.mkdir(self._root)
        except OSError:
            pass  # it is there; where it can't be made, the next step says so
        if _UNFINISHED in os.listdir(self._root):
            self.remove(_UNFINISHED)

    def _free(self):
        facts = os.statvfs(self._root)
        return facts[1] * facts[3]

    def _next(self):
        names = self.names()
        return "{:06d}".format(int(names[-1][:6]) + 1 if names else 1)


def _is_ours(name):
    return len(name) > 8 and name[:6].isdigit() and name[6:8] in ("u-", "s-")


def id_of(name):
    """The id of a picture."""
    return name[8:]
