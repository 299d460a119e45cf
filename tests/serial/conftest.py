"""A board on a serial port."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serial.site import plugged_in
from tools.emulator import Board


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """It runs, in a small heap, and looks for a broker where none is."""
    with contextlib.closing(plugged_in(tmp_path / "board")) as board:
        yield board
