"""What the system relies on of a broker, shown for each of the two."""

import time
from pathlib import Path

import pytest

from backend.brokers.broker import BrokerError
from tests.emulation.conftest import USERS, Connect
from tests.support.mqtt import Client
from tools.brokers import Broker


def test_qos_1_goes_round(connect: Connect) -> None:
    backend, board = connect("answerback"), connect("pond-1")
    backend.subscribe("devices/+/ack")
    board.subscribe("devices/pond-1/commands")
    for number in range(20):
        backend.publish("devices/pond-1/commands", b"%d" % number)
        command = board.receive()
        assert (command.payload, command.qos, command.retain) == (b"%d" % number, 1, False)
        board.publish("devices/pond-1/ack", b"%d" % number)
        assert backend.receive().payload == b"%d" % number


def test_a_message_of_the_longest_kind_passes(connect: Connect) -> None:
    backend, board = connect("answerback"), connect("pond-1")
    backend.subscribe("devices/+/data/image")
    picture = bytes(range(256)) * 800
    board.publish("devices/pond-1/data/image", picture)
    assert backend.receive().payload == picture


@pytest.mark.parametrize("wanted", ["devices/pond-1/#", "devices/#", "#", "devices/+/commands"])
def test_a_board_reads_no_other_board(connect: Connect, wanted: str) -> None:
    backend, board = connect("answerback"), connect("pond-2")
    backend.publish("devices/pond-1/status", b"retained", retain=True)
    board.subscribe("devices/pond-2/commands")
    board.ask_for(wanted)  # Mosquitto says yes and sends nothing, NATS says no
    backend.publish("devices/pond-1/commands", b"secret")
    backend.publish("devices/pond-2/commands", b"its own")
    assert board.receive().payload == b"its own"


def test_a_board_writes_for_no_other_board(connect: Connect) -> None:
    backend, board = connect("answerback"), connect("pond-2")
    backend.subscribe("devices/#")
    for topic in ("devices/pond-1/ack", "devices/pond-1/commands", "devices/pond-11/ack"):
        board.publish(topic, b"forged", qos=0)
    board.publish("devices/pond-2/ack", b"its own", qos=0)
    assert backend.receive().payload == b"its own"


def test_retained_messages_wait_for_who_comes_later(connect: Connect) -> None:
    connect("pond-1").publish("devices/pond-1/status", b"online", retain=True)
    backend = connect("answerback")
    backend.subscribe("devices/+/status")
    status = backend.receive()
    assert (status.topic, status.payload, status.retain) == (
        "devices/pond-1/status",
        b"online",
        True,
    )
    connect("pond-2").publish("devices/pond-2/status", b"online", retain=True)
    assert not backend.receive().retain


def test_the_will_of_a_client_that_vanished_is_told(connect: Connect) -> None:
    backend = connect("answerback")
    backend.subscribe("devices/+/status")
    board = connect("pond-1", will=("devices/pond-1/status", b"offline"))
    board.vanish()
    assert backend.receive().payload == b"offline"


def test_a_client_that_says_goodbye_leaves_no_will(connect: Connect) -> None:
    backend = connect("answerback")
    backend.subscribe("devices/+/status")
    connect("pond-1", will=("devices/pond-1/status", b"offline")).close()
    connect("pond-2").publish("devices/pond-2/status", b"online")
    assert backend.receive().payload == b"online"


def test_the_same_client_id_takes_over(connect: Connect) -> None:
    backend, first = connect("answerback"), connect("pond-1")
    first.subscribe("devices/pond-1/commands")
    second = connect("pond-1")
    assert first.gone.wait(30), "the first connection is still open"
    second.subscribe("devices/pond-1/commands")
    backend.publish("devices/pond-1/commands", b"one copy")
    assert second.receive().payload == b"one copy"


def test_what_a_dead_client_had_not_acknowledged_comes_again(connect: Connect) -> None:
    board = connect("pond-1")
    backend = connect("answerback", clean=False, manual_ack=True)
    backend.subscribe("devices/+/ack")
    for payload in (b"first", b"second"):
        board.publish("devices/pond-1/ack", payload)
    backend.acknowledge(backend.receive())
    assert backend.receive().payload == b"second"
    backend.publish("devices/pond-1/commands", b"")  # after the PUBACK of the first
    backend.vanish()
    board.publish("devices/pond-1/ack", b"while it was away")
    again = connect("answerback", clean=False, manual_ack=True)
    came = [again.receive().payload for _ in range(2)]
    assert sorted(came) == [b"second", b"while it was away"]


def test_a_clean_session_leaves_nothing_behind(connect: Connect, broker: Broker) -> None:
    first = connect("pond-1")
    first.subscribe("devices/pond-1/commands")
    first.vanish()
    backend = connect("answerback")
    backend.publish("devices/pond-1/commands", b"lost")
    board = Client(broker, "pond-1", USERS["pond-1"])
    _, session_present = board.connect()
    assert not session_present
    board.subscribe("devices/pond-1/commands")
    backend.publish("devices/pond-1/commands", b"new")
    assert board.receive().payload == b"new"
    board.close()


@pytest.mark.parametrize(
    ("user", "password"), [("pond-1", "wrong"), ("nobody", "one's"), ("pond-1", "two's"), ("", "")]
)
def test_a_wrong_password_is_refused_with_a_code(broker: Broker, user: str, password: str) -> None:
    client = Client(broker, user, password, client_id="pond-1")
    code, _ = client.connect()
    assert code.getName() in ("Not authorized", "Bad user name or password")
    client.close()


def test_users_change_while_it_runs(broker: Broker, connect: Connect) -> None:
    backend, board = connect("answerback"), connect("pond-1")
    backend.subscribe("devices/+/ack")
    broker.set_users({**USERS, "pond-3": "three's", "pond-2": "changed"})
    new = Client(broker, "pond-3", "three's")
    assert not new.connect()[0].is_failure
    new.publish("devices/pond-3/ack", b"new")
    assert backend.receive().payload == b"new"
    old = Client(broker, "pond-2", USERS["pond-2"])
    assert old.connect()[0].is_failure
    board.publish("devices/pond-1/ack", b"undisturbed")
    assert backend.receive().payload == b"undisturbed"
    assert not backend.gone.is_set() and not board.gone.is_set()
    new.close()
    old.close()


def test_a_restart_keeps_what_the_backend_had_not_read(connect: Connect, broker: Broker) -> None:
    backend = connect("answerback", clean=False)
    backend.subscribe("devices/+/ack")
    backend.close()
    board = connect("pond-1")
    board.publish("devices/pond-1/ack", b"kept")
    board.publish("devices/pond-1/status", b"online", retain=True)
    broker.stop()
    assert board.gone.wait(30)
    broker.start()
    again = connect("answerback", clean=False)
    assert again.receive().payload == b"kept"
    again.subscribe("devices/+/status")
    assert again.receive().payload == b"online"


def test_a_killed_broker_comes_back(connect: Connect, broker: Broker) -> None:
    board = connect("pond-1")
    broker.kill()
    assert broker.pid is None
    assert board.gone.wait(30)
    broker.start()
    backend = connect("answerback")
    backend.subscribe("devices/+/ack")
    connect("pond-1").publish("devices/pond-1/ack", b"back")
    assert backend.receive().payload == b"back"


def test_round_trips_do_not_wait_for_a_timer(connect: Connect) -> None:
    backend, board = connect("answerback"), connect("pond-1")
    backend.subscribe("devices/+/ack")
    board.subscribe("devices/pond-1/commands")
    took = []
    for _ in range(21):
        start = time.perf_counter()
        backend.publish("devices/pond-1/commands", b"x")
        board.receive()
        board.publish("devices/pond-1/ack", b"x")
        backend.receive()
        took.append(time.perf_counter() - start)
    assert sorted(took)[10] < 0.03, "is TCP_NODELAY set? Without it this takes 40 ms or more"


def test_a_taken_port_is_one_clear_line(broker: Broker, tmp_path: Path) -> None:
    second = type(broker)(tmp_path / "second", broker.port, USERS)
    said = f"^port {broker.port} on 127.0.0.1 is taken: .* BROKER_PORT "
    with pytest.raises(BrokerError, match=said):
        second.start()
