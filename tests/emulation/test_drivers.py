"""The drivers of sensors on an emulated board, under the names they have on an ESP32."""

import errno

from tests.emulation.boards import MakeBoard

ROMS = ("28ff000000000001", "28ff000000000002")

THERMOMETERS = """
import onewire, ds18x20, time
from machine import Pin

bus = ds18x20.DS18X20(onewire.OneWire(Pin(4)))
try:
    bus.convert_temp()
except onewire.OneWireError:
    print("none")
while len(bus.scan()) != 2:
    time.sleep_ms(5)
bus.convert_temp()
print("early", bus.read_temp(bus.scan()[0]))
time.sleep_ms(750)
for rom in bus.scan():
    print(bytes(rom).hex(), bus.read_temp(rom))
try:
    bus.read_temp(b"12345678")
except Exception as why:
    print("other", why)
"""

AIR = """
import dht, time
from machine import Pin

sensor = dht.DHT22(Pin(5))
while True:
    try:
        sensor.measure()
        print("air", sensor.temperature(), sensor.humidity())
        break
    except OSError as why:
        print("silent", why.errno)
    time.sleep_ms(20)
"""


def test_thermometers_on_one_wire(make_board: MakeBoard) -> None:
    board = make_board(THERMOMETERS)
    board.wait_for("console", line="none")
    board.set_temperatures(4, {ROMS[1]: -0.5, ROMS[0]: 21.5})
    board.wait_for("console", line="other CRC error")
    said = [event["line"] for event in board.log.of("console")]
    wanted = ["none", "early 85.0", f"{ROMS[0]} 21.5", f"{ROMS[1]} -0.5", "other CRC error"]
    assert said[:5] == wanted


def test_air(make_board: MakeBoard) -> None:
    board = make_board(AIR)
    board.wait_for("console", line=f"silent {errno.ETIMEDOUT}")
    board.set_air(5, 19.5, 61)
    board.wait_for("console", line="air 19.5 61")
