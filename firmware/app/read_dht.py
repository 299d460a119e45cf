"""DHT11 and DHT22: air temperature (°C) and humidity (%)."""

import dht
import machine


class Reader:
    """See sensor_setup; `part` is temperature or humidity."""

    def __init__(self, config):
        kind = dht.DHT11 if config["kind"] == "dht11" else dht.DHT22
        self._sensor = kind(machine.Pin(config["pin"]))

    def begin(self):
        self._sensor.measure()
        return 0

    def read(self, part):
        return getattr(self._sensor, part)()
