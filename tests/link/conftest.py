"""Brokers with one board's user."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.site import USERS
from tests.support.brokers import KINDS, running
from tools.brokers import Broker


@pytest.fixture(params=KINDS)
def real_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each kind in turn, with USERS."""
    with running(request.param, tmp_path, USERS) as broker:
        yield broker


@pytest.fixture
def embedded_broker(tmp_path: Path) -> Iterator[Broker]:
    """Where it does not matter which one it is."""
    with running("embedded", tmp_path, USERS) as broker:
        yield broker
