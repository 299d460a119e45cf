"""`machine.RTC` on the host: the supervisor keeps memory and clock through resets."""

import os
import time

import _board

_POWER_ON = 946684800  # 2000-01-01, as on an ESP32

values = _board.values  # the clock is so many seconds ahead of the host's
if "clock" not in values:
    values["rtc"] = bytes.fromhex(os.getenv("BOARD_RTC") or "")
    values["clock"] = float(os.getenv("BOARD_CLOCK") or int(_POWER_ON - time.time()))


class RTC:
    """Memory and a clock that outlive every reset but the loss of power."""

    def memory(self, content=None):
        if content is None:
            return values["rtc"]
        values["rtc"] = bytes(content)
        return _board.send("rtc", memory=values["rtc"].hex())

    def datetime(self, fields=None):
        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = _utc(
                values["clock"] + time.time()
            )
            return year, month, day, weekday, hour, minute, second, 0
        year, month, day, _, hour, minute, second = fields[:7]
        local = time.mktime((year, month, day, hour, minute, second, 0, 0))
        values["clock"] = local - time.mktime(_utc(0)) - time.time()
        return _board.send("clock", ahead=values["clock"])


def _utc(seconds):
    return time.gmtime(seconds)[:8]
