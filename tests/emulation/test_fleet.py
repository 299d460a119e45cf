"""Many boards at once, and the command that runs them."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.processes import Ended, children
from tools import emulate, stage
from tools.emulator import EmulatorError, Event
from tools.fleet import BoardSpec, Fleet, describe

# Says who it is, from its settings, and switches on its first output.
MAIN = b"""
import json
from machine import Pin

settings = json.load(open("settings.json"))
actuators = json.load(open("actuators.json"))["actuators"]
print("I am", settings["board_id"], "for", settings["broker"]["port"])
for name in sorted(actuators):
    if "pin" in actuators[name]:
        Pin(actuators[name]["pin"], Pin.OUT).on()
"""

PINS = {"pond": 16, "museum": 19}


def spec(number: int, actuators: str = "pond") -> BoardSpec:
    return BoardSpec(f"board-{number}", "0a" * 32, "secret", actuators)


def test_each_board_has_its_own_settings_and_actuators(tmp_path: Path) -> None:
    told: list[tuple[str, Event]] = []
    specs = [spec(1, "pond"), spec(2, "museum")]
    fleet = Fleet(
        specs,
        tmp_path,
        ("127.0.0.1", 1884),
        lambda *it: told.append(it),
        firmware={"main.py": MAIN},
    )
    with fleet:
        for one in specs:
            board = fleet.boards[one.board_id]
            board.wait_for("console", line=f"I am {one.board_id} for 1884")
            assert isinstance(one.actuators, str)
            board.wait_for("pin", pin=PINS[one.actuators], value=1)
    assert {board_id for board_id, _ in told} == {"board-1", "board-2"}
    assert "board-1      pin 16 on" in [describe(*it) for it in told]


def test_an_existing_flash_keeps_what_is_not_firmware(tmp_path: Path) -> None:
    for port in (1884, 1885):
        fleet = Fleet([spec(1)], tmp_path, ("127.0.0.1", port), firmware={"main.py": MAIN})
        board = fleet.boards["board-1"]
        if port == 1884:
            board.flash.write({"journal": b"precious"})
        with fleet:
            board.wait_for("console", line=f"I am board-1 for {port}")
        assert board.flash.read("journal") == b"precious"


def test_unknown_actuators_are_refused() -> None:
    with pytest.raises(EmulatorError, match="use museum, pond"):
        spec(1, "garden").files(("127.0.0.1", 1884))


@pytest.fixture
def boards_file(tmp_path: Path) -> Path:
    rows = [vars(spec(number)) for number in range(3)]
    (tmp_path / "boards.json").write_text(json.dumps(rows))
    return tmp_path / "boards.json"


def test_the_command_ends_at_ctrl_c(boards_file: Path, tmp_path: Path) -> None:
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware" / "main.py").write_bytes(MAIN + b"while True: pass\n")
    command = [sys.executable, "-m", "tools.emulate", "-n", "3", "--boards", str(boards_file)]
    places = ["--directory", str(tmp_path), "--firmware", str(tmp_path / "firmware")]
    with subprocess.Popen([*command, *places], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        deadline = threading.Timer(30, running.kill)
        deadline.start()
        waiting = {f"board-{number}" for number in range(3)}
        while waiting:
            line = running.stdout.readline()
            assert line, "it ended by itself"
            if "pin 21 on" in line:
                waiting.remove(line.split()[0])
        boards = [Ended(pid) for pid in children(running.pid)]
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
        deadline.cancel()
    assert len(boards) == 3
    assert all(board.within(10) for board in boards)


def test_what_the_command_cannot_use_is_one_line(
    boards_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, why in (
        (["-n", "4", "--boards", str(boards_file)], "has 3 boards, not 4"),
        (["--boards", str(tmp_path / "none.json")], "there is no"),
        (["-n", "1", "--boards", str(boards_file), "--broker", "nowhere"], "mqtt://host:port"),
    ):
        assert emulate.main(words) == 1
        said = capsys.readouterr().err
        assert why in said and said.count("\n") == 1


def test_a_staged_folder_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "lib" / "x").mkdir(parents=True)
    (tmp_path / "lib" / "x" / "y.mpy").write_bytes(b"M")
    assert stage.read(tmp_path) == {"lib/x/y.mpy": b"M"}
