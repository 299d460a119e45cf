"""`ds18x20` of an ESP32, on the host. As on the chip, a conversion takes 750 ms, and who reads
before it is over gets the temperature of the one before; after power on that is 85 °C.
"""

import time

_CONVERSION_MS = 750


class DS18X20:
    def __init__(self, onewire):
        self.ow, self.values = onewire, ({}, {}, 0)  # before, now, ticks of the conversion
        self.scan = onewire.scan

    def convert_temp(self):
        time.sleep_ms(3)
        self.values = self._values(), dict(self.ow.devices()), time.ticks_ms()

    def read_temp(self, rom):
        time.sleep_ms(12)
        name = bytes(rom).hex()
        if name not in self.ow.devices():
            raise Exception("CRC error")
        return self._values().get(name, 85.0)

    def _values(self):
        before, now, at = self.values
        return now if time.ticks_diff(time.ticks_ms(), at) >= _CONVERSION_MS else before
