"""`python -m tools.chaos_crashing POINT NTH [worker]`: the backend, killed as it crosses a point.

The process gets SIGKILL, so nothing of it runs any more, as it would be with a power cut. The
real classes are wrapped from outside; the backend itself has nothing built in for this.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from protocol.topics import ACK, STARTUP

from backend.__main__ import main
from backend.brokers.links import Links
from backend.delivery.work import Outcome, Work
from backend.delivery.writer import Writer

POINTS = {
    "before_commit": "all is written, the transaction still open",
    "after_commit": "durable, and nobody has been told",
    "between_publishes": "one command message is out, the next one is not",
    "after_publish": "commands are out, the boards' messages are not acknowledged",
    "before_answers": "the boards' messages are acknowledged, no request has its 202",
    "after_answers": "the 202 was given",
    "ack_arrived": "a board's ack has come and is not even queued",
    "startup_arrived": "a board's startup has come and is not even queued",
}


class Trap:
    """Kills this process when `point` is crossed for the `nth` time (from 1 on)."""

    def __init__(self, point: str, nth: int) -> None:
        self._point, self._left = point, nth
        self._published = 0
        self._outcome = Outcome()

    def cross(self, point: str) -> None:
        """Someone is there."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Wrap the methods between which the points lie."""
        _wrap(Work, "finish", after=self._finished)
        _wrap(Writer, "_settle", before=self._settling, after=self._settled)
        _wrap(Links, "publish", before=self._publishing)
        _wrap(Links, "acknowledge", before=self._acknowledging, after=self._acknowledged)
        _wrap(Writer, "message", before=self._arrived)

    def _finished(self, work: Work, outcome: Outcome) -> None:
        if outcome.changes:
            self.cross("before_commit")

    def _settling(self, writer: Writer, outcome: Outcome, *_: Any) -> None:
        self._published, self._outcome = 0, outcome
        if outcome.changes:
            self.cross("after_commit")

    def _publishing(self, *_: Any) -> None:
        self._published += 1
        if self._published > 1:
            self.cross("between_publishes")

    def _acknowledging(self, *_: Any) -> None:
        if self._published:
            self.cross("after_publish")

    def _acknowledged(self, *_: Any) -> None:
        if self._outcome.answers:
            self.cross("before_answers")

    def _settled(self, *_: Any) -> None:
        if self._outcome.answers:
            self.cross("after_answers")

    def _arrived(self, writer: Writer, topic: str, *_: Any) -> None:
        if topic.endswith("/" + ACK):
            self.cross("ack_arrived")
        elif topic.endswith("/" + STARTUP):
            self.cross("startup_arrived")


def _wrap(
    owner: type,
    name: str,
    before: Callable[..., None] | None = None,
    after: Callable[..., None] | None = None,
) -> None:
    """Have `before(self, *arguments)` and `after(self, result)` called around a method."""
    original = getattr(owner, name)

    def wrapped(self: Any, *arguments: Any) -> Any:
        if before:
            before(self, *arguments)
        result = original(self, *arguments)
        if after:
            after(self, result)
        return result

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in POINTS:
        sys.exit(f"use {' | '.join(POINTS)}, a number, and what the backend is told")
    Trap(sys.argv[1], int(sys.argv[2])).install()
    sys.exit(main(sys.argv[3:]))
