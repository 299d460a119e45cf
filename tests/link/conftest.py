"""Each broker in turn, with one board's user."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.broker import EmbeddedBroker
from tests.link.site import USERS
from tests.support.brokers import Broker, MosquittoBroker, free_port, mosquitto_binary


@pytest.fixture(params=["embedded", "mosquitto"])
def real_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A running broker with USERS."""
    if request.param == "mosquitto" and mosquitto_binary() is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto, or brew install mosquitto")
    make = EmbeddedBroker if request.param == "embedded" else MosquittoBroker
    broker = make(tmp_path / "broker", free_port(), USERS)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def embedded_broker(tmp_path: Path) -> Iterator[Broker]:
    """Where it does not matter which one it is."""
    broker = EmbeddedBroker(tmp_path / "broker", free_port(), USERS)
    broker.start()
    yield broker
    broker.stop()
