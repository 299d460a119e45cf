"""How often a board beats, learned from its own heartbeats, and when its silence is too long.

Rules of this file:
- a board may lose three beats; what is expected of it grows at once with longer gaps and shrinks
  slowly with shorter ones, so a slow or lossy network makes no outages;
- the limit stays between SHORTEST_MS and LONGEST_MS, whatever a board does;
- a gap counts only within one session: what lies between two of them is no interval;
- a beat costs one look into a dict: deadlines are put right when they come up, not at each beat.
Times are ms.
"""

import heapq
from dataclasses import dataclass

from protocol.limits import HEARTBEAT_SECONDS

BEATS_LOST = 3
SLACK_MS = 5_000
SHORTEST_MS, LONGEST_MS = 15_000, 600_000
_GAP_MAX_MS = 180_000
_GROW, _SHRINK = 0.3, 0.05


@dataclass(slots=True)
class Pace:
    """One board's. `every_ms`: its learned interval; `beat_at`: its last beat of this session."""

    every_ms: float = HEARTBEAT_SECONDS * 1000.0
    beat_at: int | None = None

    def beat(self, now: int) -> None:
        """A heartbeat has come."""
        if self.beat_at is not None and 0 < now - self.beat_at <= _GAP_MAX_MS:
            gap = now - self.beat_at - self.every_ms
            self.every_ms += gap * (_GROW if gap > 0 else _SHRINK)
        self.beat_at = now

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        if self.beat_at is not None:
            self.beat_at += by

    @property
    def limit_ms(self) -> int:
        """The silence after which the board counts as offline."""
        wanted = round(BEATS_LOST * self.every_ms) + SLACK_MS
        return min(max(wanted, SHORTEST_MS), LONGEST_MS)


class Deadlines:
    """When each of many is due. Moving one to later costs nothing until its old time comes."""

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._entry: dict[str, int] = {}  # which entry of the heap counts: it comes up in time

    def set(self, name: str, at: int) -> None:
        """Have one be due at `at`."""
        self._due[name] = at
        if self._entry.get(name, at + 1) > at:
            self._push(name, at)

    def pop(self, name: str) -> None:
        """Have one be due no more."""
        self._due.pop(name, None)

    def clear(self) -> None:
        """The same for all."""
        self._due.clear()
        self._heap.clear()
        self._entry.clear()

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        due = {name: at + by for name, at in self._due.items()}
        self.clear()
        for name, at in due.items():
            self.set(name, at)

    def over(self, now: int) -> list[str]:
        """Those that are due at `now` or before; they are due no more."""
        out = []
        while self._heap and self._heap[0][0] <= now:
            entry, name = heapq.heappop(self._heap)
            if self._entry.get(name) != entry:
                continue
            del self._entry[name]
            at = self._due.get(name)
            if at is not None and at > now:
                self._push(name, at)
            elif at is not None:
                del self._due[name]
                out.append(name)
        return out

    def next(self) -> int | None:
        """When `over` may next have something to say, or None."""
        return self._heap[0][0] if self._heap else None

    def _push(self, name: str, at: int) -> None:
        self._entry[name] = at
        heapq.heappush(self._heap, (at, name))
