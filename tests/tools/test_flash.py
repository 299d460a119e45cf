"""tools/flash.py up to where esptool begins: that itself needs a chip, and was not tried.

In its place stands a program that notes how it was called, and fails where it is told to.
"""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tools import flash, stage

ESPTOOL = """
import os, sys
with open(os.environ["CALLS"], "a") as file:
    print(*sys.argv[1:], file=file)
sys.exit(os.environ.get("FAILS", "no erase") in sys.argv)
"""
CHIP_IDS = {"esp32": 0, "esp32s3": 9, "esp32c3": 5}
REAL = sorted(
    path.parent.name for path in stage.BOARDS.glob("*/board.json") if path.parent.name != "UNIX"
)


def image(path: Path, chip: str = "esp32", size: int = 2**20) -> Path:
    """A file that looks like an image for a chip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = b"\xe9" + bytes(11) + CHIP_IDS[chip].to_bytes(2, "little")
    path.write_bytes(head + bytes(size - len(head)))
    return path


def run(
    folder: Path, *words: str, stdin: int = subprocess.DEVNULL, fails: str = ""
) -> tuple[int, str, list[str]]:
    """(exit code, what it said, how esptool was called)."""
    (folder / "esptool.py").write_text(ESPTOOL)
    calls = folder / "calls"
    surroundings = {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.flash", *words],
        env={**os.environ, **surroundings, "CALLS": str(calls), "FAILS": fails or "nothing"},
        stdin=stdin,
        capture_output=True,
        text=True,
        cwd=stage.ROOT,
        timeout=30,
    )
    called = calls.read_text().splitlines() if calls.exists() else []
    return done.returncode, done.stdout + done.stderr, called


@pytest.mark.parametrize("board", REAL)
def test_chip_and_offset_are_the_boards(board: str, tmp_path: Path) -> None:
    facts = flash.facts(board)
    erase, write = flash.commands(facts, "/dev/ttyUSB0", tmp_path / "it.bin")
    chip, offset = {
        "ESP32_GENERIC": ("esp32", "0x1000"),
        "ESP32_CAM": ("esp32", "0x1000"),
        "ESP32_GENERIC_S3": ("esp32s3", "0"),
        "ESP32_GENERIC_C3": ("esp32c3", "0"),
    }[board]
    start = [sys.executable, "-m", "esptool", "--chip", chip, "--port", "/dev/ttyUSB0"]
    assert erase == [*start, "erase-flash"]
    assert write == [*start, "--baud", "460800", "write-flash", offset, str(tmp_path / "it.bin")]


def test_erase_then_write(tmp_path: Path) -> None:
    path = image(tmp_path / "it.bin")
    words = ("ESP32_GENERIC", "--port", "/dev/ttyX", "--image", str(path), "--yes")
    code, said, calls = run(tmp_path, *words)
    assert code == 0 and "now make deploy" in said
    assert [call.split()[-1] for call in calls] == ["erase-flash", str(path)]


def test_a_failed_erase_writes_nothing(tmp_path: Path) -> None:
    words = ("--port", "/dev/ttyX", "--image", str(image(tmp_path / "it.bin")), "--yes")
    code, said, calls = run(tmp_path, "ESP32_GENERIC", *words, fails="erase-flash")
    assert code == 1 and len(calls) == 1 and "hold BOOT" in said
    code, said, calls = run(tmp_path, "ESP32_GENERIC", *words, fails="write-flash")
    assert code == 1 and len(calls) == 3 and "now make deploy" not in said


@pytest.mark.parametrize(("answer", "erased"), [("y", True), ("yes", True), ("n", False)])
def test_it_asks_before_erasing(tmp_path: Path, answer: str, erased: bool) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    words = ("--port", "/dev/ttyX", "--image", str(image(tmp_path / "it.bin")))
    code, said, calls = run(tmp_path, "ESP32_GENERIC", *words, stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert "erase all of ESP32_GENERIC at /dev/ttyX, its settings too" in said
    assert bool(calls) == erased and code == (0 if erased else 1)


def test_what_is_refused_erases_nothing(tmp_path: Path) -> None:
    good = str(image(tmp_path / "good.bin"))
    small = str(image(tmp_path / "small.bin", size=1000))
    other = str(image(tmp_path / "other.bin", "esp32c3"))
    page = tmp_path / "page.bin"
    page.write_bytes(b"<html>" * 100_000)
    port = ("--port", "/dev/ttyX", "--yes")
    for words, why in (
        (("ESP32", *port), "is none of boards/: use one of ESP32_CAM"),
        (("", *port), "is none of boards/"),
        (("UNIX", *port), "it is emulated"),
        (("ESP32_GENERIC", "--image", good, "--yes"), "which port?"),
        (("ESP32_GENERIC", *port, "--image", "/none.bin"), "there is no image /none.bin"),
        (("ESP32_GENERIC", *port, "--image", small), "is no MicroPython image"),
        (("ESP32_GENERIC", *port, "--image", str(page)), "is no MicroPython image"),
        (
            ("ESP32_GENERIC", *port, "--image", other),
            "is for esp32c3, and ESP32_GENERIC has esp32",
        ),
        (("ESP32_GENERIC_S3", *port, "--image", good), "is for esp32, and ESP32_GENERIC_S3 has"),
        (("ESP32_GENERIC", "--port", "/dev/ttyX", "--image", good), "nobody is here to ask"),
    ):
        code, said, calls = run(tmp_path, *words)
        assert (code, calls) == (1, []) and why in said, words
        assert len(said.splitlines()) == 1


def test_the_newest_image_that_fits_is_taken(tmp_path: Path) -> None:
    facts = flash.facts("ESP32_GENERIC")
    with pytest.raises(flash.FlashError, match=r"micropython\.org/download/ESP32_GENERIC/"):
        flash.chosen(facts, None, tmp_path)
    for name in (
        "ESP32_GENERIC-20250415-v1.25.0",
        "ESP32_GENERIC-20250911-v1.26.1",
        "ESP32_GENERIC-SPIRAM-20260101-v1.27.0",
        "ESP32_GENERIC_S3-20260101-v1.27.0",
    ):
        image(tmp_path / f"{name}.bin")
    assert flash.chosen(facts, None, tmp_path).name == "ESP32_GENERIC-20250911-v1.26.1.bin"
    camera = flash.chosen(flash.facts("ESP32_CAM"), None, tmp_path)
    assert camera.name == "ESP32_GENERIC-SPIRAM-20260101-v1.27.0.bin"
