"""What has changed, for everybody who watches: pages get it pushed and can resume after a gap.

The id of a command event is the id of its history row, so what was missed is read from the
database. A board's state has no history; a watcher asks for it when it begins.
"""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Any

from peewee import fn

from backend.database.models import Command, History, as_rows
from backend.database.store import Row
from backend.delivery.commands import public, public_step

Event = tuple[int | None, str, dict[str, Any]]

QUEUE_LENGTH = 2_000
REPLAY_MAX = 1_000
HEARTBEAT_SECONDS = 15.0


def command_event(entry: Row, shown: dict[str, Any]) -> Event:
    """The event of one step of a command, which is `shown` as the API shows it.

    Its status is the one of that step.
    """
    last = public_step(entry)
    return entry["id"], "command", {**shown, "status": last["to"], "last": last}


class Subscription:
    """One watcher's stream: iterate it, and close it when done (it is a context manager).

    Yields lists of events that came together, and an empty one for every 15 s in which nothing
    happened. It ends when the hub closes, or when the watcher was too slow: it then comes back
    with the last id it saw.
    """

    def __init__(self, hub: "Hub", after: int | None) -> None:
        self._hub, self._after = hub, after
        self._queue: queue.Queue[list[Event] | None] = queue.Queue(QUEUE_LENGTH)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self._hub.leave(self)

    def put(self, events: list[Event] | None) -> bool:
        """Hand over a batch, or the end. False where the watcher is too slow."""
        try:
            self._queue.put_nowait(events)
        except queue.Full:
            return False
        return True

    def end(self) -> None:
        """End the stream, whatever is still in it."""
        while not self.put(None):
            with contextlib.suppress(queue.Empty):
                self._queue.get_nowait()

    def __iter__(self) -> Iterator[list[Event]]:
        last, missed = (0, []) if self._after is None else replay(self._after)
        if missed:
            yield missed
        while True:
            try:
                events = self._queue.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                yield []
                continue
            if events is None:
                return
            if fresh := [e for e in events if e[0] is None or e[0] > last]:
                yield fresh


def replay(after: int) -> tuple[int, list[Event]]:
    """(the last id in it, the command events after a history id).

    There is a "reset" in their place, under the newest id there is, where they are too many, or
    where `after` is of another database, one that was replaced since: what the watcher knows is
    to be asked for anew.
    """
    newest = History.select(fn.MAX(History.id)).scalar() or 0
    later = History.select().where(History.id > after).order_by(History.id)
    steps = as_rows(later.limit(REPLAY_MAX + 1))
    if len(steps) > REPLAY_MAX or after > newest:
        return newest, [(newest, "reset", {})]
    rows = as_rows(Command.select().where(Command.seq << [step["command"] for step in steps]))
    by_seq = {row["seq"]: public(row) for row in rows}
    # Without those of a command whose time to be kept has ended between the two questions.
    kept = [step for step in steps if step["command"] in by_seq]
    events = [command_event(step, by_seq[step["command"]]) for step in kept]
    return (steps[-1]["id"] if steps else after), events


class Hub:
    """Hands every batch of events to every watcher. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: set[Subscription] = set()
        self._closed = False

    @property
    def watched(self) -> bool:
        """True where anybody would see an event."""
        return bool(self._watchers)

    def subscribe(self, last_event_id: int | None) -> Subscription:
        """A stream of what happens from now on, after a replay of what came after that id."""
        subscription = Subscription(self, last_event_id)
        with self._lock:
            self._watchers.add(subscription)
            if self._closed:
                subscription.end()
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a watcher."""
        with self._lock:
            self._watchers.discard(subscription)

    def publish(self, events: list[Event]) -> None:
        """Hand a batch to every watcher; one that does not keep up loses its stream. An empty one
        would only put off the sign that the stream lives.
        """
        if not events:
            return
        with self._lock:
            slow = [watcher for watcher in self._watchers if not watcher.put(events)]
            for watcher in slow:
                self._watchers.discard(watcher)
                watcher.end()

    def close(self) -> None:
        """End every stream."""
        with self._lock:
            self._closed = True
            for watcher in self._watchers:
                watcher.end()
