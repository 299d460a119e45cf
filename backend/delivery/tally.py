"""What became of commands since this process began, in memory: counters for whoever watches it."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from backend.database.store import Row
from backend.delivery.lifecycle import ENDED, UNKNOWN

# Upper bounds in seconds; what takes longer falls into one more.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
ACCEPTED = "accepted"


@dataclass
class Histogram:
    """How long something took. `counts` has one more than BOUNDS."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0  # seconds

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Tally:
    """`commands`: how many came to each (type, status); `took`: {"accepted", "completed"}."""

    def __init__(self) -> None:
        self.commands: Counter[tuple[str, str]] = Counter()
        self.took = {ACCEPTED: Histogram(), "completed": Histogram()}
        self.messages: Counter[tuple[str, str]] = Counter()  # (direction, kind)

    def copy(self) -> "Tally":
        """As it is now; may be called from any thread."""
        out = Tally()
        out.commands, out.messages = Counter(dict(self.commands)), Counter(dict(self.messages))
        out.took = {
            name: Histogram(list(one.counts), one.total) for name, one in self.took.items()
        }
        return out

    def take(self, changes: list[tuple[Row, Row]]) -> None:
        """Count the steps of a transaction: (history entry, command) each."""
        for entry, row in changes:
            status = entry["to_status"]
            if entry["from_status"] == "" or status in (*ENDED, UNKNOWN) != entry["from_status"]:
                self.commands[row["command_type"], status] += 1
            if entry["event"] in self.took and entry["from_status"] != UNKNOWN:
                self.took[entry["event"]].add(max(entry["at"] - row["created_at"], 0) / 1000)
