"""Milliseconds that wrap: `ticks_ms`, `ticks_add`, `ticks_diff`, under both interpreters.

MicroPython's wrap (at 2^30 on an ESP32), so they are compared by `ticks_diff` alone.
"""

try:
    from time import ticks_add, ticks_diff, ticks_ms
except ImportError:  # CPython
    import time

    def ticks_ms():
        """Milliseconds since some moment."""
        return time.monotonic_ns() // 1000000

    def ticks_add(ticks, delta):
        """`delta` ms later."""
        return ticks + delta

    def ticks_diff(end, start):
        """ms from `start` to `end`."""
        return end - start


__all__ = ("ticks_add", "ticks_diff", "ticks_ms")
