"""`time` on a board whose quiet hours are skipped: its clocks go ahead when it is told so.

Found before MicroPython's own by whoever imports `time` from here on, asyncio included. asyncio's
queue, which is C, takes the real clock for "now": that is never ahead of this one, so such a task
is simply due.
"""

import os
import sys
import time as real

import _board

_board.values["ahead"] = int(os.getenv("BOARD_AHEAD"))  # ms


class Time:
    def ticks_ms():
        return real.ticks_ms() + _board.values["ahead"]

    def ticks_us():
        return real.ticks_us() + _board.values["ahead"] * 1000

    def time():
        return real.time() + _board.values["ahead"] // 1000


for name in dir(real):
    if not hasattr(Time, name):
        setattr(Time, name, getattr(real, name))

take = _board._obey


def obey(request):
    take(request)
    if "ahead" in request.get("members", ()):
        _board.send("skipped", ahead=_board.values["ahead"])


_board._obey = obey
sys.modules["time"] = _board.time = Time
