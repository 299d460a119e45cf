"""The backend, killed when schedules are due."""

from pathlib import Path

from tools import chaos_schedules

COUNT = 2


def test_what_is_due_is_done_once(tmp_path: Path, seed: int) -> None:
    report = chaos_schedules.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["killed around the second"] == 1
    assert report.counts["pulses at the pins"] >= 2 * COUNT
