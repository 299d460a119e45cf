"""`dht` of an ESP32, on the host: what the supervisor says is in the air.

`_board.values["dht", pin]`: [°C, %], or nothing where no sensor answers.
"""

import errno
import time

import _board


class DHT22:
    def __init__(self, pin):
        self.pin = pin

    def measure(self):
        _board.step()
        time.sleep_ms(25)  # the chip can do nothing else meanwhile
        self.values = _board.values.get(("dht", self.pin.number))
        if not self.values:
            raise OSError(errno.ETIMEDOUT)

    def temperature(self):
        return self.values[0]

    def humidity(self):
        return self.values[1]


DHT11 = DHT22
