"""Messages that go out at a time of their own, and not before: a thread that only publishes.

What is here was written down as sent before: whoever takes a message back in time has to write
that down as well, and one that is lost with this process is an open question like any other.
"""

import heapq
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

Publish = Callable[[], bool]


class Out(NamedTuple):
    """A command that has had its time. `ok`: the link took it; `at`: ms since 1970."""

    command_id: str
    at: int
    ok: bool


class Outbox(threading.Thread):
    """Times are ms since 1970; the clock is read once for each message, then what passes is
    counted by one that nobody sets.
    """

    def __init__(self) -> None:
        super().__init__(name="outbox", daemon=True)
        self._change = threading.Condition()
        self._heap: list[tuple[float, int, str]] = []
        self._waiting: dict[str, list[Publish]] = {}
        self._number, self._over = 0, False
        self._done: list[Out] = []

    def put(self, command_id: str, at: int, publish: Publish) -> None:
        """Have something published at a time. What belongs to one command goes out as one."""
        with self._change:
            known = self._waiting.setdefault(command_id, [])
            known.append(publish)
            if len(known) == 1:
                self._number += 1
                due = time.monotonic() + at / 1000 - time.time()
                heapq.heappush(self._heap, (due, self._number, command_id))
                self._change.notify()

    def withdraw(self, command_id: str) -> bool:
        """Take a command back; True where nothing of it has gone out, nor will."""
        with self._change:
            return self._waiting.pop(command_id, None) is not None

    def done(self) -> list[Out]:
        """What had its time since this was asked last."""
        with self._change:
            out, self._done = self._done, []
        return out

    def stop(self) -> None:
        """Publish nothing more, and end."""
        with self._change:
            self._over = True
            self._waiting.clear()
            self._change.notify()

    def run(self) -> None:
        """The thread."""
        with self._change:
            while not self._over:
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is None or wait > 0:
                    self._change.wait(wait)
                    continue
                _, _, command_id = heapq.heappop(self._heap)
                # Within the lock: who takes it back must know whether it has gone out.
                messages = self._waiting.pop(command_id, ())
                sent = [publish() for publish in messages]
                if sent:
                    now = time.time_ns() // 1_000_000
                    self._done.append(Out(command_id, now, all(sent)))
