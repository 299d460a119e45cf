"""Files that survive a power cut at any moment.

littlefs commits a file when it is closed and renames atomically, so an append and a replacement
are each there whole or not at all. Raises OSError where the flash is full or worn.
"""

import os


class Flash:
    """Files below `root`."""

    def __init__(self, root=""):
        self.root = root

    def read(self, name):
        """The bytes of a file, or None where there is none."""
        try:
            with open(self.root + "/" + name, "rb") as file:
                return file.read()
        except OSError:
            return None

    def append(self, name, data):
        """Add to the end of a file; durable when it returns."""
        with open(self.root + "/" + name, "ab") as file:
            file.write(data)

    def replace(self, name, data):
        """Put `data` in the place of a file; durable when it returns."""
        path = self.root + "/" + name
        with open(path + ".new", "wb") as file:
            file.write(data)
        os.rename(path + ".new", path)
