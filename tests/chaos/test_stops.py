"""Stops while a motor runs."""

from pathlib import Path

from tools import chaos_stops


def test_a_stop_is_answered_in_time(tmp_path: Path, seed: int) -> None:
    report = chaos_stops.run(tmp_path, 20, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    for verb in chaos_stops.VERBS:
        assert report.counts[verb] == 20
        assert report.worst(f"{verb} to COMPLETED") < 200
        assert report.worst(f"{verb} to the pin being off") < 200
