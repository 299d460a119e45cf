"""A bad network, and boards that are away, on both brokers."""

from pathlib import Path

import pytest

from backend.broker import EmbeddedBroker
from tools import chaos_late, chaos_network
from tools.brokers import MosquittoBroker, mosquitto_binary
from tools.chaos_site import MakeBroker

TROUBLES = 3  # all but the one that waits for the board to give a link up
needs_mosquitto = pytest.mark.skipif(
    mosquitto_binary() is None, reason="Mosquitto is not installed"
)
BROKERS = [EmbeddedBroker, pytest.param(MosquittoBroker, marks=needs_mosquitto)]


@pytest.mark.parametrize("make_broker", BROKERS)
def test_all_commands_end_in_the_truth(tmp_path: Path, seed: int, make_broker: MakeBroker) -> None:
    report = chaos_network.run(tmp_path, TROUBLES, seed, lambda: None, make_broker)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["commands COMPLETED"] == 6
    assert report.counts["heartbeats go on"] == 1


def test_what_comes_too_late_does_not_run(tmp_path: Path, seed: int) -> None:
    report = chaos_late.run(tmp_path, len(chaos_late.ABSENCES), seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["delivered too late: REJECTED expired"] == 1
