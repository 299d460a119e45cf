"""The rest of `machine` on the host: sleep, the chip's id and its clock."""

import os
import time

import _board
import umachine
from machine import DEEPSLEEP_RESET, reset_cause

PIN_WAKE, TIMER_WAKE = 2, 4


def __getattr__(name):
    return getattr(umachine, name)  # the rest is the built-in's


def deepsleep(time_ms=0):
    _board.send("deepsleep", for_ms=time_ms)
    _board.stop()


def lightsleep(time_ms=0):
    time.sleep_ms(time_ms)


def wake_reason():
    return TIMER_WAKE if reset_cause() == DEEPSLEEP_RESET else 0


def unique_id():
    return bytes.fromhex(os.getenv("BOARD_UNIQUE_ID"))


def freq(hz=None):
    return 240000000
