"""`machine.PWM` on the host: every change of frequency or duty becomes an event."""

import _board


class PWM:
    def __init__(self, pin, freq=5000, duty_u16=32768, duty=None):
        self._pin, self._freq = (pin if isinstance(pin, int) else pin.number), freq
        self._duty = duty_u16 if duty is None else duty << 6
        self._tell()

    def _tell(self):
        _board.send("pwm", pin=self._pin, freq=self._freq, duty=self._duty)

    def init(self, freq=None, duty_u16=None):
        self._freq = self._freq if freq is None else freq
        self._duty = self._duty if duty_u16 is None else duty_u16
        self._tell()

    def freq(self, value=None):
        return self._freq if value is None else self.init(freq=value)

    def duty_u16(self, value=None):
        return self._duty if value is None else self.init(duty_u16=value)

    def duty(self, value=None):
        return self._duty >> 6 if value is None else self.init(duty_u16=value << 6)

    def deinit(self):
        self.init(duty_u16=0)
