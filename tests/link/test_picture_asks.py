"""A picture of which parts were lost is completed by the real backend, out of the real board."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from protocol.image_reading import Chunk

from backend.delivery.wishes import NewCommand
from tests.backend.running import eventually
from tests.link.pictures import board_with_camera, check
from tests.link.real_backend import real_backend
from tests.link.site import BOARD_ID
from tools.brokers import Broker

LOST = 1


def losing(read: Callable[..., Any], lost: list[int]) -> Callable[..., Any]:
    """Reads what comes, but not the first copy of chunk LOST."""

    def reading(topic: str, payload: bytes, link: str) -> Any:
        heard = read(topic, payload, link)
        said = getattr(heard, "message", None)
        if isinstance(said, Chunk) and said.index == LOST and not lost:
            lost.append(said.index)
            return None
        return heard

    return reading


def test_what_was_lost_is_asked_for_by_itself(
    embedded_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[int] = []
    board = board_with_camera(tmp_path / "board", embedded_broker.port)
    with real_backend(tmp_path, embedded_broker) as backend, board:
        ingest = backend._core.ingest
        monkeypatch.setattr(ingest, "read", losing(ingest.read, lost))
        backend.start()
        board.start()
        eventually(lambda: backend.board(BOARD_ID)["online"])
        assert backend.board(BOARD_ID)["has"] == ["conditions", "camera", "sleep"]
        new = NewCommand(BOARD_ID, "capture_image", "", {}, None, "ann")
        taken = backend.post(new)[0]["id"]
        eventually(lambda: backend.command(taken)["status"] == "COMPLETED")
        result = backend.command(taken)["result"]
        place = tmp_path / "images" / BOARD_ID / f"{result['image_id']}.jpg"
        check(eventually(lambda: place.exists() and place.read_bytes()), result)
        assert lost == [LOST]
        (asked,) = backend.commands(command_type="send_image")
        assert asked["user"] == "system" and asked["parameters"]["missing"] == str(LOST)
        eventually(lambda: backend.command(asked["id"])["status"] == "COMPLETED")
