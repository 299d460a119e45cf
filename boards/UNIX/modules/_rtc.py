"""`machine.RTC` on the host: the supervisor keeps the memory through resets."""

import os

import _board


class RTC:
    """Memory that outlives every reset but the loss of power."""

    _memory = bytes.fromhex(os.getenv("BOARD_RTC") or "")

    def memory(self, content=None):
        return RTC._memory if content is None else RTC._keep(bytes(content))

    @staticmethod
    def _keep(content):
        RTC._memory = content
        _board.send("rtc", memory=content.hex())
