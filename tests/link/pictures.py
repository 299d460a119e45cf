"""What the camera's tests share: a board with a camera, and a backend that takes its pictures."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt.client import MQTTMessage
from protocol import topics
from protocol.image_reading import Chunk, decode
from protocol.messages import RESULTS

from backend.gallery.images import Receiver
from tests.link.site import BOARD_ID, KEY, PATIENCE, Backend, Message, make_board
from tools.brokers import Broker
from tools.emulator import Board
from tools.proxy import Proxy

HEAP = "160K"  # in the emulation a picture lies in the heap, and so does the driver
SMALL = {"model": "built_in", "frame_size": "QQVGA", "flash_pin": 4}


@dataclass
class Viewer(Backend):
    """A Backend that puts pictures together, too; `wanted(message)` False: that one is lost."""

    wanted: Callable[[Any], bool] = lambda message: True
    receiver: Receiver = field(default_factory=Receiver)
    pictures: dict[str, bytes] = field(default_factory=dict)
    chunks: list[Any] = field(default_factory=list)

    def _take(self, message: MQTTMessage) -> None:
        if topics.parse(message.topic)[1] != topics.IMAGE:
            return super()._take(message)
        said = decode(message.payload, KEY)
        self.chunks.append(said)
        if self.wanted(said):
            whole = self.receiver.take(BOARD_ID, said)
            if whole is not None:
                self.pictures[said.image_id] = whole
        return None

    def picture(self, image_id: str, seconds: float = PATIENCE) -> bytes:
        """A picture, as soon as all of it is here."""
        self.until(lambda: {} if image_id in self.pictures else None, seconds)
        return self.pictures[image_id]

    def seen(self, image_id: str, index: int) -> bool:
        """Whether a chunk of that picture, or a later one, has come, lost or not."""
        return any(
            isinstance(said, Chunk) and said.image_id == image_id and said.index >= index
            for said in self.chunks
        )

    def captured(self, seconds: float = PATIENCE, **given: Any) -> Message:
        """Takes a picture: the result."""
        result: Message = self.result(self.command("capture_image", **given), seconds)["result"]
        return result

    def ended(self, command_id: str, seconds: float = PATIENCE) -> Message:
        """The last word about a command, whatever it is."""

        def found() -> Message | None:
            acks = [said for leaf, said in self.heard if leaf == topics.ACK]
            mine = [said for said in acks if said["command_id"] == command_id]
            return mine[-1] if mine and mine[-1]["state"] in RESULTS else None

        return self.until(found, seconds)


def board_with_camera(
    folder: Path,
    port: int,
    camera: dict[str, Any] | None = None,
    module: str = "modern",
    heap: str = HEAP,
    **made: Any,
) -> Board:
    """A board that is off, with this camera.json; its MicroPython has that `camera` module."""
    board = make_board(folder, port, heap=heap, camera=module, **made)
    board.flash.write({"camera.json": json.dumps(SMALL if camera is None else camera)})
    return board


@contextlib.contextmanager
def studio(
    folder: Path,
    broker: Broker,
    camera: dict[str, Any] | None = None,
    seconds: float = PATIENCE,
    **made: Any,
) -> Iterator[tuple[Board, Viewer, Proxy]]:
    """A board with a camera that is online, its backend, and the network in between."""
    with Proxy("127.0.0.1", broker.port) as proxy:
        board = board_with_camera(folder / "board", proxy.port, camera, **made)
        viewer = Viewer(broker).connect()
        assert isinstance(viewer, Viewer)
        with board, contextlib.closing(viewer):
            board.start()
            viewer.online(seconds)
            yield board, viewer, proxy


def check(picture: bytes, result: Message) -> None:
    """It is the one of the capture's result."""
    assert len(picture) == result["bytes"]
    assert hashlib.sha256(picture).hexdigest() == result["sha256"]
    assert picture[:2] == b"\xff\xd8" and picture[-2:] == b"\xff\xd9"
