"""The firmware: what a board does with commands. Started by main.py; see there for how it hangs
together. `commands`, `journal`, `actuators` and `clock` are pure: time is an argument, and what
they touch is handed to them.
"""

import sys

VERSION = "0.1.0"


def once(name):
    """A module of this package that is needed only now: nothing here keeps it in memory."""
    module = __import__(__name__ + "." + name, None, None, (name,))
    del sys.modules[__name__ + "." + name], globals()[name]
    return module
