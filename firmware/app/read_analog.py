"""A voltage at a pin, 0 to 65535: the mean of a few looks."""

import machine
from micropython import const

_LOOKS = const(8)


class Reader:
    """See sensor_setup."""

    def __init__(self, config):
        self._adc = machine.ADC(machine.Pin(config["pin"]), atten=config["atten"])

    def begin(self):
        return 0

    def read(self, part):
        return sum(self._adc.read_u16() for _ in range(_LOOKS)) / _LOOKS
