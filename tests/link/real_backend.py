"""The real backend, for the board of tests/link."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from backend import schema
from backend.database.models import Board
from backend.fleet import boards
from backend.service import Backend
from tests.link.site import BOARD_ID, KEY, USERS
from tools.brokers import Broker


@contextlib.contextmanager
def real_backend(folder: Path, broker: Broker) -> Iterator[Backend]:
    """One that knows the board, but was not started yet."""
    database = schema.open_database(f"sqlite:///{folder / 'test.db'}")
    boards.enroll(BOARD_ID, int(time.time() * 1000))
    Board.update(key=KEY.hex()).execute()
    password = USERS["answerback"].replace("'", "%27")
    url = f"mqtt://answerback:{password}@{broker.host}:{broker.port}"
    backend = Backend(url, images=folder / "images", image_idle_s=0.5)
    try:
        yield backend
    finally:
        backend.stop()
        database.close()
