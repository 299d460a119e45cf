"""What the writer has taken from its queue, sorted into a batch for the core."""

from typing import Any

from backend.core import Batch, Core
from backend.listening import Word
from backend.mqtt import Receipt
from backend.newcomers import Announcement
from backend.wishes import Cancellation, NewCommand


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
