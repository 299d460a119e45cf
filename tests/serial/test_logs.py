"""tools/logs.py: it listens and changes nothing, unless it is asked for the errors."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.serial.site import awake
from tools import logs
from tools.emulator import Board


@contextlib.contextmanager
def following(board: Board, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tools.logs", "--port", board.port, *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as tool:
        try:
            yield tool
        finally:
            tool.kill()


def until(tool: subprocess.Popen[str], wanted: str) -> str:
    """What it printed up to a line with `wanted`."""
    assert tool.stdout
    seen = ""
    for line in tool.stdout:
        seen += line
        if wanted in line:
            return seen
    raise AssertionError(f"{wanted!r} is not in {seen!r}")


def test_it_listens_and_the_program_runs_on(board: Board) -> None:
    with following(board) as tool:
        assert tool.stderr and "listening" in tool.stderr.readline()
        board.power_cut().start()
        until(tool, "answerback: no connection")
        assert "stopped" not in board.console
        tool.send_signal(signal.SIGINT)
        assert tool.wait(30) == 0


def test_the_errors_on_flash_come_first_and_the_program_starts_anew(board: Board) -> None:
    board.power_cut()
    board.flash.write({"errors.log.old": "the older\n", "errors.log": "the newer\n"})
    since = len(board.log)
    awake(board.start(), since)
    since = len(board.log)
    with following(board, "--errors") as tool:
        assert tool.stderr and "stopping the program" in tool.stderr.readline()
        assert "the older\nthe newer" in until(tool, "the newer")
        board.wait_for("watchdog", since=since)


def test_no_errors_are_no_errors(board: Board) -> None:
    with following(board, "--errors") as tool:
        until(tool, "no errors were kept")


def test_without_a_port_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert logs.main([]) == 1
    assert logs.main(["--port", "/dev/ttyNONE"]) == 1
    assert logs.main(["--port", "/dev/ttyNONE", "--errors"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "which port? make logs PORT=/dev/ttyUSB0"
    assert "/dev/ttyNONE can't be listened to" in said[2]
    assert "no board at /dev/ttyNONE: plug it in" in said[4]
