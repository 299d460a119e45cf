"""Fixtures of the emulation tests: boards, and each broker in turn."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulation.boards import make_board
from tests.support.brokers import KINDS, running
from tests.support.mqtt import Client
from tools.brokers import Broker

__all__ = ["make_board"]

Connect = Callable[..., Client]

USERS = {"answerback": "backend's", "pond-1": "one's", "pond-2": "two's"}


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A running broker with USERS."""
    with running(request.param, tmp_path, USERS) as running_broker:
        yield running_broker


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
