"""A core with rules on a real database file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.automations.garden import Garden
from tests.backend.conftest import Desk


@pytest.fixture
def garden(tmp_path: Path) -> Iterator[Garden]:
    """The board `pond` is online, and there is no rule yet."""
    desk = Desk(tmp_path / "test.db")
    yield Garden(desk)
    desk.database.close()
