"""The hardware of a real board: its pins, as `actuators` wants them, and its watchdog."""

from time import ticks_ms as ticks  # noqa: F401 (the pins' own time)

import machine
from micropython import const

# Longer than a look-up of a host name may block; that is done only while nothing moves.
_TIMEOUT_MS = const(30000)
_AT_PROMPT_MS = const(3600000)  # a board forgotten at the prompt comes back by itself

_FULL = const(65535)  # duty_u16


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

    def speed(self, speed):
        """0 to 100 % of the time high."""
        self._pwm.duty_u16(_FULL * speed // 100)


class Watchdog:
    """Resets a board whose main loop has stopped turning.

    Once made it can't be switched off, only set to another time: so it is on the ESP32.
    """

    def __init__(self):
        self._watchdog = machine.WDT(timeout=_TIMEOUT_MS)

    def feed(self):
        """The loop turns."""
        self._watchdog.feed()

    def rest(self):
        """Somebody is at the prompt: an hour without feeding."""
        self._watchdog = machine.WDT(timeout=_AT_PROMPT_MS)
