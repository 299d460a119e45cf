"""The emulated board: what its firmware does is seen, and what the world does reaches it."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulation import boards
from tests.emulation.boards import MakeBoard
from tests.support.processes import Ended
from tools.emulator import DEEPSLEEP, POWER, RESET, SOFT, WATCHDOG, Board, Event


def numbers(board: Board, word: str) -> list[int]:
    """What followed a word on the whole lines of the console."""
    whole = [event["line"] for event in board.log.of("console") if "cut" not in event]
    lines = [line.split() for line in whole]
    return [int(line[1]) for line in lines if line[:1] == [word]]


def said(board: Board) -> int:
    """The number WRITER last said was on flash."""
    return max([0, *numbers(board, "wrote"), *numbers(board, "found")])


def state(board: Board) -> int:
    """The number that is on the flash of a board that is off."""
    kept = board.flash.files().get("state.json", b'{"number": 0}')
    return int(json.loads(kept)["number"])


def test_pins_go_out_and_in(make_board: MakeBoard) -> None:
    board = make_board(boards.MIRROR)
    board.wait_for("console", line="mirroring")
    for _ in range(3):
        board.set_pin(4, 1)
        board.wait(lambda _: board.level(2) == 1 and board.level(5) == 0)
        board.set_pin(4, 0)
        board.wait(lambda _: board.level(2) == 0 and board.level(5) == 1)
    assert len(board.pulses(2)) == 3


def test_the_world_is_heard_while_asyncio_idles(make_board: MakeBoard) -> None:
    board = make_board(boards.IDLE)
    board.wait_for("console", line="idle")
    board.set_pin(4, 1)
    board.wait_for("pin", pin=2, value=1)
    board.set_pin(4, 0)  # only the rising edge was asked for
    board.set_adc(34, 4711)
    board.set_pin(5, 1)
    board.set_pin(5, 0)
    board.wait_for("console", line="reads 4711")
    assert board.level(2) == 1


def test_inputs_last_through_a_power_cut(make_board: MakeBoard) -> None:
    board = make_board(boards.MIRROR)
    board.set_pin(4, 1)
    board.wait_for("pin", pin=2, value=1)
    again = len(board.power_cut().log)
    board.start().wait_for("pin", pin=2, value=1, since=again)


def test_pwm_and_timers(make_board: MakeBoard) -> None:
    board = make_board(boards.RAMP)
    top = board.wait_for("pwm", duty=50000)
    board.wait_for("pwm", duty=0, since=top["number"])
    (pulse,) = board.pulses(19)
    duties = [event["duty"] for event in board.log.of("pwm")]
    assert duties == [0, 10000, 20000, 30000, 40000, 50000, 0]
    assert pulse.ms >= 70


def test_every_kind_of_reset(make_board: MakeBoard) -> None:
    board = make_board(boards.LIVES, sleep_scale=1 / 360_000)
    board.wait_for("console", 10, line="awake 0")
    causes = [event["cause"] for event in board.log.of("boot")]
    assert causes == [POWER, DEEPSLEEP, DEEPSLEEP, DEEPSLEEP, RESET, SOFT]
    assert len(board.pulses(6)) == 6, "an output falls when its processor is reset"
    assert len(board.pulses(7)) == 2, "`finally` ran in a life that was cut off"
    again = len(board.power_cut().log)
    board.start().wait_for("boot", since=again, cause=POWER)


def test_the_clock_goes_on_through_a_reset(make_board: MakeBoard) -> None:
    board = make_board(
        "import machine\nr = machine.RTC()\nyear = r.datetime()[0]\nprint('year', year)\n"
        "if year == 2000:\n    r.datetime((2030, 5, 1, 0, 0, 0, 0, 0))\n    machine.reset()\n"
    )
    board.wait_for("console", line="year 2030")


def test_rtc_memory_is_lost_with_power(make_board: MakeBoard) -> None:
    main = "import machine\nr = machine.RTC()\nprint('kept', len(r.memory()))\nr.memory(b'abc')\n"
    board = make_board(main)
    board.wait_for("rtc")
    board.power_cut().start()
    board.wait(lambda _: len(numbers(board, "kept")) == 2)
    assert numbers(board, "kept") == [0, 0]


def test_power_is_cut_while_it_sleeps(make_board: MakeBoard) -> None:
    board = make_board(boards.LIVES, sleep_scale=1)
    board.wait_for("deepsleep", for_ms=3600_000)
    board.wait_for("pin", pin=6, value=0)
    assert board.pid is None
    board.power_cut().start()
    board.wait_for("deepsleep", since=board.log.of("power_cut")[0]["number"])


def test_the_watchdog_bites_a_hanging_board(make_board: MakeBoard) -> None:
    board = make_board(boards.GUARDED)
    hung = board.wait_for("console", line="hangs")
    bite = board.wait_for("bite")
    assert bite["ms"] - hung["ms"] > 350
    board.wait_for("boot", cause=WATCHDOG)


def test_a_cut_at_any_moment_loses_nothing_written(make_board: MakeBoard, seed: int) -> None:
    board = make_board(boards.WRITER)
    chance = random.Random(seed)
    for _ in range(12):
        since = len(board.log)
        board.wait(lambda _: True, since=since + chance.randrange(60))
        board.power_cut()
        kept = state(board)
        assert kept in (said(board), said(board) + 1)
        board.start()
        board.wait_for("console", line=f"found {kept}", since=since)


def test_a_cut_at_every_flash_write_loses_nothing_written(make_board: MakeBoard) -> None:
    board = make_board(boards.WRITER)
    board.power_cut()
    for write in range(1, 21):
        since = len(board.log)
        board.cut_at_write(write)
        board.start()
        board.wait_for("cut", since=since)
        board.wait_for("power_cut", since=since)
        kept = state(board)
        assert kept in (said(board), said(board) + 1)
    assert board.pid is None


def test_flash_is_read_and_written_from_outside(make_board: MakeBoard) -> None:
    board = make_board("print(open('/data/in.txt').read())\nopen('/data/out.txt', 'w').write('b')")
    board.power_cut()
    board.flash.write({"data/in.txt": "from outside", "lib/x/y.py": b""})
    board.start().wait_for("console", line="from outside")
    board.type("print('REPL')\r")
    board.wait_for("console", line="REPL")
    board.power_cut()
    assert set(board.flash.files()) == {"main.py", "data/in.txt", "data/out.txt", "lib/x/y.py"}
    board.flash.remove("data/out.txt")
    with pytest.raises(FileNotFoundError):
        board.flash.read("data/out.txt")


def test_an_uncaught_error_ends_in_the_repl(make_board: MakeBoard) -> None:
    board = make_board("import machine\nmachine.Pin(2, machine.Pin.OUT).on()\nraise OSError(5)")
    board.wait_for("console", line="OSError: [Errno 5] EIO")
    assert board.level(2) == 1, "nobody switches it off: that is the firmware's business"


def test_events_are_told_in_order(make_board: MakeBoard) -> None:
    told: list[Event] = []
    board = make_board(boards.RAMP, on_event=told.append)
    board.wait_for("pwm", duty=50000)
    board.close()
    assert [event["number"] for event in told] == list(range(len(told)))
    times = [event["ms"] for event in told if event["event"] == "pwm"]
    assert times == sorted(times)


def test_waiting_says_what_happened_instead(make_board: MakeBoard) -> None:
    board = make_board("print('something else')")
    board.wait_for("console")
    with pytest.raises(TimeoutError, match="something else"):
        board.wait_for("pin", timeout=0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_board_dies_with_its_supervisor(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from tools.emulator import Board\n"
        f"board = Board(Path({str(tmp_path)!r}), {{'main.py': 'while True: pass'}}).start()\n"
        "board.wait_for('boot'); print(board.pid, flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        board = Ended(int(supervisor.stdout.readline()))
        supervisor.kill()
    assert board.within(5), "the board outlives its supervisor"
    assert supervisor.returncode == -signal.SIGKILL
