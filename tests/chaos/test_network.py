"""A bad network, and boards that are away; `make chaos` has more of it."""

from pathlib import Path

from tools import chaos_late, chaos_network
from tools.brokers import MosquittoBroker

TROUBLES = 3  # all but the one that waits for the board to give a link up


def test_all_commands_end_in_the_truth(tmp_path: Path, seed: int) -> None:
    """On Mosquitto; all the others are on the broker that comes with the backend."""
    report = chaos_network.run(tmp_path, TROUBLES, seed, lambda: None, MosquittoBroker)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["commands COMPLETED"] == 6
    assert report.counts["heartbeats go on"] == 1


def test_what_comes_too_late_does_not_run(tmp_path: Path, seed: int) -> None:
    report = chaos_late.run(tmp_path, len(chaos_late.ABSENCES), seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["delivered too late: REJECTED expired"] == 1
