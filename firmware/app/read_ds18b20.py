"""DS18B20 thermometers, one or several on a pin, known apart by their ROMs."""

from binascii import hexlify, unhexlify

import ds18x20
import machine
import onewire
from micropython import const

_CONVERSION_MS = const(750)


class Reader:
    """See sensor_setup. All on the pin begin at once; `part` is a ROM, or "" for the only one."""

    def __init__(self, config):
        self._bus = ds18x20.DS18X20(onewire.OneWire(machine.Pin(config["pin"])))
        self._rom = None

    def begin(self):
        self._bus.convert_temp()
        return _CONVERSION_MS

    def read(self, part):
        if part:
            return self._bus.read_temp(unhexlify(part))
        rom, self._rom = self._rom or self._only(), None
        value = self._bus.read_temp(rom)
        self._rom = rom  # it answers
        return value

    def _only(self):
        roms = self._bus.scan()
        if len(roms) == 1:
            return roms[0]
        found = " ".join(hexlify(rom).decode() for rom in roms)
        raise ValueError("the pin has not one DS18B20: give the rom, one of " + found)
