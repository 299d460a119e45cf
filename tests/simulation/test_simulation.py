"""Some seeds, and that they are worth it: all faults happen, all outcomes are reached.

More of the same: `python -m tools.simulate`.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.run import Report, simulate

ROOT = Path(__file__).resolve().parents[2]
FIXED = (0, 1, 2, 3, 4, 5, 6, 8, 10, 20, 23, 31)  # everything happens in one of these
OTHERS = 12  # which nobody has looked at yet, most likely

# Every kind of fault, and every step of the backend it can be killed at.
FAULTS = {
    "link_reset", "link_half_open", "link_stalled", "partition", "broker_restart",
    "broker_lost_message", "broker_doubled_message", "broker_held_message", "hostile_bytes",
    "power_cut", "power_cut_at_flash", "power_cut_in_pulse", "flash_fails",
    "database_locked",
    "backend_killed", "backend_killed_at_statement", "backend_killed_at_commit",
    "backend_killed_at_committed", "backend_killed_at_publish", "backend_killed_at_acknowledge",
    "backend_killed_at_answer",
}  # fmt: skip
USERS = {"posted_again", "cancels", "refused_key_reused", "cancel_ended"}
OUTCOMES = {
    "COMPLETED", "FAILED stopped", "FAILED never", "REJECTED expired", "REJECTED busy",
    "FAILED condition", "REJECTED condition", "REJECTED bad_parameter", "EXPIRED expired",
    "CANCELLED cancelled", "CANCELLED never", "UNKNOWN interrupted", "UNKNOWN forgotten",
}  # fmt: skip


@pytest.fixture(scope="module")
def reports(seed: int) -> list[Report]:
    """One run of every seed."""
    others = range(seed * OTHERS, (seed + 1) * OTHERS)
    return [simulate(one) for one in (*FIXED, *others)]


def test_nothing_is_broken(reports: list[Report]) -> None:
    assert [f"seed {report.seed}: {text}" for report in reports for text in report.broken] == []


def test_everything_happens(reports: list[Report]) -> None:
    counts: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for report in reports:
        counts += report.counts
        outcomes += report.outcomes
    assert (FAULTS | USERS) - counts.keys() == set()
    assert OUTCOMES - outcomes.keys() == set()
    commands = outcomes.total()
    assert commands >= 100 * len(reports)
    assert outcomes["COMPLETED"] > 0.3 * commands  # or it would be about nothing but failures
    assert outcomes["UNKNOWN interrupted"] + outcomes["UNKNOWN forgotten"] < 0.05 * commands


def test_a_seed_is_a_whole_history() -> None:
    once, again, other = (simulate(seed, verbose=True).lines for seed in (7, 7, 8))
    assert len(once) > 100 and once == again != other


def test_a_seed_is_the_same_in_another_process() -> None:
    command = [sys.executable, "-m", "tools.simulate", "--seed", "7", "-v"]
    said = []
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        said.append(done.stdout)
    assert said[0] == said[1]
    assert "\n".join(simulate(7, verbose=True).lines) in said[0]
