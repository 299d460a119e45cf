"""The link to the broker when it does not come about: it says why, once, and goes on trying."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.broker import BACKEND_USER, EmbeddedBroker
from backend.dialects import registry
from backend.mqtt import Link
from tests.backend.running import eventually
from tools.brokers import free_port

USERS = {BACKEND_USER: "right", "pond": "board's"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """One that does not run yet."""
    broker = EmbeddedBroker(tmp_path, free_port(), USERS)
    yield broker
    broker.stop()


class Heard:
    """A link, and how often it went up (True) and down (False)."""

    def __init__(self, broker: EmbeddedBroker, user: str, password: str) -> None:
        self.changes: list[bool] = []
        url = f"mqtt://{user}:{password}@{broker.host}:{broker.port}"
        self.link = Link(url, registry.subscriptions([], []), lambda *_: None, self.changes.append)
        self.link.start()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.name == "backend.mqtt"]


def test_a_broker_that_is_away_is_said_once_and_waited_for(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard(broker, BACKEND_USER, "right")
    error = eventually(lambda: heard.link.error)
    assert f"127.0.0.1:{broker.port} can't be reached" in error and "BROKER_URL" in error
    broker.start()
    eventually(lambda: heard.link.connected)
    assert heard.link.error is None and heard.changes == [True]
    assert len(errors(caplog)) == 1
    heard.link.stop()


def test_a_wrong_password_is_said(broker: EmbeddedBroker) -> None:
    broker.start()
    heard = Heard(broker, BACKEND_USER, "wrong")
    assert "refused the connection" in eventually(lambda: heard.link.error)
    assert heard.changes == [] and not heard.link.connected
    heard.link.stop()


def test_a_subscription_that_is_denied_is_no_connection(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.start()
    heard = Heard(broker, "pond", "board's")
    eventually(lambda: heard.changes.count(False) >= 2)  # it tries again
    assert "denied a subscription" in str(heard.link.error)
    assert not heard.link.connected
    assert len(errors(caplog)) == 1
    heard.link.stop()
