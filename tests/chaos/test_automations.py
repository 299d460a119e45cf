"""Rules with real boards: an aerator under noise, and a fight over a valve."""

from pathlib import Path

from tools import chaos_aerator, chaos_valve

ROUNDS = 3


def test_an_aerator_goes_on_and_off_once_each_way(tmp_path: Path, seed: int) -> None:
    report = chaos_aerator.run(tmp_path, 1, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["backends killed"] == 1


def test_a_fight_over_a_valve_is_told_as_it_was(tmp_path: Path, seed: int) -> None:
    report = chaos_valve.run(tmp_path, ROUNDS, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["rounds"] == ROUNDS
