"""Virtual time: a heap of events, one source of chance, and a record of what happened.

Rules of this file:
- time is whole milliseconds since 1970 and jumps from one event to the next;
- all chance comes from the one `rng`, so a seed is a whole history;
- events of the same millisecond happen in the order in which they were planned.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

START = 1_800_000_000_000  # ms


class World:
    """The time, the chance and the events of one run.

    `counts`: {what: how often} of faults and refusals. `lines`: what happened, as text, or None
    where nobody wants to read it.
    """

    def __init__(self, seed: int, verbose: bool = False) -> None:
        self.rng = random.Random(seed)
        self.now = START
        self.counts: Counter[str] = Counter()
        self.lines: list[str] | None = [] if verbose else None
        self._events: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._planned = self._moments = 0

    def clock(self) -> int:
        """The time, for those who want a function."""
        return self.now

    def after(self, ms: int, call: Callable[..., None], *args: Any) -> None:
        """Plan a call in `ms`."""
        self.at(self.now + ms, call, *args)

    def at(self, when: int, call: Callable[..., None], *args: Any) -> None:
        """Plan a call."""
        self._planned += 1
        heapq.heappush(self._events, (max(when, self.now), self._planned, call, args))

    def run(self, until: int) -> None:
        """Let time pass up to `until`."""
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, call, args = heapq.heappop(events)
            call(*args)
        self.now = until

    def moment(self) -> int:
        """A number that only grows: tells what was first within one millisecond."""
        self._moments += 1
        return self._moments

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.rng.random() * (high - low + 1))

    def fault(self, kind: str, *details: object) -> None:
        """Note that something went wrong as it was meant to."""
        self.counts[kind] += 1
        self.note("FAULT", kind, *details)

    def note(self, *words: object) -> None:
        """A line for the reader."""
        if self.lines is not None:
            at = self.now - START
            self.lines.append(f"{at // 1000:6}.{at % 1000:03} " + " ".join(map(str, words)))
