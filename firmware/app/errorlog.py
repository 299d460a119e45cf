"""Errors that happen with nobody watching: kept on flash, bounded to two small files."""

import io
import os
import sys

NAME = "errors.log"
LIMIT = 4096


def write(why, root=""):
    """Adds an exception with its traceback to errors.log; a full one becomes errors.log.old."""
    stream = io.StringIO()
    sys.print_exception(why, stream)
    text = stream.getvalue()[:LIMIT]
    path = root + "/" + NAME
    try:
        if _size(path) + len(text) > LIMIT:
            _set_aside(path)
        with open(path, "a") as file:
            file.write(text)
    except OSError:
        pass  # a full flash must not keep the board from restarting


def _set_aside(path):
    if _size(path):
        os.rename(path, path + ".old")


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0
