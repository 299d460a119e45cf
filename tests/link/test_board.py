"""What holds the board together: its start, its end, and what it does when something is wrong."""

import contextlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from app import VERSION
from protocol import topics

from tests.link import peer
from tests.link.peer import Peer
from tests.link.site import FEEDER, LIGHT, make_board, settings_with, site
from tools.brokers import Broker
from tools.emulator import POWER, RESET, Board

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def broker() -> Iterator[Peer]:
    """Where the board connects to."""
    with Peer() as listening:
        yield listening


@contextlib.contextmanager
def feeding(folder: Path, broker: Peer, turned: str = "") -> Iterator[Board]:
    """A board in the middle of a feed."""
    with make_board(folder, broker.port, turned) as board:
        board.start()
        with broker.line() as line:
            line.welcome()
            line.send(peer.publish(peer.command("feed", "f", "feeder1", amount=100), 2))
            board.wait_for("pin", pin=FEEDER, value=1)
            assert line.until(peer.PUBLISH, topics.ACK).message["state"] == "accepted"
            yield board


def test_ctrl_c_leaves_a_prompt_and_safe_outputs(tmp_path: Path, broker: Peer) -> None:
    with feeding(tmp_path, broker) as board:
        board.type("\x03")
        board.wait_for(
            "console", line="answerback: stopped, outputs are safe; Ctrl-D starts it again"
        )
        board.wait_for("watchdog", timeout=3600000)
        board.type("print(6 * 7)\r")
        board.wait_for("console", line="42")
        board.wait(lambda _: board.level(FEEDER) == 0)
        assert len(board.log.of("boot")) == 1


# A bug where an action ends, where a message comes in, and in the background.
BUGS = {
    "tick": """
from app import actuators
actuators.Feeder.remaining = lambda self, now_ms: 1 // 0 if self.command_id else None
""",
    "receive": "from app import work\nwork.Work.is_free = lambda self, target: 1 // 0",
    "beat": """
from app import node, presence
node.BEAT_MS, presence.Presence.beat = 1000, lambda *_: 1 // 0
""",
}


@pytest.mark.parametrize("place", BUGS)
def test_a_bug_ends_the_whole_program(tmp_path: Path, broker: Peer, place: str) -> None:
    with make_board(tmp_path, broker.port, BUGS[place]) as board:
        board.start()
        with broker.line() as line:
            line.welcome()
            line.send(peer.publish(peer.command("switch", "l", "light1", state="on"), 2))
            board.wait_for("pin", pin=LIGHT, value=1)
            line.send(peer.publish(peer.command("feed", "f", "feeder1", amount=1), 3))
            board.wait_for("pin", pin=LIGHT, value=0)
            board.wait_for("reset")
            board.wait_for("boot", cause=RESET)
        board.power_cut()
        assert b"ZeroDivisionError" in board.flash.read("errors.log")


# Once the feeder runs, somebody takes all the memory there is and keeps it.
GREEDY = f"""
from app import node
async def run(self):
    sleep_ms, machine = __import__("asyncio").sleep_ms, __import__("machine")
    while not machine.values.get({FEEDER}):
        await sleep_ms(10)
    await sleep_ms(100)
    kept = []
    try:
        while True:
            kept.append(bytearray(200))
    except MemoryError:
        await sleep_ms(100000)
node.Node.beat = run
"""


def test_a_board_without_memory_is_safe_and_says_so_on_flash(tmp_path: Path, broker: Peer) -> None:
    with feeding(tmp_path, broker, GREEDY) as board:
        off = board.wait_for("pin", pin=FEEDER, value=0)
        reset = board.wait_for("reset")
        assert off["number"] < reset["number"]
        board.wait_for("boot", cause=RESET)
        board.power_cut()
        assert b"MemoryError" in board.flash.read("errors.log")


FAULTS = """
from app import errorlog
for number in range(50):
    try:
        raise RuntimeError("error number", number, "x" * 300)
    except RuntimeError as why:
        errorlog.write(why)
print("written")
"""


def test_errors_on_flash_are_bounded(tmp_path: Path) -> None:
    with make_board(tmp_path, 1, FAULTS) as board:
        board.start().wait_for("console", line="written")
        board.power_cut()
        files = board.flash.files()
        kept = files["errors.log.old"] + files["errors.log"]
        assert b"'error number', 49" in kept and len(kept) <= 2 * 4096


def test_errors_on_flash_can_be_fetched(tmp_path: Path, embedded_broker: Broker) -> None:
    with site(tmp_path, embedded_broker, FAULTS) as (board, backend, _):
        done = backend.result(backend.command("get_log"))
        parts = [said for leaf, said in backend.heard if leaf == topics.LOG]
        assert done["result"] == {"parts": len(parts)} and done["state"] == "completed"
        assert [part["part"] for part in parts] == list(range(1, len(parts) + 1))
        board.power_cut()
        files = board.flash.files()
        told = "".join(part["text"] for part in parts).encode()
        assert told == files["errors.log.old"] + files["errors.log"] and len(told) > 4096


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("settings.json", None, "/settings.json is missing from the board's flash"),
        ("settings.json", "{", "/settings.json is not JSON"),
        ("settings.json", '{"board_id": "a b"}', "/settings.json: board_id must be 1 to 64 of"),
        ("actuators.json", None, "/actuators.json is missing from the board's flash"),
    ],
)
def test_wrong_settings_are_told_and_leave_a_prompt(
    tmp_path: Path, file: str, content: str | None, said: str
) -> None:
    with make_board(tmp_path, 1) as board:
        if content is None:
            board.flash.remove(file)
        else:
            board.flash.write({file: content})
        board.start()
        line = board.wait(lambda it: it["event"] == "console" and said in it["line"])["line"]
        assert "mpremote" in line
        board.type("print(6 * 7)\r")
        board.wait_for("console", line="42")
        assert len(board.log.of("boot")) == 1


def test_outputs_are_safe_before_anything_else(tmp_path: Path) -> None:
    wired = {
        "broken": {"kind": "switch", "pin": "seven"},
        "relay": {"kind": "switch", "pin": 5, "active_low": True},
        "lamp": {"kind": "switch", "pin": 6, "safe": 1},
        "both": {"kind": "switch", "pin": 7, "safe": 1, "active_low": True},
    }
    with make_board(tmp_path, 1) as board:
        board.flash.write({"main.py": "from machine import Pin\nPin(9, Pin.OUT).on()"})
        board.flash.write({"actuators.json": json.dumps({"actuators": wired})})
        main = board.start().wait_for("pin", pin=9)
        assert [board.level(pin) for pin in (5, 6, 7)] == [1, 1, 0]
        assert {event["pin"] for event in board.log.of("pin")} == {5, 6, 9}
        assert board.log.of("pin")[-1] == main


@pytest.mark.parametrize("content", ["", "[]", '{"actuators": 7}', '{"actuators": {"a": 1}}'])
def test_a_broken_file_does_not_stop_the_boot(tmp_path: Path, content: str) -> None:
    with make_board(tmp_path, 1) as board:
        board.flash.write({"actuators.json": content})
        board.start()
        board.wait(lambda it: it["event"] == "console" and "/actuators.json" in it["line"])


def test_every_known_network_is_tried_for_ever(tmp_path: Path, broker: Peer) -> None:
    turned = "from app import wifi\nwifi._TRY_MS, wifi._LOOK_MS, wifi._PAUSE_MS = 100, 20, (20,)"
    with make_board(tmp_path, broker.port, turned) as board:
        settings_with(board, wifi=[{"ssid": "house"}, {"ssid": "garden", "password": "g"}])
        board.set_wifi(False)
        board.start()
        board.wait(lambda _: len(board.log.of("wifi")) == 5)
        tried = [event["ssid"] for event in board.log.of("wifi")]
        assert tried == ["house", "garden", "house", "garden", "house"]
        board.set_wifi(True)
        with broker.line() as line:
            assert line.welcome().message["cause"] == "power_on"


def test_a_restart_is_confirmed_before_and_after(tmp_path: Path, broker: Peer) -> None:
    with make_board(tmp_path, broker.port) as board:
        board.start()
        with broker.line() as line:
            startup = line.welcome()
            line.send(peer.publish(peer.command("restart", "r"), 2))
            accepted = line.until(peer.PUBLISH, topics.ACK)
            assert accepted.message["state"] == "accepted"
            line.send(peer.puback(accepted.packet_id))
            line.hung_up()
        with broker.line() as line:
            again = line.welcome()
            assert again.message["cause"] == "hard"
            assert again.message["boot"] != startup.message["boot"]
            line.send(peer.publish(peer.command("query", "r"), 2))
            assert line.until(peer.PUBLISH, topics.ACK).message["state"] == "completed"
        assert [event["cause"] for event in board.log.of("boot")] == [POWER, RESET]


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
