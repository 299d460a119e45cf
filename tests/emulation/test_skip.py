"""Hours that are skipped, and steps that are measured, on an emulated board."""

from tests.emulation.boards import MakeBoard
from tools.emulator import DEEPSLEEP

SLEEPER = """
import asyncio, machine, time

async def main():
    began = time.ticks_ms(), time.time(), machine.RTC().datetime()[4]
    print("waiting")
    await asyncio.sleep(3600)
    passed = time.ticks_diff(time.ticks_ms(), began[0]) // 60000, int(time.time() - began[1]) // 60
    print("passed", *passed, (machine.RTC().datetime()[4] - began[2]) % 24)
    machine.deepsleep(7200000)

asyncio.run(main())
"""

BUSY = """
import asyncio

async def work():
    with open("/file", "w") as file:
        for number in range(300000):
            file.write("") if number % 100000 == 0 else None

async def main():
    await asyncio.sleep_ms(0)
    await asyncio.create_task(work())
    await asyncio.sleep_ms(0)
    print("done")

asyncio.run(main())
"""


def test_hours_are_skipped_awake_and_asleep(make_board: MakeBoard) -> None:
    board = make_board(SLEEPER, skips=True)
    board.wait_for("console", line="waiting")
    board.skip(3600)
    board.wait_for("console", line="passed 60 60 1")
    board.wait_for("deepsleep", for_ms=7200000)
    since = len(board.log)
    board.skip(7200)
    board.wait_for("boot", cause=DEEPSLEEP, since=since)
    board.wait_for("console", line="waiting", since=since)
    board.skip(3600)
    board.wait_for("console", line="passed 60 60 1", since=since)


def test_what_keeps_the_loop_is_named(make_board: MakeBoard) -> None:
    board = make_board(BUSY, blocks_ms=3)
    board.wait_for("console", line="done", timeout=20)
    (block,) = board.log.of("block")
    assert "'work'" in block["task"] and block["took"] >= 3
    assert block["spent"]["flash write"][0] >= 4 and block["spent"]["flash open"][0] == 1
