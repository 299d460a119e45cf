"""`dht` of an ESP32, on the host: what the supervisor says is in the air.

`_board.values["dht", pin]`: [°C, %], or nothing where no sensor answers.
"""

import errno
import time

import _board


class DHTBase:
    def __init__(self, pin):
        self.pin, self._values = pin, (0, 0)

    def measure(self):
        _board.step()
        time.sleep_ms(25)  # the chip can do nothing else meanwhile
        found = _board.values.get(("dht", self.pin.number))
        if not found:
            raise OSError(errno.ETIMEDOUT)
        self._values = found

    def temperature(self):
        return self._values[0]

    def humidity(self):
        return self._values[1]


class DHT11(DHTBase):
    pass


class DHT22(DHTBase):
    pass
