"""`machine.RTC` on the host: the supervisor keeps memory and clock through resets."""

import os
import time

import _board

_POWER_ON = 946684800  # 2000-01-01, as on an ESP32


class RTC:
    """Memory and a clock that outlive every reset but the loss of power."""

    _memory = bytes.fromhex(os.getenv("BOARD_RTC") or "")
    _ahead = int(os.getenv("BOARD_CLOCK") or _POWER_ON - time.time())  # of the host's clock

    def memory(self, content=None):
        return RTC._memory if content is None else RTC._keep(bytes(content))

    def datetime(self, fields=None):
        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = _utc(RTC._ahead + time.time())
            return year, month, day, weekday, hour, minute, second, 0
        year, month, day, _, hour, minute, second = fields[:7]
        local = time.mktime((year, month, day, hour, minute, second, 0, 0))
        RTC._ahead = local - time.mktime(_utc(0)) - time.time()
        return _board.send("clock", ahead=RTC._ahead)

    @staticmethod
    def _keep(content):
        RTC._memory = content
        _board.send("rtc", memory=content.hex())


def _utc(seconds):
    return time.gmtime(seconds)[:8]
