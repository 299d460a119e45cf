"""Errors that happen with nobody watching: kept on flash, bounded to two small files."""

import io
import os
import sys

NAMES = ("errors.log.old", "errors.log")  # oldest first
LIMIT = 4096


def write(why, root=""):
    """Adds an exception with its traceback to errors.log; a full one becomes errors.log.old."""
    stream = io.StringIO()
    sys.print_exception(why, stream)
    text = stream.getvalue()[:LIMIT]
    old, new = (root + "/" + name for name in NAMES)
    try:
        if size(NAMES[1], root) + len(text) > LIMIT and size(NAMES[1], root):
            os.rename(new, old)
        with open(new, "a") as file:
            file.write(text)
    except OSError:
        pass  # a full flash must not keep the board from restarting


def read(name, at, length):
    """So many bytes of one of NAMES as text, "?" for what is not ASCII. Raises OSError."""
    with open("/" + name, "rb") as file:
        file.seek(at)
        return "".join(chr(byte) if byte < 128 else "?" for byte in file.read(length))


def size(name, root=""):
    """Bytes of one of NAMES; 0 where it is not there."""
    try:
        return os.stat(root + "/" + name)[6]
    except OSError:
        return 0
