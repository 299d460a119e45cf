"""Pictures on flash: each a file in /images, there whole or not at all; see picture_writing.

A name tells all that changes: `000012u-ID`, a number that rises, u for unsent or s for sent, and
the id. It changes by renaming, which power can't cut in half.

A file is the JPEG and a footer of FOOTER_BYTES: SHA-256, captured u32, width u16, height u16.
Raises OSError where the flash fails.
"""

import os
import struct

FOLDER = "/images"
FOOTER_BYTES = 40


class Pictures:
    """Those below `root`. `id_of(name)` is a picture's id, `is_sent(name)` whether it was sent."""

    FOOTER = ">32sIHH"

    def __init__(self, root=FOLDER):
        self.root = root

    def names(self, state=""):
        """The names of all, or of those in one state ("u" or "s"), oldest first."""
        try:
            names = sorted(os.listdir(self.root))
        except OSError:
            return []
        return [name for name in names if _is_ours(name) and state in name[6]]

    def find(self, image_id):
        """The name of a picture, or None."""
        for name in self.names():
            if self.id_of(name) == image_id:
                return name
        return None

    @staticmethod
    def id_of(name):
        return name[8:]

    @staticmethod
    def is_sent(name):
        return name[6] == "s"

    def facts(self, name):
        """(bytes, SHA-256, captured, width, height) of a picture."""
        size = self.size(name)
        footer = self.read(name, size, FOOTER_BYTES)
        if size <= 0 or len(footer) != FOOTER_BYTES:
            raise OSError("not a picture")
        return (size,) + struct.unpack(self.FOOTER, footer)

    def size(self, name):
        """Bytes of a picture."""
        return os.stat(self.root + "/" + name)[6] - FOOTER_BYTES

    def read(self, name, at, length):
        """So many bytes of its file. It is open only that long: another command may remove it."""
        with open(self.root + "/" + name, "rb") as file:
            file.seek(at)
            return file.read(length)

    def mark_sent(self, name):
        """All of it was confirmed. Returns its new name."""
        sent = name[:6] + "s" + name[7:]
        if sent != name:
            os.rename(self.root + "/" + name, self.root + "/" + sent)
        return sent

    def remove(self, name):
        """Drop a picture."""
        os.remove(self.root + "/" + name)


def _is_ours(name):
    return len(name) > 8 and name[:6].isdigit() and name[6:8] in ("u-", "s-")
