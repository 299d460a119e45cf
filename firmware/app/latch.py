"""An emergency stop that holds, over power cuts too, until somebody clears it."""

from micropython import const

_FILE = const("latch")
_CLEAR = b"0"


class Latch:
    """`on`: nothing may move. What can't be read on flash counts as on."""

    def __init__(self, flash):
        self._flash = flash
        self.on = flash.read(_FILE) not in (None, _CLEAR)

    def set(self):
        """Hold from now on. Returns whether that is on flash, too."""
        self.on = True
        return self._write(b"1")

    def clear(self):
        """Let go. Returns whether that is on flash; where it is not, it still holds."""
        if self._write(_CLEAR):
            self.on = False
        return not self.on

    def _write(self, data):
        try:
            self._flash.replace(_FILE, data)
        except OSError:
            return False
        return True
