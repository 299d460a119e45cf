"""The chip's own clock, which counts from 2000 on some ports and from 1970 on others.

It is set and read as year, month, day and so on, in UTC, so nobody here needs to know which. It
runs on through resets and deep sleep, and starts somewhere around 2000 when power comes. What it
is good for is to judge the dates of certificates; no command is obeyed by it: see clock.py.
"""

import machine
from micropython import const
from protocol.limits import EPOCH_MIN

_DAY = const(86400)


def fields(unix):
    """(year, month, day, weekday, hour, minute, second, 0) of Unix seconds, as machine.RTC has it.

    All in whole numbers: 32-bit floats know the time to two minutes.
    """
    days, rest = unix // _DAY, unix % _DAY
    shifted = days + 719468  # days since 0000-03-01: then the leap day is the last one of a year
    era, day = shifted // 146097, shifted % 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month += 3 if month < 10 else -9
    year += era * 400 + (month <= 2)
    return year, month, day + 1, (days + 3) % 7, rest // 3600, rest // 60 % 60, rest % 60, 0


def seconds(fields):
    """Unix seconds of what machine.RTC().datetime() returns."""
    year, month, day, _, hour, minute, second = fields[:7]
    if month <= 2:
        year, month = year - 1, month + 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5
    return (days + day - 1 - 719468) * _DAY + hour * 3600 + minute * 60 + second


def get():
    """Unix seconds by the chip's clock, or 0 where nobody has set it since power came."""
    now = seconds(machine.RTC().datetime())
    return now if now >= EPOCH_MIN else 0


def set(unix):
    """Sets the chip's clock."""
    machine.RTC().datetime(fields(unix))
