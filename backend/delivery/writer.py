"""The one writer: takes all that is queued, commits it in one transaction, then lets it be known.

Only after the commit are requests answered, messages acknowledged to the broker, commands
published and pages told. It ends with the first thing that goes wrong in the database: what was
not committed was not acknowledged either, and comes again. Only where another process holds the
database does it wait, with what it has taken.

Time is the time of day (ms). Where that is set, by more than JUMP_MS, the timers are moved along,
so that they go by the time that has really passed.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from backend.brokers.links import Links
from backend.brokers.mqtt import Receipt
from backend.brokers.outbox import Outbox
from backend.database.models import database
from backend.database.store import Locked
from backend.delivery.core import Batch, Core
from backend.delivery.events import Hub
from backend.delivery.intake import Aside, sorted_out
from backend.delivery.sending import send
from backend.delivery.telling import Shown, answer_all, events
from backend.delivery.wishes import Cancellation, NewCommand
from backend.delivery.work import Outcome, Task
from backend.fleet.presence import Presence, Roster
from backend.gallery.album import Album
from backend.gallery.images import Arrival, Key
from backend.scenes.player import Player

log = logging.getLogger(__name__)

BATCH = 500
LONGEST_WAIT_SECONDS = 5.0
JUMP_MS = 2_000

Answer = Future[tuple[dict[str, Any], bool]]


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Milliseconds that nobody sets."""
    return time.monotonic_ns() // 1_000_000


class Writer(threading.Thread):
    """Drives the core. `on_end(error or None)` is called when the thread ends.

    `clock()` gives ms since 1970, `monotonic()` ms since whenever.
    """

    def __init__(
        self,
        core: Core,
        hub: Hub,
        show_board: Callable[[Presence], dict[str, Any]],
        on_end: Callable[[BaseException | None], None],
        clock: Callable[[], int] = now_ms,
        monotonic: Callable[[], int] = monotonic_ms,
    ) -> None:
        super().__init__(name="writer", daemon=True)
        self.links: Links | None = None
        self.album: Album | None = None  # where pictures go
        self.outbox = Outbox()
        self.player: Player | None = None  # of the sound and picture of scenes
        self._core, self._hub, self._show_board, self._on_end = core, hub, show_board, on_end
        self._now, self._monotonic = clock, monotonic
        self._offset = clock() - monotonic()
        self._stopping = False
        # What was asked for, heard, or noticed: (kind, ...) in the order in which it came.
        self._queue: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._next_due: int | None = 0
        self._aside = Aside(monotonic)

    @property
    def waiting(self) -> int:
        """How much is queued, without readings."""
        return self._queue.qsize()

    def submit(self, wanted: NewCommand | Cancellation) -> Answer:
        """Ask for something; the future holds (command dict, created?) or raises a Refusal."""
        answer: Answer = Future()
        self._queue.put(("ask", wanted, answer))
        return answer

    def perform(self, task: Task) -> Future[Any]:
        """Have a task done; the future holds what it returns, or raises its Refusal."""
        answer: Future[Any] = Future()
        self._queue.put(("ask", task, answer))
        return answer

    def look(self) -> None:
        """Another process has changed boards."""
        self._queue.put(("look",))

    def message(self, topic: str, payload: bytes, receipt: Receipt) -> None:
        """Take a message in; it is acknowledged when what it says is durable."""
        self._queue.put(("message", topic, payload, receipt))

    def link_changed(self, name: str, up: bool) -> None:
        """Note that a broker was reached, or lost."""
        self._queue.put(("link", lambda roster, now: roster.listen(now if up else None, name)))

    def route(self, own: frozenset[str]) -> None:
        """Note which sites have links of their own."""
        self._queue.put(("link", lambda roster, now: roster.route(own, now)))

    def stop(self) -> None:
        """Finish what is queued and end."""
        self._stopping = True
        self._queue.put(("stop",))

    def run(self) -> None:
        """The thread."""
        error: BaseException | None = None
        try:
            while self._turn():
                pass
            with contextlib.suppress(Locked):  # counts of topics, no more
                self._core.close(self._now())
        except BaseException as why:  # handed on, not swallowed: the process ends with it
            error = why
            log.critical("the writer ends", exc_info=True)
        database.close()
        self._on_end(error)

    def _turn(self) -> bool:
        """One transaction. False when it is time to end."""
        items = self._take()
        batch, receipts = sorted_out(self._core, items)
        self._settle(self._apply(batch), receipts)
        if items and items[-1][0] == "link":
            self._listen(items[-1][1])
        self._next_due = self._core.next_due()
        return not any(item[0] == "stop" for item in items)

    def _listen(self, change: Callable[[Roster, int], list[Presence]]) -> None:
        """A link has changed: nothing is known of its boards until they are heard."""
        boards = change(self._core.roster, self._now())
        if self._hub.watched and boards:
            self._hub.publish([(None, "board", self._show_board(board)) for board in boards])

    def _take(self) -> list[tuple[Any, ...]]:
        """Wait until there is something to do, and take up to BATCH of what is there.

        Not beyond a change of a link: what was heard before it is to be applied before it.
        """
        items: list[tuple[Any, ...]] = []
        with contextlib.suppress(queue.Empty):
            while not items and self._aside.wait() != 0:
                wait = self._wait()
                got = self._queue.get(timeout=wait) if wait else self._queue.get_nowait()
                self._sort(items, got)
            while len(items) < BATCH and not (items and items[-1][0] == "link"):
                self._sort(items, self._queue.get_nowait())
        link = [items.pop()] if items and items[-1][0] == "link" else []
        return items + self._aside.give() + link

    def _sort(self, items: list[tuple[Any, ...]], item: tuple[Any, ...]) -> None:
        if not self._aside.takes(item):
            items.append(item)

    def _wait(self) -> float:
        """For how many seconds nothing has to be done unless something comes."""
        aside = self._aside.wait()
        longest = LONGEST_WAIT_SECONDS if aside is None else aside
        if self._next_due is None:
            return longest
        return min(max((self._next_due - self._now()) / 1000, 0.0), longest)

    def _apply(self, batch: Batch) -> Outcome:
        warned = False
        while True:
            try:
                return self._core.apply(batch, self._time())
            except Locked:
                if self._stopping:
                    raise
                if not warned:
                    log.warning("another process holds the database; waiting for it")
                warned = True

    def _time(self) -> int:
        """The time, after the timers were moved along if it was set. Raises Locked."""
        now = self._now()
        jump = now - self._monotonic() - self._offset
        if abs(jump) > JUMP_MS:
            log.warning("the time of day was set by %+.1f s", jump / 1000)
            self._core.clock_set(jump, now)
            self._offset += jump
        return now

    def _settle(self, outcome: Outcome, receipts: list[Receipt]) -> None:
        """Let the world know what is durable now."""
        for key in outcome.dropped:
            self._on_disk(key, None)
        for new in outcome.pictures:
            self._on_disk((new.board_id, new.image_id), new)
        if self.links:
            send(self._core, self.links, outcome, self.outbox)
            self.links.acknowledge(receipts)
        if self.player:
            for one in outcome.local:
                self.player.do(*one)
        shown = Shown()
        answer_all(outcome, shown)
        if self._hub.watched:
            self._hub.publish(events(outcome, shown, self._show_board))

    def _on_disk(self, key: Key, arrival: Arrival | None) -> None:
        """Put a picture on disk, or take it away. One that can't be kept is still on its board."""
        try:
            if self.album and arrival:
                self.album.keep(*key, arrival.data)
            elif self.album:
                self.album.drop(*key)
        except OSError as why:
            self._core.refused["storage"] += 1
            self._core.parts.gallery.unsettled(key)
            what = "keep" if arrival else "remove"
            about = {"board": key[0]}
            log.error("can't %s picture %s of %s: %s", what, key[1], key[0], why, extra=about)
