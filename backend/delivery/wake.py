"""One board that is awake, and the picture that is on its way from it; see `dialogues`."""

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from protocol.image_reading import Header

from backend.database.models import Board, Command
from backend.database.store import Row
from backend.delivery.lifecycle import PENDING
from backend.delivery.work import Work
from backend.dialects import esp32cam
from backend.fleet import wakes
from backend.fleet.presence import Presence
from backend.gallery.images import INCOMPLETE, Arrival, Receiver, chunks_in

REPAIR_MS = 15_000
SILENCE_MS = 60_000
WAKE_MS = 600_000
CAPTURES = 2
CAPTURE_MS = 30_000
DAY_MS = 86_400_000
MISSING_MAX = 500  # numbers in one request

ALL = frozenset(esp32cam.VERBS)
CAPTURE = frozenset({"capture_image"})


@dataclass(slots=True)
class Transfer:
    """One picture on its way. `asked`: how often for missing chunks."""

    name: str
    image_id: str
    header: Header | None = None
    asked: int = 0
    readings: dict[str, tuple[float, str]] = field(default_factory=dict)

    def arrival(self, board_id: str, picture: bytes, missing: int = 0) -> Arrival:
        """The picture as it is to be kept: incomplete, where so many of its chunks are missing."""
        assert self.header is not None
        name = self.image_id + (INCOMPLETE if missing else "")
        parts = chunks_in(self.header) - missing
        return Arrival(board_id, name, picture, self.header, parts, self.readings)

    def is_of(self, name: str, at: int) -> bool:
        """Whether metadata (at: Unix seconds, or 0) or a chunk is of this picture."""
        return name == self.name and (at == 0 or self.header is None or self.header.captured == at)


@dataclass(slots=True)
class Wake:
    """`pending`: kept pictures it is to send, `asked`: how often; `transfers`: by name, those on
    their way; `last`: when anything new of them came, or was asked for.

    `told`: the picture to be acknowledged with the next word; `done`: names that are here;
    `captures`: {command id: when it was sent}.
    """

    board: Presence
    began: int
    heard: int
    pending: int = 0
    last: int = 0
    asked: int = 0
    transfers: dict[str, Transfer] = field(default_factory=dict)
    told: str = ""
    done: set[str] = field(default_factory=set)
    captures: dict[str, int] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether pictures are on their way."""
        return bool(self.transfers) or self.pending > 0

    @property
    def about(self) -> dict[str, str]:
        """The picture that the next word acknowledges."""
        return {"image_name": self.told} if self.told else {}

    @property
    def spent(self) -> bool:
        """Whether it has taken as many pictures as it may before it sleeps again."""
        return len(self.captures) >= CAPTURES

    def due(self) -> int:
        """When to look at it again if nothing comes."""
        times = [self.heard + SILENCE_MS, self.began + WAKE_MS]
        if self.busy:
            times.append(self.last + REPAIR_MS)
        elif self.board.hold == CAPTURE and not self.spent:
            times.append(max(self.captures.values()) + CAPTURE_MS)
        return min(times)

    def request(self, transfer: Transfer, missing: list[int]) -> tuple[str, dict[str, Any]]:
        """(leaf, words) that ask for the rest of a picture. Where nothing else is set, for all of
        it once more, which every board understands: what is held is dropped.
        """
        if not (self.board.options.get("missing_chunks") and missing):
            return "cmd", {"send_image": transfer.name}
        about = {"device_id": self.board.board_id, "image_name": transfer.name}
        return "ack", {**about, "missing_chunks": missing[:MISSING_MAX]}

    def can_wait(self, row: Row) -> bool:
        """Whether a command is one for its next wake."""
        return row["status"] == PENDING and row["command_type"] in self.board.hold and self.spent

    def held(self, now: int) -> frozenset[str]:
        """What may not be sent to it just now."""
        if self.busy:
            return ALL
        newest = max(self.captures.values(), default=None)
        too_soon = newest is not None and newest + CAPTURE_MS > now
        return CAPTURE if too_soon or self.spent else frozenset()

    def show(self, work: Work, images: Receiver) -> None:
        """Let the board's state say what is on its way; the page is told of each tenth."""
        shown = {}
        for one in self.transfers.values():
            here = images.get((self.board.board_id, one.image_id))
            of = chunks_in(one.header) if one.header else None
            parts = len(here.chunks) if here else 0
            shown[one.image_id] = {"parts": parts, "of": of, "asked": one.asked, "waiting": True}
        if _coarse(shown) != _coarse(self.board.pictures):
            self.board.pictures = shown
            work.out.boards[self.board.board_id] = self.board

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        self.began, self.heard, self.last = self.began + by, self.heard + by, self.last + by
        self.captures = {name: at + by for name, at in self.captures.items()}


def _coarse(shown: dict[str, dict[str, Any]]) -> list[Any]:
    return [(name, one["asked"], one["of"] and 10 * one["parts"] // one["of"])
            for name, one in shown.items()]  # fmt: skip


def next_wake(work: Work, wake: Wake) -> int | None:
    """When it is to wake (ms), within a day, since it is told a time without a date; or None.

    A schedule it was sent in this wake counts before the one that its site has.
    """
    now = work.now
    wakes.left(work, wake.board)  # so that what its site has is not past
    ours = Command.board_id == wake.board.board_id
    sent = (Command.command_type == "set_wake_schedule") & (Command.attempt > 0)
    newest = Command.select().where(ours, sent, Command.updated_at >= wake.began)
    row = newest.order_by(Command.seq.desc()).first()
    if row:
        at = row.updated_at + 1000 * json.loads(row.parameters)["seconds"]
    else:
        board = Board.get_or_none(Board.id == wake.board.board_id)
        at = board.next_wake_at if board else None
    if at is None or at <= now:
        return None
    return int(now + (at - now - 1) % DAY_MS + 1)


def image_id(name: str, at: int) -> str:
    """What a picture is kept as: names repeat, so its time (Unix seconds) is part of it."""
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", name.rsplit(".", 1)[0])[:40]
    return f"{stem}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(at))}"
