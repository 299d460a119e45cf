"""What the writer has taken from its queue, sorted into a batch for the core.

What boards have measured waits aside: everything else overtakes it, a transaction has at most
MEASURED messages of it, and most have none: they wait for PAUSE_MS, or until there are ENOUGH.
So a click seldom waits for readings, and these share a write to disk. ENOUGH is less than what a
broker may hand out unconfirmed, of which acks need a part, too. What is aside when the backend
ends comes again.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from protocol.topics import SENSORS

from backend.brokers.listening import Word
from backend.brokers.mqtt import Receipt
from backend.delivery.core import Batch, Core
from backend.delivery.wishes import Cancellation, NewCommand
from backend.fleet.newcomers import Announcement

MEASURED = 64  # messages, each with 16 readings at most
ENOUGH, PAUSE_MS = 16, 50
_MEASURED = "/" + SENSORS


class Aside:
    """The messages with readings, in order, that have not been looked at yet. `clock()`: ms."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._clock, self._since = clock, 0

    def takes(self, item: tuple[Any, ...]) -> bool:
        """Whether an item of the writer's queue is such a message: it is kept here then."""
        if item[0] != "message" or not item[1].endswith(_MEASURED):
            return False
        if not self._waiting:
            self._since = self._clock()
        self._waiting.append(item)
        return True

    def wait(self) -> float | None:
        """Seconds until it is time for them; None: there are none."""
        if not self._waiting:
            return None
        left = self._since + PAUSE_MS - self._clock()
        return 0.0 if len(self._waiting) >= ENOUGH else max(left, 0) / 1000

    def give(self) -> list[tuple[Any, ...]]:
        """What the next transaction is to have of them."""
        if self.wait() != 0:
            return []
        self._since = self._clock()
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), MEASURED))]


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
    elif isinstance(heard, Word):
        batch.words.append(heard)
    elif heard:
        batch.heard.append(heard)
