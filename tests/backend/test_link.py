"""The link to the broker when it does not come about: it says why, once, and goes on trying."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.brokers.linkstate import CONNECTED, CONNECTING, DISCONNECTED, ERROR, Address, Report
from backend.brokers.mqtt import Link
from backend.brokers.paho_edges import NO_TOPIC, topic_of
from backend.dialects import registry
from backend.dialects.dialect import Subscription
from tests.backend.running import eventually
from tools.brokers import free_port
from tools.proxy import Proxy

USERS = {BACKEND_USER: "right", "pond": "board's"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """One that does not run yet."""
    broker = EmbeddedBroker(tmp_path, free_port(), USERS)
    yield broker
    broker.stop()


class Heard:
    """A link, how often it went up (True) and down (False), and what it reported."""

    def __init__(
        self, broker: EmbeddedBroker, user: str, password: str, more: Sequence[Subscription] = ()
    ) -> None:
        self.changes: list[bool] = []
        self.reports: list[Report] = []
        address = Address(broker.host, broker.port, user, password)
        self.link = Link(
            address,
            [*registry.subscriptions([], []), *more],
            lambda *_: None,
            lambda name, up: self.changes.append(up),
            lambda name, report: self.reports.append(report),
        )
        self.link.start()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.name == "backend.brokers.mqtt"]


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


def test_a_wrong_password_is_tried_again_only_after_the_longest_pause(
    broker: EmbeddedBroker,
) -> None:
    broker.start()
    heard = Heard(broker, BACKEND_USER, "wrong")
    (report,) = eventually(lambda: [one for one in heard.reports if one.status == ERROR])
    assert report.wait >= 45 and "correct user and password" in report.message
    before = time.monotonic()
    heard.link.stop()
    heard.link.join()
    assert time.monotonic() - before < 2 and heard.reports[-1].status == DISCONNECTED
    assert not heard.link.alive


def test_a_link_that_was_stopped_says_and_acknowledges_nothing_more(
    broker: EmbeddedBroker,
) -> None:
    broker.start()
    heard = Heard(broker, BACKEND_USER, "right")
    eventually(lambda: heard.link.connected)
    heard.link.stop()
    assert heard.changes == [True, False] and not heard.link.publish(
        "devices/pond/commands", b"x", 1
    )
    heard.link.join()
    assert [one.status for one in heard.reports] == [CONNECTING, CONNECTED, DISCONNECTED]
    assert heard.changes == [True, False]


def test_one_that_is_stopped_in_the_middle_of_a_try_ends(broker: EmbeddedBroker) -> None:
    links = [Heard(broker, BACKEND_USER, "right").link for _ in range(20)]  # it does not run
    for link in links:
        link.stop()
    before = time.monotonic()
    for link in links:
        link.join()
    assert not any(link.alive for link in links) and time.monotonic() - before < 1.5


def test_what_has_no_qos_and_went_with_its_connection_is_not_waited_for(
    broker: EmbeddedBroker,
) -> None:
    broker.start()
    with Proxy(broker.host, broker.port) as proxy:
        address = Address(broker.host, proxy.port, BACKEND_USER, "right")
        link = Link(address, registry.subscriptions([], []), lambda *_: None, lambda *_: None)
        link.start()
        eventually(lambda: link.connected)
        proxy.silence(True)
        for _ in range(40):
            link.publish("devices/pond/x", b"x" * 500_000, 0)
        assert link.publish("devices/pond/x", b"kept", 1)
        assert link.unfinished > 2
        proxy.drop()
        proxy.silence(False)
        eventually(lambda: link.connected and link.unfinished == 0)
        link.stop()


def test_a_topic_that_is_not_utf8_is_handed_on_as_none() -> None:
    assert topic_of(MQTTMessage(topic=b"devices/\xff/ack")) == NO_TOPIC
    assert topic_of(MQTTMessage(topic=b"devices/p/ack")) == "devices/p/ack"


def test_a_room_that_the_broker_denies_does_not_keep_the_others_from_being_heard(
    broker: EmbeddedBroker,
) -> None:
    broker.start()
    heard = Heard(broker, BACKEND_USER, "right", [("hall 1/light", 0)])
    eventually(lambda: heard.link.connected)
    assert "denied a subscription, to hall 1/light" in heard.reports[-1].message
    heard.link.subscribe([*registry.subscriptions([], []), ("hall2/light", 0)])
    eventually(lambda: "denied a subscription, to hall2/light" in heard.reports[-1].message)
    assert heard.changes == [True] and heard.link.connected
    heard.link.stop()
