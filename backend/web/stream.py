"""Server-Sent Events: every change, pushed to whoever watches.

Rules of this file:
- a stream holds a thread of the server, so there are at most STREAMS_MAX of them;
- a watcher is sent what they may see, as their roles are when it goes out, and a `reset` where
  those have changed; a stream ends when whoever opened it is nobody any more;
- an event shows at which site it is: a command or an alert at its board's, any other as its
  `site` says; what belongs to no site is for administrators;
- one whose client has gone gives up its place as soon as somebody else asks for one.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from backend.delivery.events import Event, Subscription
from backend.errors import NotFound
from backend.people.access import VIEWER, may
from backend.people.credentials import Identity
from backend.service import Backend
from backend.web import render
from backend.web.auth import Authenticator
from backend.web.http import Answer, Call, Problem, read_number, write_json
from backend.web.routes import API, Route

STREAMS_MAX = 64
RETRY_MS = 1_000

_last_id = read_number(0, 1 << 62)
_QUERY = {"last_event_id": _last_id}


def _connected() -> bool:
    return False


def _render(event: Event) -> bytes:
    event_id, kind, data = event
    shown: dict[str, Any] = data
    if kind == "command":
        shown = render.command(data)
    elif kind == "board":
        shown = render.board(data)
    elif kind == "alert":
        shown = render.times(data, "since", "until_at")
    elif kind == "picture":
        shown = render.picture(data)
    elif kind == "connection":
        shown = render.connection(data)
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {kind}\ndata: {write_json(shown)}\n\n".encode()


def _roles(who: Identity | None) -> tuple[Any, ...]:
    return () if who is None else (who.role, who.sites)


_RESET = _render((None, "reset", {}))


class Stream:
    """One watcher's bytes. `close` may be called from any thread, and more than once.

    `who()` is the watcher as they are now, or None; `shown(identity, event)`: may they see it?
    """

    def __init__(
        self,
        subscription: Subscription,
        gone: Callable[[], bool],
        who: Callable[[], Identity | None],
        shown: Callable[[Identity, Event], bool],
        on_close: Callable[["Stream"], None],
    ) -> None:
        self.gone = gone
        self._subscription, self._on_close = subscription, on_close
        self._who, self._shown = who, shown
        self._chunks = self._run()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def _run(self) -> Iterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        before = _roles(self._who())
        for events in self._subscription:
            who = self._who()
            if who is None or self.gone():
                return
            head = b"" if before == _roles(who) else _RESET
            before = _roles(who)
            # In one piece: each piece is a system call.
            yield head + (self._told(who, events) if events else b": still here\n\n")

    def _told(self, who: Identity, events: list[Event]) -> bytes:
        """The events that somebody may see. Where the last one is none, its id is still told, so
        that the watcher can go on from there.
        """
        shown = [event for event in events if self._shown(who, event)]
        last = next((event[0] for event in reversed(events) if event[0] is not None), None)
        skipped = last is not None and all(event[0] != last for event in shown)
        return b"".join(map(_render, shown)) + (f"id: {last}\n\n".encode() if skipped else b"")

    def end(self) -> None:
        """Have the iterator end by itself."""
        self._subscription.end()

    def close(self) -> None:
        """Give up the subscription and the place."""
        self._subscription.__exit__(None, None, None)
        self._on_close(self)


class StreamRoutes:
    """`/events`."""

    def __init__(self, backend: Backend, authenticator: Authenticator) -> None:
        self._backend, self._authenticator = backend, authenticator
        self._lock = threading.Lock()
        self._open: set[Stream] = set()

    def routes(self) -> list[Route]:
        """What is served."""
        return [Route("GET", f"{API}/events", self.open, query=_QUERY)]

    def open(self, call: Call) -> Answer:
        """The stream, from after `Last-Event-ID` on. Problem 503 where there are too many."""
        header = call.header("LAST_EVENT_ID")
        after = _last_id("Last-Event-ID", header) if header else call.query.get("last_event_id")
        environ = call.environ
        with self._lock:
            self._make_room()
            stream = Stream(
                self._backend.events.subscribe(after),
                environ.get("waitress.client_disconnected", _connected),
                lambda: self._authenticator.still(environ),
                self._may_see,
                self._closed,
            )
            self._open.add(stream)
        return Answer(
            stream, 200, {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )

    def _may_see(self, who: Identity, event: Event) -> bool:
        _, kind, data = event
        if kind in ("reset", "sites"):  # they say only that one may ask again
            return True
        try:
            of_board = kind in ("command", "alert")
            site = self._backend.site_of(data["board_id"]) if of_board else data.get("site")
        except NotFound:  # the board is gone
            site = None
        return may(who, VIEWER, site)

    def _make_room(self) -> None:
        for stream in [stream for stream in self._open if stream.gone()]:
            stream.end()
            self._open.discard(stream)
        if len(self._open) >= STREAMS_MAX:
            message = f"{STREAMS_MAX} event streams are open; close one, or try again later"
            raise Problem(503, "too_many_streams", message, None, {"Retry-After": "15"})

    def _closed(self, stream: Stream) -> None:
        with self._lock:
            self._open.discard(stream)
