"""A board on a serial port, and the real mpremote that talks to it."""

import json
import subprocess
import sys
from pathlib import Path

from tools import stage
from tools.emulator import Board
from tools.fleet import BoardSpec

BOARD_ID = "pond-1"
KEY = bytes(range(32)).hex()
PASSWORD = "the broker's secret"
FEEDER, LIGHT = 16, 21
NOBODY = 9  # a port where no broker listens

SPEC = BoardSpec(BOARD_ID, KEY, PASSWORD, "pond")


def plugged_in(folder: Path, port: int = NOBODY, heap: str = "160K") -> Board:
    """A board whose program runs, with a serial port; close it afterwards."""
    files: dict[str, bytes | str] = {**stage.files(), **SPEC.files(("127.0.0.1", port))}
    settings = json.loads(files["settings.json"])
    settings["wifi"][0]["password"] = "the barn's secret"
    board = Board(folder, {**files, "settings.json": json.dumps(settings)}, serial=True, heap=heap)
    try:
        awake(board.start())
    except BaseException:
        board.close()
        raise
    return board


def awake(board: Board, since: int = 0) -> None:
    """Waits until its program has come as far as to its broker, reached or not."""
    said = ("answerback: connected", "answerback: no connection")
    board.wait(lambda it: it.get("line", "").startswith(said), since=since)


def mpremote(board: Board, *words: str) -> str:
    """What `mpremote connect PORT words...` prints; it has to succeed."""
    command = [sys.executable, "-m", "mpremote", "connect", board.port, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{board.console[-500:]}"
    return done.stdout


def at_prompt(board: Board, code: str) -> str:
    """What a person at the console gets to see, the program being stopped."""
    return mpremote(board, "resume", "exec", f"import console; {code}")
