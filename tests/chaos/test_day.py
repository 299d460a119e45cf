"""Nine minutes of a board, its quiet hours skipped."""

from pathlib import Path

from tools import day

HOURS = 0.15


def test_a_board_lives_through_what_happens(tmp_path: Path, seed: int) -> None:
    report = day.run(tmp_path, HOURS, seed, lambda _: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["heartbeats outside faults"] >= 6  # the rest were within faults
    assert report.counts["commands COMPLETED"] > 30 and report.counts["pulses at pins"] > 3
