"""A picture of which parts were lost is completed by the real backend, out of the real board."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from protocol.image_reading import Chunk

from backend import boards, models
from backend.commands import NewCommand
from backend.models import Board as Row
from backend.service import Backend
from tests.backend.running import eventually
from tests.link.pictures import board_with_camera, check
from tests.link.site import BOARD_ID, KEY, USERS
from tools.brokers import Broker

LOST = (1,)


def backend_of(folder: Path, broker: Broker) -> Backend:
    password = USERS["answerback"].replace("'", "%27")
    url = f"mqtt://answerback:{password}@{broker.host}:{broker.port}"
    return Backend(url, images=folder / "images", image_idle_s=0.5)


def losing(read: Callable[..., Any], lost: list[int]) -> Callable[..., Any]:
    """Reads what comes, but not the first copy of a LOST chunk."""

    def reading(topic: str, payload: bytes) -> Any:
        heard = read(topic, payload)
        said = heard and heard.message
        if isinstance(said, Chunk) and said.index in LOST and said.index not in lost:
            lost.append(said.index)
            return None
        return heard

    return reading


def test_what_was_lost_is_asked_for_by_itself(
    embedded_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = models.open_database(f"sqlite:///{tmp_path / 'test.db'}")
    boards.enroll(BOARD_ID, int(time.time() * 1000))
    Row.update(key=KEY.hex()).execute()
    backend, lost = backend_of(tmp_path, embedded_broker), list[int]()
    ingest = backend._core.ingest
    monkeypatch.setattr(ingest, "read", losing(ingest.read, lost))
    backend.start()
    try:
        with board_with_camera(tmp_path / "board", embedded_broker.port) as board:
            board.start()
            eventually(lambda: backend.board(BOARD_ID)["online"])
            assert backend.board(BOARD_ID)["has"] == ["camera", "sleep"]
            new = NewCommand(BOARD_ID, "capture_image", "", {}, None, "ann")
            taken = backend.post(new)[0]["id"]
            eventually(lambda: backend.command(taken)["status"] == "COMPLETED")
            result = backend.command(taken)["result"]
            place = tmp_path / "images" / BOARD_ID / f"{result['image_id']}.jpg"
            check(eventually(lambda: place.exists() and place.read_bytes()), result)
            assert sorted(lost) == [*LOST]
            (asked,) = backend.commands(command_type="send_image")
            assert asked["user"] == "system" and asked["parameters"]["missing"] == "1"
            eventually(lambda: backend.command(asked["id"])["status"] == "COMPLETED")
    finally:
        backend.stop()
        database.close()
