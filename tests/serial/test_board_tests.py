"""tools/board_tests.py: the firmware's tests on a board behind a serial port.

The heap is larger than elsewhere, for the sources are compiled on the board.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serial.site import plugged_in
from tools import board_tests
from tools.emulator import Board

BROKEN = """
def test_that_holds():
    assert 1 + 1 == 2

def test_that_does_not():
    assert 1 + 1 == 3, "arithmetic"

async def test_that_breaks():
    raise RuntimeError("broken")
"""


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Board]:
    with contextlib.closing(plugged_in(tmp_path / "board", heap="256K")) as board:
        yield board


def test_some_files_pass_and_the_program_starts_anew(roomy: Board) -> None:
    since = len(roomy.log)
    command = [sys.executable, "-m", "tools.board_tests", "--port", roomy.port, "-k", "mp_s"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok     mp_signature.py: test_known_answers" in done.stdout
    assert "ok     mp_settings.py: test_no_gpio_twice" in done.stdout
    assert " 0 failed" in done.stdout and "FAILED" not in done.stdout
    roomy.wait_for("watchdog", since=since)
    roomy.power_cut()
    assert "a/app/talking.mpy" in roomy.flash.files() and "run.py" not in roomy.flash.files()


def test_the_flash_is_the_boards_own(roomy: Board, tmp_path: Path) -> None:
    board_tests.lay_out(tmp_path / "laid")
    (path,) = board_tests.files(tmp_path / "laid", "mp_flash")
    found = dict(board_tests.results(roomy.port, tmp_path / "laid", path))
    assert set(found) == set(board_tests.tests_in(path))
    assert set(found.values()) == {None}


def test_what_fails_on_the_board_is_told(roomy: Board, tmp_path: Path) -> None:
    board_tests.lay_out(tmp_path / "laid")
    path = tmp_path / "laid" / "tests" / "firmware" / "mp_broken.py"
    path.write_text(BROKEN)
    found = dict(board_tests.results(roomy.port, tmp_path / "laid", path))
    assert found["test_that_holds"] is None
    assert "arithmetic" in (found["test_that_does_not"] or "")
    assert "RuntimeError" in (found["test_that_breaks"] or "")


def test_every_file_of_both_folders_is_there(tmp_path: Path) -> None:
    board_tests.lay_out(tmp_path)
    names = {path.name for path in board_tests.files(tmp_path)}
    assert {"mp_journal.py", "mp_power.py", "mp_vectors.py"} <= names
    assert "mp_fakes.py" not in names


def test_without_a_board_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert board_tests.main(["--port", "/dev/ttyNONE", "-k", "mp_signature"]) == 1
    assert "no board at /dev/ttyNONE" in capsys.readouterr().out
