"""The backend as a web process sees it: the same calls, done by the worker over its `Gate`.

Rules of this file:
- what is in the database is read here; all else is asked of the worker;
- what the worker was not told is asked again once, over a fresh connection; where it was told and
  did not answer nobody knows, and that is what is said: the same Idempotency-Key tells;
- while the worker is away every call is refused at once, streams end, and all comes back by
  itself when it does.
"""

import logging
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, NoReturn

from backend import gate
from backend.database.models import Board
from backend.delivery import commands
from backend.delivery.answering import ANSWER_SECONDS
from backend.delivery.events import Event, Hub, Subscription
from backend.errors import Away, Slow, no_board
from backend.gate import BROKEN, KEY, METHODS, PUBLISH, WATCH
from backend.service import Backend

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.2
SILENCE_SECONDS = 20.0  # a heartbeat is due every 15


class Wire:
    """Connections to the worker of a data folder, one for each call under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def connect(self) -> Connection:
        """A fresh connection. Raises Away."""
        try:
            key = (self._folder / KEY).read_bytes()
            return connected(self._folder, key)
        except BROKEN as why:
            raise _away() from why

    def ask(self, name: str, args: tuple[Any, ...], more: dict[str, Any]) -> Any:
        """What the worker says. Raises what it refuses with, Away, Slow."""
        connection = self._told((name, args, more))
        try:
            if not connection.poll(ANSWER_SECONDS + 2):
                _unknown(None)
            fine, result = connection.recv()
        except (Slow, *BROKEN) as why:
            connection.close()
            _unknown(why)
        with self._lock:
            self._idle.append(connection)
        if not fine:
            raise result
        return result

    def close(self) -> None:
        """Close what is idle: the worker has gone, and another one does not know it."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _told(self, request: tuple[Any, ...]) -> Connection:
        """A connection over which the whole request has gone out."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection:
            try:
                connection.send(request)
                return connection
            except OSError:  # what did not go out as a whole was not read either
                connection.close()
                self.close()
        connection = self.connect()
        try:
            connection.send(request)
        except OSError as why:
            connection.close()
            raise _away() from why
        return connection


def connected(folder: Path, key: bytes) -> Connection:
    """A connection to a worker that knows the key, as we do. Raises one of BROKEN."""
    with gate.address(folder) as place, socket.socket(socket.AF_UNIX) as one:
        one.settimeout(ANSWER_SECONDS)
        one.connect(place)
        one.settimeout(None)
        connection = Connection(one.detach())
    try:
        if not connection.poll(ANSWER_SECONDS):  # it is there, and hangs
            raise EOFError
        answer_challenge(connection, key)
        deliver_challenge(connection, key)
    except BROKEN:
        connection.close()
        raise
    return connection


def _away() -> Away:
    reason = "the backend's worker is away, and nothing was done; it may be back shortly"
    return Away("worker_away", "", reason, 2)


def _unknown(why: BaseException | None) -> NoReturn:
    reason = (
        "the worker went away before it answered, so this may have been done; repeat it with the"
        " same Idempotency-Key to learn of it"
    )
    raise Away("worker_away", "", reason, 2) from why


class RemoteHub(Hub):
    """The worker's events, for the watchers of this process."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.connected = False
        self._wire, self._ending = wire, threading.Event()

    def start(self) -> None:
        """Follow the worker in the background, for ever."""
        threading.Thread(target=self._follow, name="events", daemon=True).start()

    def subscribe(self, last_event_id: int | None) -> Subscription:
        """See Hub. Raises Away."""
        subscription = super().subscribe(last_event_id)
        if self.connected or self._closed:
            return subscription
        self.leave(subscription)
        raise _away()

    def publish(self, events: list[Event]) -> None:
        """Tell the watchers of every process. Raises Away."""
        self._wire.ask(PUBLISH, (events,), {})

    def close(self) -> None:
        """End every stream, and follow no more."""
        self._ending.set()
        super().close()

    def _follow(self) -> None:
        while not self._ending.is_set():
            try:
                with self._wire.connect() as connection:
                    connection.send((WATCH, (), {}))
                    self._pass_on(connection)
            except (Away, *BROKEN):
                self._lost()
            self._ending.wait(AGAIN_SECONDS)

    def _pass_on(self, connection: Connection) -> None:
        while connection.poll(SILENCE_SECONDS):
            events = connection.recv()
            if not self.connected:
                log.info("the worker is there")
            self.connected = True
            if events:
                super().publish(events)
        raise EOFError

    def _lost(self) -> None:
        """Watchers come back with the last id they saw, when the worker has."""
        if self.connected:
            log.warning("the worker is away; trying again")
        self.connected = False
        self._wire.close()
        with self._lock:
            for watcher in self._watchers:
                watcher.end()
            self._watchers.clear()


class Remote(Backend):
    """A worker's backend. What is not defined here goes to the worker under the same name."""

    def __init__(self, folder: Path) -> None:
        self._wire = Wire(folder)
        self.events: RemoteHub = RemoteHub(self._wire)

    def start(self) -> None:
        """Follow the worker, now or when it comes."""
        self.events.start()

    def stop(self) -> None:
        """End the streams."""
        self.events.close()
        self._wire.close()

    def command(self, command_id: str) -> dict[str, Any]:
        """See Backend."""
        return commands.get(command_id)

    def commands(self, **filters: Any) -> list[dict[str, Any]]:
        """See Backend."""
        return commands.find(**filters)

    def site_of(self, board_id: str) -> str | None:
        """See Backend. Raises NotFound."""
        found = Board.select(Board.site).where(Board.id == board_id).tuples().first()
        if found is None:
            raise no_board(board_id)
        site: str | None = found[0]
        return site

    def healthy(self) -> bool:
        """Whether all parts work, the worker among them."""
        try:
            return self.events.connected and bool(self._wire.ask("healthy", (), {}))
        except Slow:
            return False

    def health(self) -> dict[str, Any]:
        """See Backend. Raises Away, also while its events do not come."""
        if not self.events.connected:
            raise _away()
        answer: dict[str, Any] = self._wire.ask("health", (), {})
        return answer


def _asking(name: str) -> Callable[..., Any]:
    def ask(self: Remote, *args: Any, **more: Any) -> Any:
        return self._wire.ask(name, args, more)

    return ask


for _name in METHODS - set(vars(Remote)):
    setattr(Remote, _name, _asking(_name))
