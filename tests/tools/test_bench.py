"""The benchmark runs, finds what it says it finds, and notices what must never happen."""

import json
import math
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tools import bench, bench_site
from tools.bench_parts import QUICK
from tools.bench_report import Report, percentile
from tools.bench_site import Site, running

SHORT = replace(QUICK, ceiling=0.1, load=0.3, latency=0.4, pins=0.5, readings=2_000)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site on which some commands were carried out."""
    with running() as made:
        with made.serving() as used:
            made.load(0.3, outstanding=8)
        assert used.ran >= 8 and used.again == 0
        yield made


def test_one_run_prints_every_part_and_its_targets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_site, "BOARDS", 4)
    monkeypatch.setattr(bench, "QUICK", SHORT)
    # All but the naive backend, which looks into its table every five seconds only.
    parts = ["--only", "throughput", "--only", "latency", "--only", "floor"]
    parts += ["--only", "pins", "--only", "readings"]
    assert bench.main(["--quick", *parts, "--json", str(tmp_path / "found.json")]) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["broken"] == []
    values = [figure["value"] for figure in found["figures"]]
    assert all(math.isfinite(value) and value >= 0 for value in values)
    targets = [figure for figure in found["figures"] if figure["target"] is not None]
    assert len(targets) == 14 and all(figure["met"] in (True, False) for figure in targets)
    printed = capsys.readouterr().out
    assert all(figure["what"] in printed for figure in found["figures"])


def test_what_was_done_adds_up(site: Site) -> None:
    assert site.check() == []


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE command SET status = 'UNKNOWN' WHERE seq = 3",
        "DELETE FROM command WHERE seq = 3",
        "UPDATE history SET to_status = 'REJECTED' WHERE id = 4",
        "DELETE FROM history WHERE id = 4",
        "INSERT INTO history SELECT 1000000, command_seq, at, event, from_status, to_status,"
        " error, detail, actor FROM history WHERE id = 4",
    ],
)
def test_what_does_not_add_up_is_noticed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr(site, "database", Path(shutil.copy(site.database, tmp_path)))
    assert site.check() == []
    with closing(sqlite3.connect(site.database)) as db, db:
        assert db.execute(harm).rowcount == 1
    assert site.check() != []


def test_percentiles() -> None:
    assert percentile(range(1, 101), 50) == 50
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7.0], 99) == 7
    assert math.isnan(percentile([], 50))


def test_a_target_is_met_or_missed_from_its_own_side() -> None:
    report = Report({})
    report.add("part", "fast", 2, "ms", 3, at_most=True)
    report.add("part", "slow", 4, "ms", 3, at_most=True)
    report.add("part", "many", 9, "/s", 8)
    report.add("part", "few", 7, "/s", 8)
    assert [figure.met for figure in report.figures] == [True, False, True, False]
    assert "targets: 2 met, 2 missed" in report.lines()
