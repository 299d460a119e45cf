"""Hostile messages to the backend; `python -m tools.chaos hostile` sends 100,000."""

from pathlib import Path

from tools import chaos_hostile

COUNT = 2_000


def test_the_honest_board_suffers_nothing(tmp_path: Path, seed: int) -> None:
    report = chaos_hostile.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["feeds of the honest board: COMPLETED"] == chaos_hostile.FEEDS
    assert report.counts["messages refused and counted"] > COUNT // 2
