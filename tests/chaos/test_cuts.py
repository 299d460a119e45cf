"""Power, cut at every moment of a feed."""

from pathlib import Path

from tools import chaos_cuts

COUNT = 12  # each moment twice


def test_no_feed_runs_twice_and_no_answer_lies(tmp_path: Path, seed: int) -> None:
    report = chaos_cuts.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert sum(report.counts[f"cut {moment}"] for moment in chaos_cuts.MOMENTS) == COUNT
    assert report.counts["UNKNOWN with 1 pulses"] > 0
