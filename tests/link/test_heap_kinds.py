"""In how small a heap each kind of work is done, the journal full: see works.py.

What counts is the firmware's part. The emulated hardware is Python, too, and lies in the same
heap, where a chip has C: how much that is, is measured by loading it alone. To seek the smallest
heap, lower what is allowed.
"""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.link.test_heap import PATIENCE
from tests.link.works import KINDS
from tools.brokers import Broker
from tools.emulator_process import compiled_modules, interpreter

WANTED = 128  # KiB for the firmware
# KiB of each heap, and what is emulated besides _BOARD.
ALLOWED = {
    "sensors": (144, ("_adc", "onewire", "ds18x20", "dht")),
    "camera": (136, ("camera",)),
    "TLS": (132, ()),
    "update": (136, ()),
    "config": (128, ()),
    "sleep": (128, ("_rare", "_rtc")),
    "everything": (172, ("_adc", "onewire", "ds18x20", "dht", "camera")),
}
OVER = ("everything",)  # a sensor, a camera and TLS at once take more than wanted, and are told

_BOARD = ("_board", "machine", "esp32", "network", "_pwm", "_timer")
_MEASURE = """
import gc, sys
import asyncio, binascii, errno, hashlib, io, json, os, select, struct, time, vfs
sys.path[:] = [".frozen", sys.argv[1]]
gc.collect()
before = gc.mem_alloc()
for name in sys.argv[2:]:
    __import__(name)
gc.collect()
print(gc.mem_alloc() - before)
"""


def emulated_kib(modules: tuple[str, ...], folder: Path) -> float:
    """How much of a heap emulated hardware takes, in an interpreter of its own."""
    flash, program = folder / "flash", folder / "measure.py"
    flash.write_bytes(bytes(65536))
    program.write_text(_MEASURE)
    ours, boards = socket.socketpair()
    with ours, boards:
        about = {
            "BOARD_FD": str(boards.fileno()),
            "BOARD_FLASH": str(flash),
            "BOARD_UNIQUE_ID": "00",
            "BOARD_CAMERA": "modern",
        }
        command = [
            interpreter(),
            "-X",
            "heapsize=512K",
            str(program),
            str(compiled_modules()),
            *modules,
        ]
        said = subprocess.check_output(
            command, env={**os.environ, **about}, pass_fds=[boards.fileno()], text=True
        )
    return int(said) / 1024


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_into_a_small_heap(
    kind: str,
    tmp_path: Path,
    embedded_broker: Broker,
    record_property: Callable[[str, object], None],
) -> None:
    allowed, more = ALLOWED[kind]
    emulated = emulated_kib((*_BOARD, *more), tmp_path)
    assert KINDS[kind](tmp_path / "site", embedded_broker, allowed, PATIENCE)
    record_property(
        f"heap, {kind}", f"fits in {allowed}K, {emulated:.0f}K of it emulated hardware"
    )
    assert emulated > 8 and (allowed - emulated <= WANTED) is (kind not in OVER)
