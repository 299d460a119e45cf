"""The firmware: what a board does with commands. Started by main.py; see there for how it hangs
together. `commands`, `journal`, `actuators` and `clock` are pure: time is an argument, and what
they touch is handed to them.
"""

import gc
import io
import os
import sys

VERSION = "0.1.0"

TEXTS = ""  # on a board: see tools/slim_texts.py

_ANY = "x"  # what every module is called that is needed only now


class _Folders:
    """The folder of the release once more, as a file system in which `x` is the file `name`.

    For MicroPython never forgets the name and the path of a module it has imported.
    """

    def __init__(self, root):
        self.root, self.name = root, _ANY
        self.stopped = False  # by Ctrl-C

    def mount(self, *_):
        pass

    def stat(self, path):
        try:
            return os.stat(self.place(path))
        except KeyboardInterrupt:  # an import would take it for a file that is not there
            self.stopped = True
            raise

    def open(self, path, mode):
        return io.open(self.place(path), mode)  # noqa: UP020 (a test times the other one)

    def place(self, path):
        """Where in truth that is."""
        return self.root + path.replace("/x.", "/" + self.name + ".")


def _mounted():
    """Where they are, or None: CPython has memory, and some ports can't do this."""
    try:
        import vfs

        folders = _Folders(__path__[: -len("/app")])
        vfs.mount(folders, "/x")
        return folders
    except ImportError:
        return None


_folders = _mounted()


def said(first, end):
    """One of the TEXTS."""
    return TEXTS[first:end]


def once(name, package=__name__):
    """A module of a package that is needed only now: nothing here keeps it in memory."""
    parent = sys.modules[package]
    if _folders and package + "." + name not in sys.modules:
        gc.collect()  # it is to lie where there are holes, and not in the middle of what is free
        _forget(parent, _ANY)  # the one that asks for this one at its top
        parent.__path__ = "/x/" + package
        _folders.name, name = name, _ANY
    try:
        module = __import__(package + "." + name, None, None, (name,))
    except ImportError:
        if _folders and _folders.stopped:
            _folders.stopped = False
            raise KeyboardInterrupt
        raise
    _forget(parent, name)
    return module


def _forget(parent, name):
    sys.modules.pop(parent.__name__ + "." + name, None)
    if hasattr(parent, name):
        delattr(parent, name)
