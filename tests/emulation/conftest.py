"""Fixtures of the emulation tests: boards, and each broker in turn."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.broker import EmbeddedBroker
from tests.emulation.boards import make_board
from tests.support.brokers import Broker, MosquittoBroker, free_port, mosquitto_binary
from tests.support.mqtt import Client

__all__ = ["make_board"]

Connect = Callable[..., Client]

USERS = {"answerback": "backend's", "pond-1": "one's", "pond-2": "two's"}


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A running broker with USERS."""
    if request.param == "mosquitto" and mosquitto_binary() is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto, or brew install mosquitto")
    make = EmbeddedBroker if request.param == "embedded" else MosquittoBroker
    broker = make(tmp_path / "broker", free_port(), USERS)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def connect(broker: Broker) -> Iterator[Connect]:
    """connect(user, **settings of Client) is a connected client; all are closed afterwards."""
    with contextlib.ExitStack() as open_clients:

        def connect(user: str, will: tuple[str, bytes] | None = None, **settings: bool) -> Client:
            client = Client(broker, user, USERS[user], **settings)  # type: ignore[arg-type]
            if will:
                client.will(*will, retain=True)
            code, _ = client.connect()
            assert not code.is_failure, code
            open_clients.callback(client.close)
            return client

        yield connect
