"""Power, cut in the middle of updates and of the first boot after one."""

from pathlib import Path

from tools import chaos_update

COUNT = 2


def test_an_entire_release_is_always_there(tmp_path: Path, seed: int) -> None:
    report = chaos_update.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["updates cut"] >= COUNT - 1  # the last write may be one too far
    assert report.counts["first boots cut"] == 1


def test_each_write_has_its_turn(seed: int) -> None:
    assert chaos_update.writes(5000, seed) == list(range(1, chaos_update.WRITES + 1))
    assert len(set(chaos_update.writes(7, seed))) == 7
