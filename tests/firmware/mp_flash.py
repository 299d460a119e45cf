"""The flash of a board, on the files of this machine."""

import os

from app.clock import ticks_ms
from app.flash import Flash

FOLDER = "/tmp" if "tmp" in os.listdir("/") else ""  # a board has none
NAME = "answerback-flash-{}".format(ticks_ms())


def test_files_are_what_was_written():
    flash = Flash(FOLDER)
    assert flash.read(NAME) is None
    flash.append(NAME, b"one\n")
    flash.append(NAME, b"two\n")
    assert flash.read(NAME) == b"one\ntwo\n"
    flash.replace(NAME, b"new\n")
    assert Flash(FOLDER).read(NAME) == b"new\n"
    assert NAME + ".new" not in os.listdir(FOLDER)
    os.remove(FOLDER + "/" + NAME)


def test_what_cannot_be_written_raises():
    flash = Flash("/no-such-folder")
    for write in (flash.append, flash.replace):
        try:
            write("a", b"a")
        except OSError:
            continue
        raise AssertionError("was written")
    assert flash.read("a") is None
