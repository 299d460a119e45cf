"""`machine` of an ESP32, on the host: what the firmware does to it becomes events.

Only what such firmware uses. Names, constants and defaults are those of MicroPython's ESP32 port.
What few programs use lies in files of its own, and takes no memory until it is asked for.
"""

import os
import sys
import time

import _board
import umachine

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


def __getattr__(name):
    """What is in a file of its own; it takes memory only as long as somebody has it."""
    place = "_" + name.lower()
    try:
        module = __import__(place)
    except ImportError:
        return getattr(__import__("_rare"), name)
    del sys.modules[place]
    return getattr(module, name)


values = {}  # pin -> level of its output latch


class Pin(umachine.PinBase):
    IN, OUT = 1, 3
    PULL_UP = 2
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self.number = number if isinstance(number, int) else number.number
        self.mode = mode
        if mode == Pin.IN and pull == Pin.PULL_UP:
            _board.values.setdefault(("pin", self.number), 1)
        if value is not None:
            self.value(value)

    def value(self, level=None):
        before = values.get(self.number, 0)
        if level is None:
            _board.step()
            return _board.values.get(("pin", self.number), 0) if self.mode == Pin.IN else before
        level = values[self.number] = 1 if level else 0
        if level != before:
            _board.send("pin", pin=self.number, value=level)
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, *args, **kwargs):
        __import__("_irq").watch(self, *args, **kwargs)


class WDT:
    """The supervisor bites. It hears of feeding ten times a period; that is what it allows for."""

    def __init__(self, id=0, timeout=5000):
        self.timeout, self.start = timeout, time.ticks_ms()
        _board.send("watchdog", timeout=timeout)

    def feed(self):
        now = time.ticks_ms()
        if time.ticks_diff(now, self.start) * 10 > self.timeout:
            self.start = now
            _board.send("feed")


def reset():
    _board.send("reset")
    _board.stop()


def soft_reset():
    _board.send("soft_reset")
    _board.stop()


def reset_cause():
    return int(os.getenv("BOARD_CAUSE"))
