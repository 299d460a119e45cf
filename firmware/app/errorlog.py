"""Errors that happen with nobody watching: kept on flash, bounded to two small files."""

import io
import os
import sys

NAME = "errors.log"
LIMIT = 4096


def write(why, root=""):
    """Add an exception with its traceback; the older half goes when the file is full."""
    text = io.StringIO()
    sys.print_exception(why, text)
    path = root + "/" + NAME
    try:
        if _size(path) and _size(path) + len(text.getvalue()) > LIMIT:
            os.rename(path, path + ".old")
        with open(path, "a") as file:
            file.write(text.getvalue()[:LIMIT])
    except OSError:
        pass  # a full flash must not keep the board from restarting


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0
