"""`ds18x20` of an ESP32, on the host. As on the chip, a conversion takes 750 ms, and who reads
before it is over gets the temperature of the one before; after power on that is 85 °C.
"""

import time

_CONVERSION_MS = 750


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self._before, self._now, self._at = {}, {}, None

    def scan(self):
        return self.ow.scan()

    def convert_temp(self):
        time.sleep_ms(3)
        found = self.ow.devices()
        self._finish()
        self._now, self._at = dict(found), time.ticks_ms()

    def read_temp(self, rom):
        time.sleep_ms(12)
        name = bytes(rom).hex()
        if name not in self.ow.devices():
            raise Exception("CRC error")
        self._finish()
        return self._before.get(name, 85.0)

    def _finish(self):
        if self._at is not None and time.ticks_diff(time.ticks_ms(), self._at) >= _CONVERSION_MS:
            self._before, self._at = self._now, None
