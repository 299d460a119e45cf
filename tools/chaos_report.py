"""What a part of the chaos has seen: counts, the worst times, and every broken promise."""

import threading
from collections import Counter


class Report:
    """Filled by one part, from any of its threads. `violations` are lines for people."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self._said: list[str] = []
        self._times: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def count(self, what: str, number: int = 1) -> None:
        """So many more of it."""
        with self._lock:
            self.counts[what] += number

    def time(self, what: str, ms: float) -> None:
        """It took so long, or was so far off."""
        with self._lock:
            self._times.setdefault(what, []).append(ms)

    def say(self, line: str) -> None:
        """What was found, in words."""
        with self._lock:
            self._said.append(line)

    def blame(self, lines: list[str]) -> None:
        """These promises were broken."""
        with self._lock:
            self.violations += lines

    def worst(self, what: str) -> float:
        """The longest time (ms). Raises KeyError where none was noted."""
        return max(self._times[what])

    def usual(self, what: str) -> float:
        """The middle one of its times (ms). Raises KeyError where none was noted."""
        times = sorted(self._times[what])
        return times[len(times) // 2]

    def lines(self) -> list[str]:
        """The totals, for people."""
        out = [f"{self.name}: " + ("as promised" if not self.violations else "BROKEN")]
        out += [f"  {self.counts[what]:7,d}  {what}" for what in sorted(self.counts)]
        for what, times in sorted(self._times.items()):
            usual, worst = self.usual(what), self.worst(what)
            out.append(f"  {what}: p50 {usual:.1f} ms, worst {worst:.1f} ms ({len(times)})")
        out += [f"  {line}" for line in self._said]
        return out + [f"  VIOLATION: {line}" for line in self.violations]
