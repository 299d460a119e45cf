"""Little firmwares the tests of the emulator run, and a fixture that makes boards of them."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.emulator import Board

MakeBoard = Callable[..., Board]


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[MakeBoard]:
    """make_board(main, **settings) is a running board; all are off after the test."""
    with contextlib.ExitStack() as running:

        def make(main: str, **settings: object) -> Board:
            folder = tmp_path / f"board{len(list(tmp_path.iterdir()))}"
            board = Board(folder, {"main.py": main}, **settings)  # type: ignore[arg-type]
            return running.enter_context(board).start()

        yield make


MIRROR = """
import asyncio
from machine import Pin

led, button, inverse = Pin(2, Pin.OUT), Pin(4, Pin.IN), Pin(5, Pin.OUT)
button.irq(lambda pin: inverse.value(not pin.value()))

async def main():
    print("mirroring")
    while True:
        led.value(button.value())
        await asyncio.sleep_ms(10)

asyncio.run(main())
"""

IDLE = """
import asyncio
from machine import ADC, Pin

Pin(4, Pin.IN).irq(lambda pin: Pin(2, Pin.OUT).value(pin.value()), Pin.IRQ_RISING)
Pin(5, Pin.IN).irq(lambda pin: print("reads", ADC(34).read_u16()), Pin.IRQ_FALLING)
print("idle")

async def main():
    await asyncio.sleep(1000)

asyncio.run(main())
"""

RAMP = """
import asyncio
from machine import PWM, Pin, Timer

motor, step = PWM(Pin(19), freq=1000, duty_u16=0), 0

def faster(timer):
    global step
    step += 1
    motor.duty_u16(step * 10000)
    if step == 5:
        timer.deinit()
        motor.duty_u16(0)

Timer(0).init(period=20, callback=faster)

async def main():
    await asyncio.sleep(1000)

asyncio.run(main())
"""

# Boots 1 to 3 sleep, 4 resets, 5 soft-resets by ending, 6 stays. No `finally` may run.
LIVES = """
import machine, sys, time

rtc = machine.RTC()
boot = int(rtc.memory() or b"0") + 1
rtc.memory(str(boot).encode())
machine.Pin(6, machine.Pin.OUT).on()
try:
    if boot < 4:
        machine.deepsleep(3600_000)
    if boot == 4:
        machine.reset()
finally:
    machine.Pin(7, machine.Pin.OUT).on()
if boot == 5:
    sys.exit()
print("awake", machine.wake_reason())
"""

GUARDED = """
import machine, time

guard = machine.WDT(timeout=400)
start = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), start) < 1000:
    guard.feed()
    time.sleep_ms(5)
print("hangs")
while True:
    pass
"""

# Writes a state as the journal does: a temporary file, then rename over the old one.
WRITER = """
import json, os
from machine import Pin

try:
    with open("state.json") as file:
        number = json.load(file)["number"]
except OSError:
    number = 0
print("found", number)
written = Pin(1, Pin.OUT)
while True:
    number += 1
    with open("state.tmp", "w") as file:
        json.dump({"number": number, "filling": "x" * 300}, file)
    os.rename("state.tmp", "state.json")
    print("wrote", number)
    written.value(number & 1)
"""
