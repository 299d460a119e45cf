"""When each sensor is read, and what a raw value means. Pure: times are ticks, and arguments.

A value has six significant digits, which is what 32-bit floats can hold, and no more decimals
than its sensor is good for; a whole number is an int.
"""

from collections import namedtuple

from .clock import ticks_add, ticks_diff

# One value that is measured. `points`: ((raw, value), ...), raw going up, or (); `source` reads
# it, `part` says what of it: see sensor_setup.
Sensor = namedtuple(
    "Sensor",
    ["name", "unit", "low", "high", "points", "decimals", "every_ms", "source", "part"],
)


def measured(sensor, raw):
    """What a raw value means, or None where it is no number between `low` and `high`."""
    if type(raw) not in (int, float):
        return None
    value = calibrated(sensor.points, raw)
    if not sensor.low <= value <= sensor.high:  # NaN never is
        return None
    return plain(round(value, sensor.decimals))


def calibrated(points, raw):
    """On the straight lines between the points, and on the outer ones beyond them."""
    if not points:
        return raw
    place = 1
    while place < len(points) - 1 and raw > points[place][0]:
        place += 1
    (x, low), (next_x, high) = points[place - 1], points[place]
    return low + (raw - x) * (high - low) / (next_x - x)


def plain(value):
    """The number in six significant digits."""
    value = float("%.6g" % value)
    return int(value) if value == int(value) else value


class Schedule:
    """`every`: ms between two readings, one for each sensor. All are due at first."""

    def __init__(self, every, now_ms):
        self._every = every
        self._next = [now_ms for _ in every]

    def due(self, now_ms):
        """The numbers of the sensors that are to be read now."""
        return [i for i in range(len(self._next)) if ticks_diff(now_ms, self._next[i]) >= 0]

    def done(self, number, now_ms):
        """It was read; what was missed is not made up for."""
        every = self._every[number]
        self._next[number] = ticks_add(self._next[number], every)
        ahead = ticks_diff(self._next[number], now_ms)
        if not 0 < ahead <= every:
            self._next[number] = ticks_add(now_ms, every)

    def wait(self, now_ms):
        """ms until the first is due."""
        return min((max(0, ticks_diff(at, now_ms)) for at in self._next), default=1000)
