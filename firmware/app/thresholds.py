"""Limits: when a value has crossed one, and the news of that until the broker has it. Pure.

Rules of this file:
- a limit is crossed once the value was beyond it for so long without a break, and cleared once
  the value is back by the hysteresis: never twice in a row the same;
- the first that is known after a boot is news, too: what was said before may not be so any more;
- news is told in order; where there is too much, what came and went in between goes first, and is
  counted; the last of each limit stays.
"""

from .clock import ticks_diff


class Limit:
    """Of the sensor of that number. `crossed`: True, False, or None while nobody knows.

    `reflex`: None, or () for one that was pushed, or, where the board acts on it, [every how many
    ms (0: once), ticks at which it did last or None].
    """

    def __init__(self, number, name, above, at, hysteresis, for_ms):
        self.number, self.name = number, name
        self._above, self._at, self._for_ms = above, at, for_ms
        self._back = at - hysteresis if above else at + hysteresis
        self.crossed = self.reflex = None
        self._since = None  # ticks

    def acts(self, now_ms):
        """Whether the board is to do something about it at these ticks."""
        if not self.reflex or self.crossed is None:
            return False
        every_ms, did = self.reflex
        if did is None or not self.crossed:
            return self.crossed is (did is None)
        return every_ms and not 0 <= ticks_diff(now_ms, did) < every_ms

    @property
    def pending(self):
        """True while the value is beyond it, and not yet for long enough."""
        return self._since is not None

    def judge(self, value, now_ms):
        """A value at these ticks. Returns whether `crossed` has changed by it."""
        beyond = value > self._at if self._above else value < self._at
        if not beyond:
            self._since = None
            return self._clear(value)
        return not self.crossed and self._cross(now_ms)

    def _clear(self, value):
        back = value <= self._back if self._above else value >= self._back
        if self.crossed is None or self.crossed and back:
            self.crossed = False
            return True
        return False

    def _cross(self, now_ms):
        if self._since is None:
            self._since = now_ms
        passed = ticks_diff(now_ms, self._since)
        if 0 <= passed < self._for_ms:  # below 0: so long ago that the ticks have wrapped
            return False
        self._since = None
        self.crossed = True
        return True


class News:
    """[(limit, crossed, value, timestamp)], oldest first; `dropped`: how many had to go."""

    def __init__(self, limits):
        self._limits = limits  # they may change
        self.waiting = []
        self._sent = None
        self.dropped = 0

    def add(self, limit, value, timestamp):
        """The limit is now as it says."""
        self.waiting.append((limit, limit.crossed, value, timestamp))
        if len(self.waiting) > 2 * len(self._limits) + 2:
            self._thin()

    def take(self):
        """The next to tell; `settle` says what became of it."""
        self._sent = self.waiting[0]
        return self._sent

    def settle(self, confirmed):
        """What was taken is confirmed, or is to be taken again."""
        if confirmed:
            self.waiting.remove(self._sent)
        self._sent = None

    def _thin(self):
        """Leave out a change and the one back; some limit has three, for there is that much."""
        for limit in self._limits:
            mine = [one for one in self.waiting if one[0] is limit and one is not self._sent]
            if len(mine) > 2:
                self.waiting.remove(mine[-3])
                self.waiting.remove(mine[-2])
                self.dropped += 2
                return
