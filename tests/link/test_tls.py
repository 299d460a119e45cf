"""TLS between board and broker: who is believed, and what a reconnect does to a motor.

The broker is a real Mosquitto that listens without TLS, too, so that the test's own voice needs
no certificate.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from protocol import topics

from tests.link.site import (
    FEEDER,
    HEAP,
    LATE_MS,
    PATIENCE,
    USERS,
    Backend,
    lateness,
    make_board,
    settings_with,
)
from tests.link.test_link import QUICK
from tests.support import certificates
from tests.support.brokers import running
from tests.support.certificates import Certificate
from tools.brokers import MosquittoBroker, free_port
from tools.emulator import Board
from tools.proxy import Proxy


@dataclass
class Authority:
    """Vouches for brokers; `folder` is where their certificates lie."""

    folder: Path
    certificate: Certificate

    def server(self, name: str, **more: object) -> Certificate:
        """See certificates.server."""
        return certificates.server(self.folder, name, self.certificate, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("certificates")
    return Authority(folder, certificates.authority(folder))


@contextlib.contextmanager
def sealed(folder: Path, certificate: Certificate) -> Iterator[MosquittoBroker]:
    """A broker that shows this certificate at the port tls[0]."""
    with running("mosquitto", folder, USERS) as broker:
        assert isinstance(broker, MosquittoBroker)
        broker.stop()
        broker.tls = (free_port(), certificate.path, certificate.key)
        broker.start()
        yield broker


def tls_board(
    folder: Path, port: int, der: bytes, turned: str = "", heap: str = HEAP, **members: object
) -> Board:
    """A board that asks for TLS at 127.0.0.1:`port`."""
    return sealed_board(make_board(folder / "board", port, turned, heap), der, **members)


def sealed_board(board: Board, der: bytes, **members: object) -> Board:
    """A board that is off, which asks for TLS from now on; `members` are of its broker."""
    broker = json.loads(board.flash.read("settings.json"))["broker"]
    settings_with(board, broker={**broker, "tls": True, "ca": "ca.der", **members})
    board.flash.write({"ca.der": der})
    return board


@contextlib.contextmanager
def tls_site(
    folder: Path, by: Authority, turned: str, heap: str = HEAP, seconds: float = PATIENCE
) -> Iterator[tuple[Board, Backend, Proxy]]:
    """A board that is online through TLS, its backend, and the network between them."""
    with sealed(folder, by.server("good")) as broker:
        assert broker.tls
        with Proxy("127.0.0.1", broker.tls[0]) as proxy:
            board = tls_board(folder, proxy.port, by.certificate.der, turned, heap)
            backend = Backend(broker).connect()
            with board, contextlib.closing(backend):
                board.start()
                try:
                    backend.online(seconds)
                except TimeoutError:
                    print(board.console)
                    raise
                yield board, backend, proxy


def test_commands_travel_through_tls(tmp_path: Path, authority: Authority) -> None:
    with tls_site(tmp_path, authority, QUICK) as (board, backend, _):
        feed = backend.command("feed", "feeder1", amount=5)
        assert backend.result(feed)["result"]["grams"] == 5
        assert lateness(board, FEEDER, 500) <= LATE_MS
        for number in range(20):  # some of them in one record, some in the middle of another's
            backend.command("ping", "", f"p{number}")
        for number in range(20):
            backend.result(f"p{number}")
        heap = backend.wait(topics.HEARTBEAT, {})["heap"]
        assert heap > 0 and len(board.log.of("boot")) == 1


# What is wrong with the broker: its certificate, and what the board says of it.
REFUSED = {
    "expired": "has expired",
    "another": "does not match",
    "unknown": "not correctly signed by the trusted CA",
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_broker_nobody_vouches_for_is_refused(
    tmp_path: Path, authority: Authority, wrong: str
) -> None:
    made = {
        "expired": lambda: authority.server("expired", days=-1),
        "another": lambda: authority.server("another", host="pond.example"),
        "unknown": lambda: certificates.server(
            tmp_path, "unknown", certificates.authority(tmp_path, "their ca")
        ),
    }[wrong]()
    with sealed(tmp_path, made) as broker:
        assert broker.tls
        with tls_board(tmp_path, broker.tls[0], authority.certificate.der, QUICK) as board:
            backend = Backend(broker).connect()
            with contextlib.closing(backend):
                board.start()
                said = board.wait(lambda it: REFUSED[wrong] in it.get("line", ""))["line"]
                print(said)
                assert said.startswith("answerback: no connection: the broker's certificate is")
                with pytest.raises(TimeoutError):
                    backend.online(1.5)
                assert len(board.log.of("boot")) == 1  # and it goes on trying
                broker.stop()
                good = authority.server("good")
                broker.tls = (broker.tls[0], good.path, good.key)
                broker.start()
                board.wait(lambda it: "answerback: connected" in it.get("line", ""))


def test_a_broker_without_tls_is_refused(tmp_path: Path, authority: Authority) -> None:
    with (
        sealed(tmp_path, authority.server("good")) as broker,
        tls_board(tmp_path, broker.port, authority.certificate.der, QUICK) as board,
    ):
        board.start()
        said = board.wait(lambda it: "no connection" in it.get("line", ""))["line"]
        assert "certificate" not in said
        assert len(board.log.of("boot")) == 1


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"ca": ""}, "/settings.json: broker.ca is missing"),
        ({"ca": "none.der"}, "/settings.json: broker.ca must name a certificate in DER"),
        ({"ca": "main.py"}, "/settings.json: broker.ca must name a certificate in DER"),
        ({"tls": 1}, "/settings.json: broker.tls must be true or false"),
    ],
)
def test_tls_without_an_authority_is_refused_at_boot(
    tmp_path: Path, authority: Authority, members: dict[str, Any], said: str
) -> None:
    with tls_board(tmp_path, 1, authority.certificate.der, "", **members) as board:
        board.start()
        board.wait(lambda it: it["event"] == "console" and said in it["line"])
        board.type("print(6 * 7)\r")
        board.wait_for("console", line="42")


def test_a_reconnect_does_not_disturb_the_motor(tmp_path: Path, authority: Authority) -> None:
    with tls_site(tmp_path, authority, QUICK) as (board, backend, proxy):
        feed = backend.command("feed", "feeder1", amount=20)
        board.wait_for("pin", pin=FEEDER, value=1)
        while board.level(FEEDER):
            since = len(backend.heard)
            proxy.drop()
            backend.online(since=since)
        assert backend.result(feed)["result"]["grams"] == 20
        late = lateness(board, FEEDER, 2000)
        print(f"motor beside {proxy.accepted - 1} handshakes: {late:.0f} ms off")
        assert late <= LATE_MS and proxy.accepted > 3


# A handshake as on an ESP32, where a step of it takes 300 ms and nothing else runs meanwhile.
SLOW = (
    QUICK
    + """
import time
from app import tls
step = tls.TlsWire._step
def slow(wire, function, data):
    if wire.calm is not tls._always:
        time.sleep_ms(300)
    return step(wire, function, data)
tls.TlsWire._step = slow
"""
)


def test_no_step_of_a_slow_handshake_lies_over_the_end_of_an_action(
    tmp_path: Path, authority: Authority
) -> None:
    with tls_site(tmp_path, authority, SLOW) as (board, backend, proxy):
        for number in range(2):
            since = len(board.log)
            feed = backend.command("feed", "feeder1", amount=10 + 2 * number)
            board.wait_for("pin", pin=FEEDER, value=1, since=since)
            proxy.drop()
            assert backend.result(feed)["result"]["grams"] == 10 + 2 * number
            late = lateness(board, FEEDER, 1000 + 200 * number)
            print(f"motor beside a slow handshake: {late:.0f} ms off")
            assert late <= LATE_MS
