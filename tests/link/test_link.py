"""The board on real brokers, over a network that fails: the motor keeps its time."""

import contextlib
import time
from pathlib import Path

from protocol import topics

from tests.link.site import (
    FEEDER,
    GRAMS_PER_SECOND,
    LATE_MS,
    LIGHT,
    USERS,
    Backend,
    lateness,
    make_board,
    site,
)
from tools.brokers import Broker
from tools.emulator import Board

FILL, DRAIN = 17, 18

QUICK = """
from app import connection, link, node
connection.KEEPALIVE_S, link.BACKOFF_MS, node.BEAT_MS = 2, (200,), 1000
"""


def check_lateness(board: Board, grams: float, what: str) -> None:
    """The feeder ran once, and for the right time."""
    assert len(board.pulses(FEEDER)) == 1
    late = lateness(board, FEEDER, grams / GRAMS_PER_SECOND * 1000)
    print(f"motor while {what}: {late:.0f} ms off")
    assert late <= LATE_MS


def test_a_command_is_obeyed_and_answered(real_broker: Broker, tmp_path: Path) -> None:
    with site(tmp_path, real_broker, QUICK) as (board, backend, _):
        feed = backend.command("feed", "feeder1", amount=15)
        beat = backend.wait(topics.HEARTBEAT, {"running": {"feeder1": feed}})
        assert beat["boot"] == backend.heard[0][1]["boot"] and beat["heap"] > 0
        assert backend.result(feed)["result"]["grams"] == 15
        assert backend.acks(feed) == ["accepted", "completed"]
        check_lateness(board, 15, "the link is well")


def test_water_is_measured_out_by_time(real_broker: Broker, tmp_path: Path) -> None:
    with site(tmp_path, real_broker, QUICK) as (board, backend, _):
        assert backend.heard[0][1]["actuators"]["valve1"]["ml_per_second"] == 50
        drain = backend.command("water", "valve1", action="drain", amount=40)
        assert backend.result(drain)["result"]["ml"] == 40
        assert len(board.pulses(DRAIN)) == 1 and board.pulses(FILL) == []
        assert lateness(board, DRAIN, 800) <= LATE_MS


def test_startup_comes_before_online(real_broker: Broker, tmp_path: Path) -> None:
    with site(tmp_path, real_broker) as (_, backend, proxy):
        first, second = backend.heard[:2]
        assert (first[0], second[0]) == (topics.STARTUP, topics.STATUS)
        assert first[1]["cause"] == "power_on" and first[1]["session"] == 1
        since = len(backend.heard)
        proxy.drop()
        offline = backend.wait(topics.STATUS, {"status": "offline"}, since=since)
        assert (offline["boot"], offline["session"]) == (first[1]["boot"], 1)
        assert backend.online(since=since)["session"] == 2


def test_a_broker_that_dies_does_not_disturb_the_motor(
    real_broker: Broker, tmp_path: Path
) -> None:
    with site(tmp_path, real_broker, QUICK) as (board, backend, _):
        feed = backend.command("feed", "feeder1", amount=20)
        board.wait_for("pin", pin=FEEDER, value=1)
        backend.close()
        real_broker.kill()
        board.wait(lambda _: board.level(FEEDER) == 0)
        real_broker.start()
        with contextlib.closing(Backend(real_broker).connect()) as later:
            assert later.result(feed)["result"]["grams"] == 20
            check_lateness(board, 20, "the broker is killed")


def test_a_link_that_is_half_open_is_found_and_made_again(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with site(tmp_path, embedded_broker, QUICK) as (board, backend, proxy):
        feed = backend.command("feed", "feeder1", amount=30)
        board.wait_for("pin", pin=FEEDER, value=1)
        proxy.silence(True)
        silent = time.monotonic()
        said = "answerback: no connection: nothing was heard for 2 s"
        board.wait_for("console", line=said)
        print(f"half-open found after {time.monotonic() - silent:.1f} s, keepalive 2 s")
        board.wait(lambda _: board.level(FEEDER) == 0)
        since = len(backend.heard)
        proxy.silence(False)
        proxy.drop()
        assert backend.online(since=since)["session"] > 1
        assert backend.result(feed)["result"]["grams"] == 30
        check_lateness(board, 30, "the link is half-open")


def test_a_refused_connection_does_not_disturb_the_motor(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with site(tmp_path, embedded_broker, QUICK) as (board, backend, proxy):
        feed = backend.command("feed", "feeder1", amount=10)
        board.wait_for("pin", pin=FEEDER, value=1)
        proxy.refuse(True)
        proxy.drop()
        board.wait(lambda _: board.level(FEEDER) == 0)
        proxy.refuse(False)
        assert backend.result(feed)["result"]["grams"] == 10
        check_lateness(board, 10, "connections are refused")


def test_outputs_are_safe_when_the_link_is_gone_too_long(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with site(tmp_path, embedded_broker, QUICK, hold_s=1) as (board, backend, proxy):
        backend.result(backend.command("switch", "light1", state="on", seconds=600))
        board.wait(lambda _: board.level(LIGHT) == 1)
        proxy.refuse(True)
        proxy.drop()
        board.wait(lambda _: board.level(LIGHT) == 0)
        (pulse,) = board.pulses(LIGHT)
        assert pulse.ms >= 1000
        proxy.refuse(False)
        since = len(backend.heard)
        backend.online(since=since)
        assert board.level(LIGHT) == 0 and len(board.log.of("boot")) == 1


def test_a_wrong_password_is_told_and_tried_again(real_broker: Broker, tmp_path: Path) -> None:
    real_broker.set_users({**USERS, "pond-1": "another's"})
    board = make_board(tmp_path / "board", real_broker.port, QUICK)
    backend = Backend(real_broker).connect()
    with board, contextlib.closing(backend):
        board.start()
        board.wait(lambda it: it["event"] == "console" and "check user and password" in it["line"])
        real_broker.set_users(USERS)
        backend.close()
        with contextlib.closing(Backend(real_broker).connect()) as later:
            later.online()
