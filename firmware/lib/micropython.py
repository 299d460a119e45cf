"""`micropython` for CPython, on which the core is tested, too. Boards have their own.

The ticks are what CPython's `time` lacks.
"""

import time


def const(value):
    """The value. MicroPython's compiler puts it where a name with an underscore stood."""
    return value


def ticks_ms():
    """Milliseconds that never go back; these do not wrap."""
    return time.monotonic_ns() // 1000000  # type: ignore[attr-defined]


def ticks_add(ticks, delta):
    """`delta` ms later."""
    return ticks + delta


def ticks_diff(later, earlier):
    """ms between them."""
    return later - earlier
