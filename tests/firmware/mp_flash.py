"""The flash of a board, on the files of this machine."""

import os

from app.clock import ticks_ms
from app.flash import Flash

# A board has no /tmp.
FOLDER = "{}/answerback-flash-{}".format("/tmp" if "tmp" in os.listdir("/") else "", ticks_ms())
NAME = "file"


def test_files_are_what_was_written():
    os.mkdir(FOLDER)
    flash = Flash(FOLDER)
    assert flash.read(NAME) is None
    flash.append(NAME, b"one\n")
    flash.append(NAME, b"two\n")
    assert flash.read(NAME) == b"one\ntwo\n"
    flash.replace(NAME, b"new\n")
    assert Flash(FOLDER).read(NAME) == b"new\n"
    assert os.listdir(FOLDER) == [NAME]
    os.remove(FOLDER + "/" + NAME)
    os.rmdir(FOLDER)


def test_what_cannot_be_written_raises():
    flash = Flash("/no-such-folder")
    for write in (flash.append, flash.replace):
        try:
            write("a", b"a")
        except OSError:
            continue
        raise AssertionError("was written")
    assert flash.read("a") is None
