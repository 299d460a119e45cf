"""The embedded broker as a process of ours: its life, its files, its users."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backend.brokers.broker import BACKEND_USER, BrokerError, EmbeddedBroker
from tests.backend.running import eventually
from tests.support.mqtt import Client
from tests.support.processes import Ended
from tools.brokers import free_port

USERS = {BACKEND_USER: "backend's", "pond-1": "one's"}


def test_users_of_a_broker_that_has_died_wait_for_its_start(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, free_port(), USERS)
    assert not broker.ended
    broker.start()
    assert not broker.ended and broker.pid is not None
    os.kill(broker.pid, signal.SIGKILL)
    eventually(lambda: broker.ended)
    assert broker.pid is None
    broker.set_users({**USERS, "pond-3": "three's"})
    broker.start()
    new = Client(broker, "pond-3", "three's")
    assert not new.connect()[0].is_failure
    new.close()
    broker.stop()
    assert not broker.ended


def test_a_broker_that_did_not_come_up_can_be_tried_again(tmp_path: Path) -> None:
    in_the_way = tmp_path / "jetstream"
    in_the_way.touch()
    broker = EmbeddedBroker(tmp_path, free_port(), USERS)
    with pytest.raises(BrokerError, match="did not start: .*storage directory"):
        broker.start()
    assert broker.ended
    in_the_way.unlink()
    broker.start()
    assert not broker.ended
    broker.stop()


def test_users_are_nothing_but_ids(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, free_port(), {'a", "b': "x"})
    with pytest.raises(BrokerError, match="can't be a user"):
        broker.start()


def test_only_its_owner_reads_the_passwords(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, free_port(), USERS)
    broker.start()
    broker.stop()
    assert stat.S_IMODE((tmp_path / "nats.conf").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_the_embedded_broker_dies_with_its_parent(tmp_path: Path) -> None:
    port = free_port()
    program = (
        "import time; from pathlib import Path\n"
        "from backend.brokers.broker import EmbeddedBroker\n"
        f"broker = EmbeddedBroker(Path({str(tmp_path)!r}), {port}, {{}}); broker.start()\n"
        "print(broker.pid, flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        ended = Ended(int(parent.stdout.readline()))
        parent.kill()
    assert ended.within(10), "the broker outlives its parent"


def test_a_right_to_what_the_broker_can_not_carry_is_no_right_and_ends_nothing(
    tmp_path: Path,
) -> None:
    rights = {"pond-1": ["hall 1/light", "hall1/*", "hall1/light", "hall1//lamp"]}
    broker = EmbeddedBroker(tmp_path, free_port(), USERS, rights)
    broker.start()
    board = Client(broker, "pond-1", "one's")
    board.connect()
    board.subscribe("hall1/light")
    assert all(reason.is_failure for reason in board.ask_for("hall1/steam"))
    board.close()
    broker.stop()
