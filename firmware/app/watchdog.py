"""The watchdog: resets a board whose main loop has stopped turning.

Its time is longer than a look-up of a host name may block; that is done only while nothing moves.
"""

import machine

TIMEOUT_MS = 30000
AT_PROMPT_MS = 3600000  # a board forgotten at the prompt comes back by itself


class Watchdog:
    """Once made it can't be switched off, only set to another time: so it is on the ESP32."""

    def __init__(self):
        self._wdt = machine.WDT(timeout=TIMEOUT_MS)

    def feed(self):
        """The loop turns."""
        self._wdt.feed()

    def rest(self):
        """Somebody is at the prompt: an hour without feeding."""
        self._wdt = machine.WDT(timeout=AT_PROMPT_MS)
