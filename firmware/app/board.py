"""The pins of a real board, as `actuators` wants them."""

import machine

_FULL = 65535  # duty_u16


class Output:
    """A pin that is on or off, whichever level that is. Starts off."""

    def __init__(self, number, active_low):
        self._on = 0 if active_low else 1
        self._pin = machine.Pin(number, machine.Pin.OUT, value=1 - self._on)

    def on(self):
        self._pin.value(self._on)

    def off(self):
        self._pin.value(1 - self._on)

    @property
    def value(self):
        """True while it is on."""
        return self._pin.value() == self._on


class Speed:
    """A pin with pulses of a width. Starts at 0 %."""

    def __init__(self, number, hz):
        self._pwm = machine.PWM(machine.Pin(number), freq=hz, duty_u16=0)

    def speed(self, percent):
        """0 to 100 % of the time high."""
        self._pwm.duty_u16(_FULL * percent // 100)


class Pins:
    """Makes them."""

    output = Output
    pwm = Speed
