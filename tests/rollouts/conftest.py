"""Rollouts on a real core and database, in a time of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rollouts.squad import Squad


@pytest.fixture
def squad(tmp_path: Path) -> Iterator[Squad]:
    """Ten boards that are online, and a release for them."""
    squad = Squad(tmp_path)
    yield squad
    squad.database.close()
