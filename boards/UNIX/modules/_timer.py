"""`machine.Timer` on the host: it ticks where the firmware looks at a pin, or idles."""

import time

import _board


class Timer:
    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **settings):
        self.id = id
        if settings:
            self.init(**settings)

    def init(self, mode=1, period=1000, callback=None, **_):
        self._mode, self._period, self._callback = mode, period, callback
        self._at = time.ticks_add(time.ticks_ms(), period)
        self.deinit()
        _board.timers.append(self)

    def remaining(self, now):
        return max(0, time.ticks_diff(self._at, now))

    def tick(self, now):
        if self.remaining(now):
            return
        if self._mode == Timer.ONE_SHOT:
            self.deinit()
        self._at = time.ticks_add(self._at, self._period)
        self._callback(self)

    def deinit(self):
        """Also one that was made before for the same hardware timer, as on the ESP32."""
        others = [it for it in _board.timers if it is not self and (it.id < 0 or it.id != self.id)]
        _board.timers[:] = others
