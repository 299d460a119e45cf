"""`import console` at the prompt of a board with a small heap: what it shows, and what it moves.

The pins are read, not the words.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.link.site import Backend
from tests.serial.site import (
    BOARD_ID,
    FEEDER,
    KEY,
    LIGHT,
    PASSWORD,
    at_prompt,
    awake,
    mpremote,
    plugged_in,
)
from tests.support.brokers import running
from tools.emulator import Board

SHOWN = ("help", "status", "pins", "journal", "settings", "wifi", "log")


def tell_time(board: Board) -> None:
    assert at_prompt(board, f"console.clock({int(time.time())})") == ""


def test_a_dose_runs_as_long_as_a_remote_one(board: Board) -> None:
    tell_time(board)
    said = at_prompt(board, "console.run('feed', 'feeder1', amount=5)")
    assert said.splitlines()[0].startswith("accepted: ")
    assert said.splitlines()[1].startswith("completed: ") and '"grams": 5' in said
    (pulse,) = board.pulses(FEEDER)
    assert pulse.off_by(500) < 20


def test_a_switch_goes_off_before_the_prompt_is_back(board: Board) -> None:
    tell_time(board)
    assert "completed" in at_prompt(board, "console.run('switch','light1',state='on',seconds=1)")
    (pulse,) = board.pulses(LIGHT)
    assert pulse.off_by(1000) < 20


def test_what_the_board_refuses_moves_nothing(board: Board) -> None:
    tell_time(board)
    for code, why in (
        ("'feed', 'feeder1', amount=5000", "500 s, and 120 s is the longest"),
        ("'feed', 'feeder9', amount=5", "unknown_target"),
        ("'feed', 'light1', amount=5", "wrong_target"),
        ("'feed', 'feeder1', grams=5", "amount: is missing"),
        ("'dance', 'feeder1'", "unknown_type"),
        ("'query'", "for the backend alone"),
        ("'feed', 5", "target: must be"),
    ):
        said = at_prompt(board, f"console.run({code})")
        assert said.startswith("rejected: ") and why in said
    assert board.pulses(FEEDER) == [] and board.pulses(LIGHT) == []


def test_without_a_time_only_a_stop_is_obeyed(board: Board) -> None:
    said = at_prompt(board, "console.run('feed', 'feeder1', amount=1)")
    assert "not run: clock_unset" in said and "console.clock" in said
    assert board.pulses(FEEDER) == []
    assert at_prompt(board, "console.run('stop')").strip() == "completed:"
    assert "must be from" in at_prompt(board, "console.clock(5)")
    tell_time(board)
    assert "set already" in at_prompt(board, f"console.clock({int(time.time()) + 10**8})")
    assert "completed" in at_prompt(board, "console.run('feed', 'feeder1', amount=1)")


def test_the_journal_remembers_over_a_restart(board: Board) -> None:
    tell_time(board)
    at_prompt(board, "console.run('feed', 'feeder1', amount=1)")
    at_prompt(board, "console.run('feed', 'feeder1', amount=5000)")
    since = len(board.log)
    awake(board.power_cut().start(), since)
    lines = at_prompt(board, "console.journal()").splitlines()
    assert sorted(line.split()[1:3] for line in lines) == [
        ["completed", "None"],
        ["rejected", "bad_parameter"],
    ]
    assert all(line.startswith("console-") for line in lines)


def test_an_emergency_stop_holds_here_too(board: Board) -> None:
    tell_time(board)
    at_prompt(board, "console.run('emergency_stop')")
    assert "latched" in at_prompt(board, "console.run('feed', 'feeder1', amount=1)")
    assert "emergency stop holds" in at_prompt(board, "console.status()")
    assert board.pulses(FEEDER) == []
    at_prompt(board, "console.run('clear_stop')")
    assert "completed" in at_prompt(board, "console.run('feed', 'feeder1', amount=1)")


def test_ctrl_c_ends_a_run_with_the_pin_off(board: Board) -> None:
    tell_time(board)
    code = "import console; console.run('feed', 'feeder1', amount=1000)"
    command = [sys.executable, "-m", "mpremote", "connect", board.port, "resume", "exec", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running_mpremote:
        board.wait_for("pin", pin=FEEDER, value=1)
        assert board.pid
        os.kill(board.pid, signal.SIGINT)  # what a chip makes of Ctrl-C; here raw mode does not
        said, _ = running_mpremote.communicate(timeout=20)
    assert board.level(FEEDER) == 0
    assert "Ctrl-C" in said and "failed: stopped" in said
    assert "failed stopped" in at_prompt(board, "console.journal()")


def test_power_that_fails_meanwhile_is_an_open_question(board: Board) -> None:
    tell_time(board)
    code = "import console; console.run('feed', 'feeder1', amount=1000)"
    command = [sys.executable, "-m", "mpremote", "connect", board.port, "resume", "exec", code]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as cut:
        board.wait_for("pin", pin=FEEDER, value=1)
        board.power_cut()
        cut.kill()
    since = len(board.log)
    awake(board.start(), since)
    assert "unknown interrupted" in at_prompt(board, "console.journal()")


def test_it_shows_everything_but_secrets(board: Board) -> None:
    said = "".join(at_prompt(board, f"console.{name}()") for name in SHOWN)
    assert BOARD_ID in said and "GPIO 16 low" in said and "emulated" in said
    for secret in (KEY, PASSWORD, "the barn's secret"):
        assert secret not in said
    assert said.count("***") == 3
    for name in SHOWN:
        assert f"{name}()" in said or name == "help"


def test_it_works_where_no_program_ran(board: Board) -> None:
    """`exec` without `resume` makes a soft reset, and skips main.py."""
    assert "not run: clock_unset" in mpremote(
        board, "exec", "import console; console.run('feed', 'feeder1', amount=1)"
    )
    tell_time(board)
    assert "completed" in at_prompt(board, "console.run('feed', 'feeder1', amount=1)")


def test_wrong_settings_are_named(board: Board) -> None:
    board.power_cut()
    board.flash.write({"settings.json": '{"board_id": "a b"}'})
    board.start().wait(lambda event: "board_id" in event.get("line", ""))
    assert '"a b"' in at_prompt(board, "console.settings()")
    code = "import console\ntry: console.run('stop')\nexcept ValueError as why: print(why)"
    assert "/settings.json: board_id" in mpremote(board, "resume", "exec", code)


def test_restart_is_a_restart(board: Board) -> None:
    tell_time(board)
    since = len(board.log)
    board.type("import console; console.run('restart')\r")
    board.wait_for("reset", since=since)
    awake(board, since)
    assert " completed None " in at_prompt(board, "console.journal()")


def test_the_program_comes_back_with_ctrl_d(board: Board) -> None:
    at_prompt(board, "console.status()")
    since = len(board.log)
    board.type("\x04")
    board.wait_for("watchdog", since=since)


def test_the_backend_told_the_time_and_hears_at_once_that_it_is_gone(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    users = {"answerback": "backend's", BOARD_ID: PASSWORD}
    with running("embedded", tmp_path, users) as broker:
        backend = Backend(broker).connect()
        board = plugged_in(tmp_path / "board", broker.port, heap="160K")
        with contextlib.closing(backend), contextlib.closing(board):
            backend.online()
            backend.result(backend.command("ping"))
            assert "completed" in at_prompt(board, "console.run('feed', 'feeder1', amount=1)")
            backend.wait("status", {"status": "offline"}, 10)
            assert len(board.pulses(FEEDER)) == 1
            free = at_prompt(board, "import gc; gc.collect(); print(gc.mem_free())")
    record_property("free at the console's prompt", f"{free.strip()} bytes of 192K")
