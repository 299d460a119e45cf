"""Where web processes reach the worker: a Unix socket in the data folder, for its owner only.

Rules of this file:
- who connects must know the key in `worker.key` (mode 0600, new with each start of the worker)
  before anything it says is read, for what is said is pickled;
- a connection asks one thing at a time and gets (True, result) or (False, refusal); one that asks
  for WATCH gets every batch of events from then on, and an empty one at each heartbeat;
- whatever goes wrong with a connection ends that one only.
"""

import contextlib
import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any

from peewee import OperationalError

from backend.errors import Refusal, Slow
from backend.service import Backend

WATCH = "watch"
PUBLISH = "publish"
SOCKET, KEY = "worker.sock", "worker.key"
METHODS = frozenset(
    name
    for name, member in vars(Backend).items()
    if callable(member) and not name.startswith("_") and name not in ("start", "stop")
)
# What ends a connection: the other side has gone, or does not know the key.
BROKEN = (EOFError, OSError, AuthenticationError)
_LONGEST = 100  # characters of a socket's address


@contextlib.contextmanager
def address(folder: Path) -> Iterator[str]:
    """The socket's address; a long one by way of an open folder, where the system has that."""
    place = str(folder.absolute() / SOCKET)
    if len(os.fsencode(place)) <= _LONGEST or sys.platform != "linux":
        yield place
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


class Gate:
    """Serves web processes until it is stopped. The caller owns the data folder `folder`."""

    def __init__(self, folder: Path, backend: Backend) -> None:
        self._folder, self._backend = folder, backend
        self._key = secrets.token_bytes(32)
        self._listener = socket.socket(socket.AF_UNIX)
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._ending = False

    def start(self) -> None:
        """Listen. Raises OSError."""
        (self._folder / SOCKET).unlink(missing_ok=True)  # of a worker that was killed
        self._write_key()
        with address(self._folder) as place:
            self._listener.bind(place)
        (self._folder / SOCKET).chmod(0o600)
        self._listener.listen(128)
        threading.Thread(target=self._accept, name="gate", daemon=True).start()

    def stop(self, patience: float = 1.5) -> None:
        """Take no more, let what is under way be answered for so many seconds, close the rest."""
        self._ending = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        (self._folder / SOCKET).unlink(missing_ok=True)
        with self._lock:
            waiting = list(self._open)
        for connection in waiting:
            _shut(connection, socket.SHUT_RD)  # its thread ends after the answer
        end = threading.Event()
        for _ in range(int(patience / 0.02)):
            if not self._open or end.wait(0.02):
                break
        with self._lock:
            for connection in self._open:
                _shut(connection, socket.SHUT_RDWR)

    def _write_key(self) -> None:
        fresh = self._folder / (KEY + ".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(self._key)
        fresh.replace(self._folder / KEY)

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self._listener.accept()
            except OSError:
                return
            connection = Connection(one.detach())
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with contextlib.suppress(*BROKEN), connection:
            try:
                deliver_challenge(connection, self._key)
                answer_challenge(connection, self._key)
                self._answer_all(connection)
            finally:
                with self._lock:  # before it is closed: its number may soon be another's
                    self._open.discard(connection)

    def _answer_all(self, connection: Connection) -> None:
        while True:
            name, args, more = connection.recv()
            if name == WATCH:
                return self._tell(connection)
            connection.send(self._answer(name, args, more))

    def _answer(self, name: str, args: Any, more: Any) -> tuple[bool, Any]:
        try:
            if name == PUBLISH:
                self._backend.events.publish(*args)
                return True, None
            if name not in METHODS:  # a web side of another version
                reason = f"the worker knows no {name!r}; start it anew, it is an older one"
                raise Slow("worker_version", "", reason, 30)
            return True, getattr(self._backend, name)(*args, **more)
        except (Refusal, OperationalError) as why:
            return False, why

    def _tell(self, connection: Connection) -> None:
        with self._backend.events.subscribe(None) as batches:
            connection.send([])
            for events in batches:
                connection.send(events)


def _shut(connection: Connection, how: int) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as one:
        one.shutdown(how)
