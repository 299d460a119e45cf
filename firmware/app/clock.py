"""The time of day, as the backend told it, carried on by the board's ticks.

Whole Unix seconds; 0 while nobody has told the time. The chip's own calendar is not asked: it
counts from 2000 on some ports and from 1970 on others, and means nothing after a power cut.

Ticks are milliseconds that wrap, MicroPython's own where it runs, plain numbers under CPython.
They wrap at 2^30 on an ESP32 and 2^62 on the Unix port, so two of them are only ever compared
through `ticks_diff`, and only within half of that.
"""

from micropython import const

try:
    from time import ticks_add, ticks_diff, ticks_ms
except ImportError:  # CPython
    from micropython import (  # type: ignore[no-redef]  # noqa: F401
        ticks_add,
        ticks_diff,
        ticks_ms,
    )

# Ticks wrap after 12 days on an ESP32, so the base moves on long before.
_REBASE_MS = const(60000)

_ASK_AGAIN_MS = const(5000)
_TOO_LATE_MS = const(20000)


class Clock:
    """Unset until `set`."""

    def __init__(self):
        self.timestamp = 0
        self._at = 0

    def set(self, timestamp, now_ms):
        """It is `timestamp` at the ticks `now_ms`."""
        self.timestamp, self._at = timestamp, now_ms

    def now(self, now_ms):
        """Unix seconds at the ticks `now_ms`, or 0."""
        if not self.timestamp:
            return 0
        passed = ticks_diff(now_ms, self._at)
        if passed >= _REBASE_MS:
            self.timestamp += passed // 1000
            self._at = ticks_add(self._at, passed // 1000 * 1000)  # type: ignore[type-var]
            passed %= 1000
        return self.timestamp + passed // 1000


class Timekeeper:
    """Asks the backend for the time, and believes only an answer to that.

    `ask(anew)` publishes the startup message and returns the session in it, which is a new one if
    `anew`. An answer echoes the `boot` and the `session` of the question, is believed while it
    can't have been held back for long, and sets the clock once a session: a recorded one can't
    set it back, and one that was late can't pass for the answer to a later question.
    """

    def __init__(self, boot, clock, ask):
        self.session = 0
        self._boot, self._clock, self._ask = boot, clock, ask
        self._told_in = None  # the session in which the clock was set
        self._first = self._last = None  # ticks at which this session asked

    def connected(self, session, now_ms):
        """A connection began, and its startup message is being sent: that is a question."""
        self.session = session
        self._first = self._last = now_ms

    def ask(self, now_ms):
        """Ask, unless that was done just now."""
        if self._last is None or ticks_diff(now_ms, self._last) >= _ASK_AGAIN_MS:
            self._ask_now(now_ms)

    def told(self, boot, session, timestamp, now_ms):
        """An answer has come. Returns whether it was believed."""
        if self._first is None or boot != self._boot or session != self.session:
            return False
        if self._told_in == session and self._clock.now(now_ms):
            return False
        took = ticks_diff(now_ms, self._first)
        if took > _TOO_LATE_MS:
            self._ask_now(now_ms)
            return False
        self._told_in = session
        self._clock.set(timestamp + (took + 999) // 1000, now_ms)
        return True

    def _ask_now(self, now_ms):
        anew = self._first is None or ticks_diff(now_ms, self._first) > _TOO_LATE_MS
        self._last = now_ms
        if anew:
            self._first = now_ms
        self.session = self._ask(anew)
