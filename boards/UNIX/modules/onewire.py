"""`onewire` of an ESP32, on the host: what hangs on a pin, the supervisor says.

`_board.values["ds18b20", pin]`: {ROM in 16 hex digits: °C}. Holds the processor up for about as
long as the bus would.
"""

import time

import _board


class OneWireError(Exception):
    pass


class OneWire:
    def __init__(self, pin):
        self.pin = pin

    def devices(self):
        """{ROM: °C} of what answers; raises OneWireError where nothing does."""
        _board.step()
        found = _board.values.get(("ds18b20", self.pin.number))
        if not found:
            raise OneWireError
        return found

    def scan(self):
        _board.step()
        found = _board.values.get(("ds18b20", self.pin.number)) or {}
        time.sleep_ms(13 * len(found))
        return [bytearray(bytes.fromhex(rom)) for rom in sorted(found)]
