"""The serial port, used by the real mpremote."""

from pathlib import Path

import pytest

from tests.emulation import boards
from tests.emulation.boards import MakeBoard
from tests.serial.site import mpremote
from tools.emulator import SOFT, Board


@pytest.fixture
def board(make_board: MakeBoard) -> Board:
    board = make_board(boards.MIRROR, serial=True)
    board.wait_for("console", line="mirroring")
    return board


def test_exec_interrupts_main_and_files_are_copied(board: Board, tmp_path: Path) -> None:
    listing = mpremote(board, "resume", "exec", "import os; print(os.listdir('/'))")
    assert "main.py" in listing
    content = bytes(range(256)) * 20
    (tmp_path / "there.bin").write_bytes(content)
    mpremote(board, "resume", "fs", "cp", str(tmp_path / "there.bin"), ":data.bin")
    mpremote(board, "resume", "fs", "cp", ":data.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == content
    board.power_cut()
    assert board.flash.read("data.bin") == content


def test_mount_runs_code_from_the_host(board: Board, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text("print('from', 'the host')\n" + "# filling\n" * 300)
    assert "from the host" in mpremote(
        board, "resume", "mount", str(tmp_path), "exec", "import hello"
    )


def test_soft_reset_skips_main_and_comes_back(board: Board) -> None:
    assert "42" in mpremote(board, "exec", "print(6 * 7)")
    board.wait_for("boot", cause=SOFT)
    assert len([event for event in board.log.of("console") if event["line"] == "mirroring"]) == 1


def test_the_port_outlives_a_restart(board: Board) -> None:
    before = board.port
    since = len(board.log)
    board.power_cut().start().wait_for("console", line="mirroring", since=since)
    assert "7" in mpremote(board, "resume", "exec", "print(3 + 4)")
    assert board.port == before
