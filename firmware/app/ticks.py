"""Milliseconds that wrap: MicroPython's own where it runs, plain numbers under CPython.

They wrap at 2^30 on an ESP32 and 2^62 on the Unix port, so two of them are only ever compared
through `ticks_diff`, and only within half of that.
"""

import time


def _monotonic_ms():
    return time.monotonic_ns() // 1000000  # type: ignore[attr-defined]  # CPython's


def _add(ticks, delta):
    return ticks + delta


def _diff(later, earlier):
    return later - earlier


ticks_ms = getattr(time, "ticks_ms", _monotonic_ms)
ticks_add = getattr(time, "ticks_add", _add)
ticks_diff = getattr(time, "ticks_diff", _diff)
