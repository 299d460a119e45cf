"""The firmware keeps to its budget of bytes."""

from collections.abc import Callable

import pytest

from tools import sizes


def test_every_file_is_within_its_budget(record_property: Callable[[str, object], None]) -> None:
    found = sizes.measured()
    for group, files in found.items():
        of = sizes.BUDGET[group][0]
        record_property(f".mpy {group}", f"{sum(files.values()):,} of {of:,} bytes")
        assert files, group
    assert sizes.exceeded(found) == []


def test_what_stays_in_memory_is_found() -> None:
    found = sizes.resident()
    assert found == {"__init__", "flash", "moving", "talking"}


def test_what_is_too_large_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sizes.BUDGET, "library", (100, 5_000))
    monkeypatch.setitem(sizes.BUDGET, "fixed", (50_000, 1_500))
    assert sizes.main([]) == 1
    said = capsys.readouterr()
    assert "umqtt/simple.mpy" in said.err and "main.py has" in said.err
    assert "█" in said.out and "talking.mpy" not in said.err
