"""`machine` of an ESP32, on the host: what the firmware does to it becomes events.

Only what such firmware uses. Names, constants and defaults are those of MicroPython's ESP32 port.
"""

import os
import time

import _board
import umachine
from umachine import *  # noqa: F403 (the rest is the built-in's)

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
PIN_WAKE, TIMER_WAKE = 2, 4

_outputs = {}  # pin -> level of its output latch


def _number(pin):
    return pin if isinstance(pin, int) else pin.number


class Pin(umachine.PinBase):
    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self.number = _number(number)
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


class PWM:
    def __init__(self, pin, freq=5000, duty_u16=32768, duty=None):
        self._pin, self._freq = _number(pin), freq
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


class ADC:
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, atten=0):
        self._pin = _number(pin)

    def read_u16(self):
        _board.pump()
        return _board.readings.get(self._pin, 0)

    def read(self):
        return self.read_u16() >> 4

    def read_uv(self):
        return self.read_u16() * 50

    def atten(self, _):
        pass


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


class Timer:
    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **settings):
        if settings:
            self.init(**settings)

    def init(self, mode=1, period=1000, callback=None, **_):
        self._mode, self._period, self._callback = mode, period, callback
        self._at = time.ticks_add(time.ticks_ms(), period)
        if self not in _board.timers:
            _board.timers.append(self)

    def due_in(self, now):
        return max(0, time.ticks_diff(self._at, now))

    def tick(self, now):
        if self.due_in(now):
            return
        if self._mode == Timer.ONE_SHOT:
            self.deinit()
        self._at = time.ticks_add(self._at, self._period)
        self._callback(self)

    def deinit(self):
        if self in _board.timers:
            _board.timers.remove(self)


class RTC:
    """Memory that outlives every reset but the loss of power."""

    _memory = bytes.fromhex(os.getenv("BOARD_RTC") or "")

    def memory(self, content=None):
        return RTC._memory if content is None else RTC._keep(bytes(content))

    @staticmethod
    def _keep(content):
        RTC._memory = content
        _board.send("rtc", memory=content.hex())


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
