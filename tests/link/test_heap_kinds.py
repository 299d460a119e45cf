"""In how small a heap each kind of work is done, the journal full: see works.py.

What counts is the firmware's part. The emulated hardware is Python, too, and lies in the same
heap, where a chip has C: how much that is, is measured by loading it alone, and only what a board
has in memory all the time counts. To seek the smallest heap, lower what is allowed.
"""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.link.site import site
from tests.link.test_heap import PATIENCE
from tests.link.test_link import QUICK
from tests.link.works import KINDS, wired
from tools.brokers import Broker
from tools.emulator_process import compiled_modules, interpreter
from tools.stage import files

WANTED = 128  # KiB for the firmware
ALLOWED = {  # KiB of each heap
    "sensors": 139,
    "camera": 134,
    "TLS": 128,
    "update": 130,
    "config": 124,
    "sleep": 124,
    "everything": 164,
}
OVER = ("everything",)  # sensors, a camera and TLS at once take more than wanted, and are told

_BOARD = ("_board", "_rare", "machine", "network")
_WIRED = (*_BOARD, "dht", "ds18x20", "onewire")
_MEASURING = (*_WIRED, "_adc")  # which is no module any more once it was loaded
_EMULATED = {"sensors": _MEASURING, "everything": _MEASURING}
_SAY = QUICK + 'print("loaded:", *__import__("sys").modules)\n'
_MEASURE = """
import gc, sys
import asyncio, binascii, errno, hashlib, io, json, os, select, struct, time, vfs
sys.path[:] = [".frozen", sys.argv[1]]
with open(sys.argv[2]) as names:
    for name in names:
        getattr(names, name[:-1], None)
gc.collect()
before = gc.mem_alloc()
for name in sys.argv[3:]:
    __import__(name)
gc.collect()
print(gc.mem_alloc() - before)
"""


def emulated_kib(modules: tuple[str, ...], folder: Path) -> float:
    """How much of a heap emulated hardware takes beside the firmware's names."""
    flash, program, names = folder / "flash", folder / "measure.py", folder / "names"
    flash.write_bytes(bytes(65536))
    names.write_bytes(files()["a/app/names"])
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
            str(names),
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
    allowed = ALLOWED[kind]
    emulated = emulated_kib(_EMULATED.get(kind, _BOARD), tmp_path)
    assert KINDS[kind](tmp_path / "site", embedded_broker, allowed, PATIENCE)
    record_property(
        f"heap, {kind}", f"fits in {allowed}K, {emulated:.0f}K of it emulated hardware"
    )
    assert emulated > 4 and (allowed - emulated <= WANTED) is (kind not in OVER)


def test_what_counts_as_emulated_is_in_memory(tmp_path: Path, embedded_broker: Broker) -> None:
    with site(tmp_path, embedded_broker, _SAY, wired()) as (board, *_):
        (loaded,) = [line.split() for line in board.console.splitlines() if "loaded:" in line]
    assert set(_WIRED) <= set(loaded) and "esp32" not in loaded
