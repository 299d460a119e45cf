"""Stops while a motor runs."""

from pathlib import Path

from tools import chaos_stops

COUNT = 4


def test_a_stop_is_answered_in_time(tmp_path: Path, seed: int) -> None:
    report = chaos_stops.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    for verb in chaos_stops.VERBS:
        assert report.counts[verb] == COUNT
