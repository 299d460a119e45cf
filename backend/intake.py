"""What the writer has taken from its queue, sorted into a batch for the core.

What boards have measured waits aside: everything else overtakes it, and a transaction has little
of it. So however many readings come, an ack or a click waits for MEASURED of them and no more.
"""

from collections import deque
from typing import Any

from protocol.topics import SENSORS

from backend.core import Batch, Core
from backend.mqtt import Receipt
from backend.newcomers import Announcement
from backend.wishes import Cancellation, NewCommand

MEASURED = 64  # messages, each with 16 readings at most
_MEASURED = "/" + SENSORS


class Aside:
    """The messages with readings, in order, that have not been looked at yet."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Any, ...]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def takes(self, item: tuple[Any, ...]) -> bool:
        """Whether an item of the writer's queue is such a message: it is kept here then."""
        if item[0] != "message" or not item[1].endswith(_MEASURED):
            return False
        self._waiting.append(item)
        return True

    def give(self, all_of_it: bool = False) -> list[tuple[Any, ...]]:
        """What the next transaction is to have of them."""
        count = len(self._waiting) if all_of_it else min(len(self._waiting), MEASURED)
        return [self._waiting.popleft() for _ in range(count)]


def sorted_out(core: Core, items: list[tuple[Any, ...]]) -> tuple[Batch, list[Receipt]]:
    """What the core is to decide on, and the receipts of the messages among it."""
    batch = Batch([], [], [])
    receipts: list[Receipt] = []
    for item in items:
        if item[0] == "ask":
            _ask(batch, item[1], item[2])
        elif item[0] == "message":
            receipts.append(item[3])
            _read(core, batch, item[1], item[2], item[3][3])
        elif item[0] == "look":
            batch.look = True
    return batch, receipts


def _ask(batch: Batch, wanted: Any, answer: Any) -> None:
    if not answer.set_running_or_notify_cancel():
        return  # whoever asked has given up
    asked: dict[type, list[Any]] = {NewCommand: batch.new, Cancellation: batch.cancel}
    asked.get(type(wanted), batch.tasks).append((answer, wanted))


def _read(core: Core, batch: Batch, topic: str, payload: bytes, link: str) -> None:
    heard = core.ingest.read(topic, payload, link)
    if isinstance(heard, Announcement):
        batch.announced.append(heard)
    elif heard:
        batch.heard.append(heard)
