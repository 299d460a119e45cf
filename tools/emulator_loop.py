"""A thread that waits for files, for timers and for calls from other threads, all at once."""

import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Loop:
    """What runs in it needs no locks: files' readers, timers and calls come one after another."""

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: dict[str, tuple[float, Callable[[], None]]] = {}
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._bell, self._bell_rope = socket.socketpair()
        self._open = True
        self.watch(self._bell, self._answer)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def watch(
        self, file: int | socket.socket, ready: Callable[[], None], writing: bool = False
    ) -> None:
        """Calls `ready` when the file can be read (or, if `writing`, also when written)."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        if file in self._selector.get_map():
            self._selector.modify(file, events, ready)
        else:
            self._selector.register(file, events, ready)

    def forget(self, file: int | socket.socket) -> None:
        """Watches it no longer."""
        if file in self._selector.get_map():
            self._selector.unregister(file)

    def at(self, name: str, when: float, action: Callable[[], None]) -> None:
        """One timer of each name: calls `action` at `when` (time.monotonic)."""
        self._timers[name] = (when, action)

    def drop(self, name: str) -> bool:
        """No timer of that name any more; whether there was one."""
        return self._timers.pop(name, None) is not None

    def sooner(self, name: str, seconds: float) -> None:
        """The timer of that name, where there is one, comes that much earlier."""
        if name in self._timers:
            when, action = self._timers[name]
            self._timers[name] = (when - seconds, action)

    def call(self, function: Callable[[], T]) -> T:
        """Runs it in the loop's thread; its result, or what it raises."""
        if threading.current_thread() is self._thread:
            return function()
        if not self._open:
            raise RuntimeError("it is closed")
        future: Future[T] = Future()
        self._calls.put(lambda: _fulfil(future, function))
        self._bell_rope.send(b"!")
        return future.result()

    @property
    def closed(self) -> bool:
        """True once its thread has ended or is about to."""
        return not self._open

    def close(self) -> None:
        """Ends the thread; call once, from another."""
        self.call(self._stop)
        self._thread.join()
        self._bell.close()
        self._bell_rope.close()

    def _stop(self) -> None:
        self._open = False

    def _answer(self) -> None:
        for _ in self._bell.recv(64):
            self._calls.get()()

    def _run(self) -> None:
        try:
            while self._open:
                self._turn()
        finally:
            self._open = False
            self._selector.close()

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._until_next_timer()):
            if self._selector.get_map().get(key.fd) is key:  # not changed by one before it
                key.data()
        self._run_due_timers()

    def _until_next_timer(self) -> float | None:
        times = [when for when, _ in self._timers.values()]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _run_due_timers(self) -> None:
        now = time.monotonic()
        for name, (when, action) in list(self._timers.items()):
            if when <= now and self._timers.get(name, (0.0, None))[1] is action:
                del self._timers[name]
                action()


def _fulfil(future: Future[T], function: Callable[[], T]) -> None:
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001 (it is raised again, in the caller's thread)
        future.set_exception(error)
