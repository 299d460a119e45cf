"""What the benchmark has found: figures, the targets they are held against, and what broke."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured value. `target`: what it should be `at_most` or at least; None: no target."""

    part: str
    what: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met, or None where there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def line(self) -> str:
        """For people."""
        left = f"  {self.what:<58} {_number(self.value):>9} {self.unit:<12}"
        if self.target is None:
            return left.rstrip()
        wanted = f"{'<=' if self.at_most else '>='} {_number(self.target)}"
        return f"{left} {wanted:<9} {'met' if self.met else 'MISSED'}"


class Report:
    """Filled by the parts. `broken` are lines about what must never happen, `notes` any others."""

    def __init__(self, about: dict[str, str]) -> None:
        self.about, self.figures = about, list[Figure]()
        self.broken, self.notes = list[str](), list[str]()

    def add(
        self,
        part: str,
        what: str,
        value: float,
        unit: str,
        target: float | None = None,
        at_most: bool = False,
    ) -> None:
        """One more figure."""
        self.figures.append(Figure(part, what, value, unit, target, at_most))

    def spread(
        self, part: str, what: str, ms: list[float], p50: float = 0, p99: float = 0
    ) -> None:
        """The middle and the slow end of times (ms), with their targets where they have any."""
        for share, target in ((50, p50), (99, p99)):
            name = f"{what} p{share}"
            self.add(part, name, percentile(ms, share), "ms", target or None, at_most=True)

    def value(self, what: str) -> float | None:
        """A figure that was measured in this run, or None."""
        return next((one.value for one in self.figures if one.what == what), None)

    def lines(self) -> list[str]:
        """The table and the summary."""
        out = [f"{name}: {text}" for name, text in self.about.items()]
        for part in dict.fromkeys(one.part for one in self.figures):
            out += ["", part, *(one.line() for one in self.figures if one.part == part)]
        out += self.notes
        targets = [one for one in self.figures if one.target is not None]
        missed = [one for one in targets if not one.met]
        out += ["", f"targets: {len(targets) - len(missed)} met, {len(missed)} missed"]
        out += [one.line() for one in missed]
        return out + [f"BROKEN: {line}" for line in self.broken]

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        figures = [{**asdict(one), "met": one.met} for one in self.figures]
        return {"about": self.about, "figures": figures, "broken": self.broken}


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` % of all values do not exceed; nan of nothing."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(math.ceil(len(ordered) * share / 100), 1) - 1]


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}"
