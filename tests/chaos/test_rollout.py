"""A release that is bad, and one that is good, on their way to real boards."""

from pathlib import Path

from tools import chaos_rollout

COUNT = 3


def test_a_bad_release_stops_at_the_canary_and_a_good_one_reaches_all(
    tmp_path: Path, seed: int
) -> None:
    report = chaos_rollout.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["bad release: rolled_back"] == 2
    assert report.counts["bad release: untouched"] == COUNT - 2
    assert report.counts["backend killed"] == 1
    assert report.counts["good release: running"] == COUNT
