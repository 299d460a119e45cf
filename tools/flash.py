"""Erases a board and writes a MicroPython image onto it, by way of esptool.

    python -m tools.flash BOARD --port /dev/ttyUSB0 [--image FILE] [--yes]

BOARD is a folder of boards/. Without --image the newest that fits in var/images is taken. An
image for another chip is refused before anything is erased. Afterwards: make deploy, make
provision.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools import stage

IMAGES = stage.ROOT / "var" / "images"
BAUD = 460800

_MAGIC = 0xE9  # the first byte of every image; bytes 12 and 13 say for which chip
_SMALLEST = 256 * 1024

Facts = dict[str, Any]


class FlashError(RuntimeError):
    """Nothing was done; the text says why and what to do."""


def facts(board: str) -> Facts:
    """What boards/BOARD/board.json says. Raises StageError (no such board), FlashError."""
    found: Facts = json.loads((stage.folder_of(board) / "board.json").read_text())
    if "deploy_options" not in found:
        raise FlashError(f"{board} has no flash chip to write to: it is emulated")
    return found


def chosen(board: Facts, named: Path | None, folder: Path = IMAGES) -> Path:
    """The image: `named`, or the newest in `folder`. Raises FlashError."""
    if named:
        if not named.is_file():
            raise FlashError(f"there is no image {named}")
        return named
    found = sorted(folder.glob(f"{board['image']}-[0-9]*.bin"))
    if not found:
        page = f"https://micropython.org/download/{board['image'].split('-')[0]}/"
        raise FlashError(
            f"there is no MicroPython for {board['id']} in {folder}: download "
            f"{board['image']}-DATE-VERSION.bin from {page} into that folder, or name a file "
            "with IMAGE="
        )
    return found[-1]


def check(board: Facts, image: Path) -> None:
    """Raises FlashError where that is no image for this board's chip."""
    content = image.read_bytes()
    if len(content) < _SMALLEST or content[0] != _MAGIC:
        raise FlashError(f"{image} is no MicroPython image (.bin): download it again")
    chips = json.loads((stage.BOARDS / "chips.json").read_text())
    by_id = {chip["image_chip_id"]: name for name, chip in chips.items() if name != "rules"}
    made_for = by_id.get(int.from_bytes(content[12:14], "little"), "another chip")
    if made_for != board["mcu"]:
        raise FlashError(f"{image} is for {made_for}, and {board['id']} has {board['mcu']}")


def commands(board: Facts, port: str, image: Path) -> list[list[str]]:
    """The two runs of esptool: erase, write."""
    start = [sys.executable, "-m", "esptool", "--chip", board["mcu"], "--port", port]
    offset = board["deploy_options"]["flash_offset"]
    write = ["--baud", str(BAUD), "write-flash", offset, str(image)]
    return [[*start, "erase-flash"], [*start, *write]]


def confirm(board: Facts, port: str, image: Path, yes: bool) -> None:
    """Asks before everything is erased. Raises FlashError where the answer is not yes."""
    question = f"erase all of {board['id']} at {port}, its settings too, and write {image.name}?"
    if yes:
        return
    if not sys.stdin.isatty():
        raise FlashError(f"{question} nobody is here to ask: ARGS=--yes")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise FlashError("nothing was erased")


def flash(board: str, port: str, named: Path | None, yes: bool) -> None:
    """Does it. Raises FlashError, StageError."""
    found = facts(board)
    if not port:
        raise FlashError("which port? make flash BOARD=... PORT=/dev/ttyUSB0")
    image = chosen(found, named)
    check(found, image)
    if importlib.util.find_spec("esptool") is None:
        raise FlashError("esptool is not in .venv: make clean, and make flash once more")
    confirm(found, port, image, yes)
    for command in commands(found, port, image):
        if subprocess.run(command).returncode:
            raise FlashError(
                f"esptool failed (see above): hold BOOT while you plug {board} in, and try again"
            )
    print("done; now make deploy, then make provision")


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, or 1 with a line that says why."""
    parser = argparse.ArgumentParser(prog="python -m tools.flash", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("board", help="a folder of boards/")
    parser.add_argument("--port", default="", help="serial port")
    parser.add_argument("--image", type=Path, help="a MicroPython image")
    parser.add_argument("--yes", action="store_true", help="do not ask before erasing")
    given = parser.parse_args(argv)
    try:
        flash(given.board, given.port, given.image, given.yes)
    except (FlashError, stage.StageError, OSError) as why:
        print(why, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ended; where it was erased already, flash it again", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
