"""A level at a pin, 0 or 1."""

import machine


class Reader:
    """See sensor_setup."""

    def __init__(self, config):
        pull = [machine.Pin.PULL_UP] if config["pull_up"] else []
        self._pin = machine.Pin(config["pin"], machine.Pin.IN, *pull)
        self._active_low = config["active_low"]

    def begin(self):
        return 0

    def read(self, part):
        return self._pin.value() ^ self._active_low
