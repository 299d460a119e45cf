"""The backend, killed between every two steps of its work."""

from pathlib import Path

from tools import chaos_kills
from tools.chaos_crashing import POINTS

COUNT = len(POINTS)


def test_nothing_is_lost_and_nothing_runs_twice(tmp_path: Path, seed: int) -> None:
    report = chaos_kills.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    kills = [report.counts[f"killed {point}"] for point in POINTS]
    assert min(kills) >= 1 and sum(kills) == COUNT
    assert report.counts["commands COMPLETED"] > report.counts["202 given"] / 2
    assert report.counts["keys repeated"] > 0
