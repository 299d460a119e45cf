"""Boards that speak the other dialects, with the real MicroPython, umqtt, broker and backend."""

import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend import schema
from backend.brokers import speech
from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.database.models import Board
from backend.delivery import wake
from backend.delivery.wishes import NewCommand
from backend.delivery.writer import now_ms
from backend.dialects import esp32cam
from backend.fleet import boards
from backend.service import Backend
from tests import unix_port
from tests.backend.running import PASSWORD, PATIENCE, eventually
from tools import umqtt
from tools.brokers import free_port

MAC = "A1B2C3D4E5F6"
STRANGER = "0123456789AB"
ROOM = "esp32_01"
SCRIPTS = Path(__file__).with_name("boards")
SIZE = 9000
SECRET = "boards'"


class Emulated:
    """One board's program; `lines` is what it prints."""

    def __init__(self, path: Path, port: int, script: str, *arguments: str) -> None:
        binary = unix_port.binary()
        if binary is None:
            pytest.skip("there is no MicroPython here: set MICROPYTHON to its executable")
        package = path / "umqtt"
        package.mkdir(exist_ok=True)
        (package / "simple.py").write_bytes(umqtt.fetch().read_bytes())
        self.lines: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [binary, str(SCRIPTS / script), str(port), *arguments],
            env={**os.environ, "MICROPYPATH": f"{path}:.frozen"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def next(self, start: str) -> str:
        """The next line that begins so."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line.startswith(start):
                return line

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Place:
    """A broker, a backend that listens for both dialects, and boards."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, list[Emulated]()
        self.database = schema.open_database(f"sqlite:///{folder / 'test.db'}")
        targets = {"light": "room1/light", "motor1": "room1/motor1"}
        boards.enroll(ROOM, 1, dialect="museum", options={"targets": targets})
        boards.enroll(MAC, 1, dialect="esp32cam")
        users = {BACKEND_USER: PASSWORD, ROOM: SECRET, MAC: SECRET, STRANGER: SECRET}
        rights = {**speech.rights(), BACKEND_USER: speech.patterns(["esp32cam"])}
        rights[STRANGER] = [one.replace(MAC, STRANGER) for one in rights[MAC]]
        self.broker = EmbeddedBroker(folder / "broker", free_port(), users, rights)
        self.broker.start()
        self.backend = Backend(
            f"mqtt://{BACKEND_USER}:of%20the%20backend@127.0.0.1:{self.broker.port}",
            images=folder / "images",
            dialects=("esp32cam", "museum"),
        )
        self.backend.start()
        eventually(lambda: self.backend.health()["mqtt"]["connected"])

    def museum(self) -> Emulated:
        return self._run("museum.py", ROOM, SECRET)

    def cam(self, mac: str = MAC, seed: int = 1, kept: int = 0) -> Emulated:
        return self._run("esp32cam.py", mac, SECRET, "ESP32CAM", str(seed), str(kept))

    def _run(self, script: str, *arguments: str) -> Emulated:
        self.running.append(Emulated(self.folder, self.broker.port, script, *arguments))
        return self.running[-1]

    def post(self, board: str, kind: str, target: str = "", **parameters: Any) -> str:
        new = NewCommand(board, kind, target, parameters, None, "ann")
        return str(self.backend.post(new)[0]["id"])

    def ends(self, command_id: str) -> dict[str, Any]:
        """The command, once it has a result."""
        ended = ("COMPLETED", "FAILED", "UNKNOWN")
        eventually(lambda: self.backend.command(command_id)["status"] in ended)
        return self.backend.command(command_id)

    def online(self, board: str) -> Any:
        return self.backend.board(board)["online"]

    def close(self) -> None:
        for one in self.running:
            one.kill()
        self.backend.stop()
        self.broker.stop()
        self.database.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wake, "REPAIR_MS", 400)  # instead of 15 s
        place = Place(tmp_path_factory.mktemp("place"))
        yield place
        place.close()


def picture(number: int) -> bytes:
    return b"\xff\xd8\xff" + bytes((index * 7 + number) & 255 for index in range(3, SIZE))


def kept(place: Place, number: int) -> bytes:
    name = f"image_{number}-20270115T080000Z.jpg"
    path = place.folder / "images" / MAC / name
    eventually(path.exists)
    return path.read_bytes()


def test_a_room_is_listed_watched_and_commanded(place: Place) -> None:
    board = place.museum()
    board.next("ready")
    eventually(lambda: place.online(ROOM))
    light = place.ends(place.post(ROOM, "switch", "light", state="on"))
    assert board.next("pin") == "pin room1/light on ON"
    assert (light["status"], light["error"]) == ("COMPLETED", None)
    assert light["history"][-1]["detail"]["correlation"].startswith("by topic")
    motor = place.post(ROOM, "motor", "motor1", action="start", speed=80, direction="R")
    assert board.next("pin") == "pin room1/motor1 on ON:80:R"
    assert place.ends(motor)["status"] == "COMPLETED"
    place.post(ROOM, "emergency_stop")
    assert board.next("pin") == "pin all off"
    board.kill()  # the broker says its last will
    eventually(lambda: place.online(ROOM) is False)


def test_a_room_that_comes_back_gets_what_has_waited(place: Place) -> None:
    eventually(lambda: place.online(ROOM) is not True)
    waiting = place.post(ROOM, "switch", "light", state="on")
    board = place.museum()
    assert board.next("pin room1/light") == "pin room1/light on ON"
    assert place.ends(waiting)["status"] == "COMPLETED"


def test_a_picture_comes_whole_though_chunks_are_lost(place: Place) -> None:
    Board.update(next_wake_at=now_ms() + 3_600_000).where(Board.id == MAC).execute()
    posted = place.post(MAC, "capture_image")
    assert place.backend.command(posted)["status"] == "PENDING"  # it sleeps
    board = place.cam()
    assert place.ends(posted)["result"]["image_name"] == "image_1.jpg"
    told = board.next("sleep")
    assert kept(place, 1) == picture(1)
    at = esp32cam.wake_text(place.backend.board(MAC)["asleep_until"] // 1000)
    assert f'"next_wake_time": "{at}"' in told
    assert not board.lines.empty() or board.process.wait(PATIENCE) == 0
    seen = place.backend.board(MAC)
    assert seen["online"] is False and seen["firmware"] == "3.5.0"
    assert seen["sensors"]["temperature"]["value"] == 21.5


def test_pictures_it_has_kept_come_first(place: Place) -> None:
    board = place.cam(seed=3, kept=3)
    board.next("sleep")
    for number in (1, 2, 3):
        assert kept(place, number) == picture(number)


def test_a_stranger_is_listed_and_gets_no_word(place: Place) -> None:
    board = place.cam(mac=STRANGER, kept=1)
    eventually(lambda: STRANGER in [one["id"] for one in place.backend.boards()])
    assert place.backend.board(STRANGER)["state"] == "pending_mapping"
    assert board.lines.empty()
