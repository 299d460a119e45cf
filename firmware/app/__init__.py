"""The firmware: what a board does with commands. Started by main.py; see there for how it hangs
together. `commands`, `journal`, `actuators` and `clock` are pure: time is an argument, and what
they touch is handed to them.
"""

import gc
import sys

VERSION = "0.1.0"

_TIGHT = hasattr(gc, "mem_free")  # a board; CPython has memory, and much to look through


def once(name, package=__name__):
    """A module of a package that is needed only now: nothing here keeps it in memory."""
    if _TIGHT:  # it is to lie where there are holes, and not in the middle of what is free
        gc.collect()
    path = package + "." + name
    module = __import__(path, None, None, (name,))
    del sys.modules[path]
    delattr(sys.modules[package], name)
    return module
