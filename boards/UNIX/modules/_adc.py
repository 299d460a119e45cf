"""`machine.ADC` on the host: the supervisor says what a pin reads."""

import _board


class ADC:
    def __init__(self, pin, atten=0):
        self.pin = pin if isinstance(pin, int) else pin.number

    def read_u16(self):
        _board.step()
        return _board.values.get(("adc", self.pin), 0)
