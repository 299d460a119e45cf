"""tools/provision.py, with the real mpremote: what it writes, what it refuses, what it shows."""

import json
import os
import pty
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from app import actuator_settings
from app import settings as firmware
from protocol import decode, topics

from backend.fleet import boards
from backend.schema import open_database
from backend.settings import load
from tests.serial.site import NOBODY, plugged_in
from tests.support.brokers import running
from tests.support.mqtt import Client
from tools import stage
from tools.emulator import Board

WIFI = ("--wifi", "barn", "the barn's new secret")
GIVEN = ("--id", "pond-7", "--broker", "127.0.0.1", "--broker-port", "1999", *WIFI)


def provision(board: Board, *words: str, kind: str = "UNIX") -> subprocess.CompletedProcess[str]:
    """Runs it as `make provision` does, without a terminal."""
    return subprocess.run(
        command(board, *words, kind=kind),
        env=environment(board),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def command(board: Board, *words: str, kind: str = "UNIX") -> list[str]:
    pond = str(stage.BOARDS / "UNIX" / "actuators" / "pond.json")
    start = [sys.executable, "-m", "tools.provision", kind, "--port", board.port]
    return [*start, "--actuators", pond, *words]


def environment(board: Board) -> dict[str, str]:
    data_of(board).mkdir(exist_ok=True)
    return {**os.environ, "DATA_DIR": str(data_of(board))}


def data_of(board: Board) -> Path:
    return board.flash.path.parent.parent / "data"


def known(board: Board) -> dict[str, dict[str, str]]:
    """{id: key and password} of the backend's database."""
    open_database(load({"DATA_DIR": str(data_of(board))}).database)
    return {board_id: boards.credentials(board_id) for board_id in boards.passwords()}


def on_flash(board: Board) -> dict[str, Any]:
    """settings.json, after a power cut."""
    board.power_cut()
    found: dict[str, Any] = json.loads(board.flash.read("settings.json"))
    assert "settings.json.new" not in board.flash.files()
    return found


def test_board_and_backend_know_the_same(board: Board) -> None:
    since = len(board.log)
    done = provision(board, *GIVEN)
    assert done.returncode == 0, done.stderr
    board.wait_for("watchdog", since=since)  # it has started with that
    told, backend = on_flash(board), known(board)["pond-7"]
    assert told["key"] == backend["key"]
    assert told["broker"] == {
        "host": "127.0.0.1",
        "port": 1999,
        "user": "pond-7",
        "password": backend["password"],
    }
    assert told["wifi"] == [{"ssid": "barn", "password": "the barn's new secret"}]
    firmware.settings(told)
    for secret in (backend["key"], backend["password"], WIFI[2]):
        assert secret not in done.stdout + done.stderr


def test_once_more_keeps_what_is_not_given(board: Board) -> None:
    provision(board, *GIVEN, "--hold", "55")
    first = known(board)["pond-7"]
    assert provision(board, "--id", "pond-7", "--broker", "127.0.0.2").returncode == 0
    board.power_cut()
    told = on_flash(board)
    assert known(board)["pond-7"] == first and told["key"] == first["key"]
    assert told["broker"]["host"] == "127.0.0.2" and told["broker"]["port"] == 1999
    assert told["hold_s"] == 55 and told["wifi"][0]["ssid"] == "barn"
    board.start()
    done = provision(board, "--id", "pond-7", "--broker", "127.0.0.2", "--new-key")
    assert "takes it over within a second" in done.stdout
    assert known(board)["pond-7"]["key"] == on_flash(board)["key"] != first["key"]


@pytest.fixture(scope="module")
def untold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board that is as it was, whoever wants to tell it what."""
    with closing(plugged_in(tmp_path_factory.mktemp("untold") / "board")) as board:
        yield board


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (("--id", "a b"), "UNIX", "board_id must be 1 to 64 of A-Z a-z 0-9 _ -"),
        (("--id", "answerback"), "UNIX", "board_id answerback is the backend's own"),
        (("--broker-port", "70000"), "UNIX", "broker.port must be from 1 to 65535"),
        (("--broker", "mqtt://host"), "UNIX", "broker.host 'mqtt://host' is no host"),
        (("--broker", "127.0.0.1"), "ESP32_GENERIC", "127.0.0.1 is the board itself"),
        (("--wifi", "x" * 33, "12345678"), "UNIX", "wifi.ssid must be at most 32 characters"),
        (("--wifi", "barn", "1234567"), "UNIX", "wifi.password of barn has 7 characters"),
        (("--wifi", "barn"), "UNIX", "wifi.password of barn is missing"),
        (("--wifi", "barn", "secret12", "x"), "UNIX", "wifi takes a name and a password"),
        (("--hold", "0"), "UNIX", "hold_s must be from 1 to 3600"),
        (("--id", ""), "UNIX", "board id is missing: give --id"),
        (("--actuators", "pyproject.toml"), "UNIX", "pyproject.toml is not JSON"),
        (("--actuators", "missing.json"), "UNIX", "missing.json"),
        ((), "ESP32_NONE", "is none of boards/"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    untold: Board, words: tuple[str, ...], kind: str, said: str
) -> None:
    before, events = untold.flash.path.read_bytes(), len(untold.log)
    done = provision(untold, *GIVEN, *words, kind=kind)
    assert done.returncode == 1 and said in done.stderr
    assert len(done.stderr.splitlines()) == 1 and "secret" not in done.stderr
    assert not (data_of(untold) / "answerback.db").exists()
    assert untold.log.of("boot")[-1]["number"] < events  # it was not even stopped
    assert untold.flash.path.read_bytes() == before


def test_a_wrong_map_names_actuator_and_field(board: Board, tmp_path: Path) -> None:
    wrong = {"actuators": {"f1": {"kind": "feeder", "pin": 99, "longest_s": 5}}}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    done = provision(board, *GIVEN, "--actuators", str(tmp_path / "wrong.json"))
    assert done.returncode == 1
    assert "wrong.json: f1.pin must be from 0 to 48; nothing was written" in done.stderr


def test_without_a_board_nothing_is_enrolled(board: Board) -> None:
    done = provision(board, *GIVEN, "--port", "/dev/ttyNONE")
    assert done.returncode == 1 and "no board at /dev/ttyNONE: plug it in" in done.stderr
    assert not (data_of(board) / "answerback.db").exists()


def test_at_a_terminal_it_asks(board: Board) -> None:
    ours, theirs = pty.openpty()
    words = command(board, "--broker-port", "1999")
    running_tool = subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment(board),
    )
    os.close(theirs)
    shown = b""
    for question, answer in (
        (b"board id: ", b"pond-8"),
        (b"broker's host: ", b"127.0.0.3"),
        (b"as it is): ", b"yard"),
        (b"(empty: open): ", b"a hidden word"),
    ):
        while question not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, answer + b"\n")
    while b"is told" not in shown:
        shown += os.read(ours, 4096)
    assert running_tool.wait(20) == 0
    os.close(ours)
    told = on_flash(board)
    assert told["board_id"] == "pond-8" and told["broker"]["host"] == "127.0.0.3"
    assert told["wifi"] == [{"ssid": "yard", "password": "a hidden word"}]
    assert b"a hidden word" not in shown and told["key"].encode() not in shown


def cut_off(board: Board, write: int) -> bool:
    """Provisions while power fails at that write to the flash; whether there was so late a one."""
    since = len(board.log)
    board.start().wait_for("watchdog", since=since)
    board.cut_at_write(write)
    since = len(board.log)
    with subprocess.Popen(
        command(board, *GIVEN),
        env=environment(board),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as tool:
        ended = board.wait(lambda event: event["event"] in ("cut", "reset"), 20, since)
        if ended["event"] == "reset":
            assert tool.wait(20) == 0
        else:
            os.killpg(tool.pid, signal.SIGKILL)  # its mpremote, too
    board.power_cut()
    return bool(ended["event"] == "cut")


WRITES = 6  # to the flash while a board is told


def test_power_that_fails_at_any_write_leaves_whole_files(board: Board, seed: int) -> None:
    """At two of them, others each time."""
    board.power_cut()
    before = json.loads(board.flash.read("settings.json"))
    for write in random.Random(seed).sample(range(1, WRITES + 1), 2):
        assert cut_off(board, write)
        files = board.flash.files()
        told = json.loads(files["settings.json"])
        firmware.settings(told)
        actuator_settings.actuators(json.loads(files["actuators.json"]))
        assert told["key"] in (before["key"], known(board)["pond-7"]["key"])
    assert not cut_off(board, 3 * WRITES)  # what is left of a cut has to go, too
    assert on_flash(board)["key"] == known(board)["pond-7"]["key"]


def test_a_provisioned_board_gets_to_the_broker(tmp_path: Path) -> None:
    users = {"answerback": "backend's", "pond-7": "seven's"}
    with running("embedded", tmp_path, users) as broker:
        client = Client(broker, "answerback", users["answerback"])
        client.connect()
        client.subscribe(topics.topic("pond-7", topics.STARTUP))
        port = ("--broker-port", str(broker.port), "--broker-password", users["pond-7"])
        board = plugged_in(tmp_path / "board", NOBODY, heap="160K")
        try:
            assert provision(board, *GIVEN, *port).returncode == 0
            key = bytes.fromhex(known(board)["pond-7"]["key"])
            startup = decode("startup", client.receive(10).payload, key)
            assert set(startup["actuators"]) == {"feeder1", "valve1", "light1"}
        finally:
            board.close()
            client.close()
