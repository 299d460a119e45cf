"""`machine.ADC` on the host: the supervisor says what a pin reads."""

import _board


class ADC:
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, atten=0):
        self._pin = pin if isinstance(pin, int) else pin.number

    def read_u16(self):
        _board.step()
        return _board.values.get(("adc", self._pin), 0)

    def read(self):
        return self.read_u16() >> 4

    def read_uv(self):
        return self.read_u16() * 50

    def atten(self, _):
        pass
