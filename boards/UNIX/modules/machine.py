"""`machine` of an ESP32, on the host: what the firmware does to it becomes events.

Only what such firmware uses. Names, constants and defaults are those of MicroPython's ESP32 port.
What few programs use lies in files of its own, and takes no memory until it is asked for.
"""

import os
import time

import _board
import umachine

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
PIN_WAKE, TIMER_WAKE = 2, 4

_outputs = {}  # pin -> level of its output latch


def __getattr__(name):
    if name in ("ADC", "PWM", "RTC", "Timer"):
        return getattr(__import__("_" + name.lower()), name)
    return getattr(umachine, name)  # the rest is the built-in's


class Pin(umachine.PinBase):
    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self.number = number if isinstance(number, int) else number.number
        self.init(mode, pull, value)

    def init(self, mode=-1, pull=-1, value=None):
        self.mode = mode
        if mode == Pin.IN and pull == Pin.PULL_UP:
            _board.levels.setdefault(self.number, 1)
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is not None:
            return self._put(1 if level else 0)
        _board.pump()
        if self.mode == Pin.IN:
            return _board.levels.get(self.number, 0)
        return _outputs.get(self.number, 0)

    __call__ = value

    def _put(self, level):
        if _outputs.get(self.number, 0) != level:
            _board.send("pin", pin=self.number, value=level)
        _outputs[self.number] = level

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=3, **_):
        def changed(level):
            if trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
                handler(self)

        if handler is None:
            _board.watchers.pop(self.number, None)
        else:
            _board.watchers[self.number] = changed


class WDT:
    """The supervisor bites. It hears of feeding ten times a period; that is what it allows for."""

    def __init__(self, id=0, timeout=5000):
        self._timeout, self._told = timeout, time.ticks_ms()
        _board.send("watchdog", timeout=timeout)

    def feed(self):
        now = time.ticks_ms()
        if time.ticks_diff(now, self._told) * 10 > self._timeout:
            self._told = now
            _board.send("feed")


def deepsleep(time_ms=0):
    _board.send("deepsleep", for_ms=time_ms)
    _board.hang()


def lightsleep(time_ms=0):
    time.sleep_ms(time_ms)


def reset():
    _board.send("reset")
    _board.hang()


def soft_reset():
    _board.send("soft_reset")
    _board.hang()


def reset_cause():
    return int(os.getenv("BOARD_CAUSE"))


def wake_reason():
    return TIMER_WAKE if reset_cause() == DEEPSLEEP_RESET else 0


def unique_id():
    return bytes.fromhex(os.getenv("BOARD_UNIQUE_ID"))


def freq(hz=None):
    return 240000000
