"""Malformed messages to a board, and the tool that runs all of this."""

from pathlib import Path

import pytest

from tools import chaos, chaos_fuzz
from tools.chaos_report import Report

COUNT = 1_000


def test_noise_is_counted_and_changes_nothing(tmp_path: Path, seed: int) -> None:
    report = chaos_fuzz.run(tmp_path, COUNT, seed, lambda: None)
    print("\n".join(report.lines()))
    assert report.violations == []
    assert report.counts["messages dropped, by its heartbeat"] > COUNT
    assert report.counts["a feed afterwards: COMPLETED"] == 1


@pytest.mark.parametrize("broken", [[], ["a promise"]])
def test_a_violation_is_the_exit_code(
    broken: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def part(folder: Path, count: int, seed: int, tick: object) -> Report:
        report = Report(f"{count} rounds")
        report.blame(broken)
        return report

    monkeypatch.setitem(chaos.PARTS, "kills", (part, 200))
    assert chaos.main(["kills", "--count", "7"]) == len(broken)
    assert "7 rounds" in capsys.readouterr().out
