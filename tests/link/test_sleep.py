"""Boards that sleep: when they go, when they come, and who knows of it."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from protocol import topics

from tests.link.site import FEEDER, PATIENCE, Backend, make_board
from tools.brokers import Broker
from tools.emulator import DEEPSLEEP, POWER, Board

EVERY_S = 8
AT_ONCE = "from app import link\nlink.BACKOFF_MS = (20,)\n"


@contextlib.contextmanager
def sleeper(
    folder: Path, broker: Broker, scale: float = 1.0, seconds: float = PATIENCE, **made: Any
) -> Iterator[tuple[Board, Backend]]:
    """A board that is online, and whose sleep takes `scale` of the time it asks for."""
    backend = Backend(broker).connect()
    board = make_board(folder / "board", broker.port, AT_ONCE, sleep_scale=scale, **made)
    with board, contextlib.closing(backend):
        board.start()
        backend.online(seconds)
        yield board, backend


def causes(board: Board) -> list[int]:
    """Why each boot began."""
    return [event["cause"] for event in board.log.of("boot")]


def test_it_sleeps_until_it_is_wanted_and_says_so(embedded_broker: Broker, tmp_path: Path) -> None:
    with sleeper(tmp_path, embedded_broker) as (board, backend):
        asked = time.time()
        wake = backend.command("set_wake_schedule", seconds=EVERY_S, quiet_s=1)
        told = backend.result(wake)["result"]
        assert abs(told["wake_at"] - (asked + EVERY_S)) <= 2 and told["wakes"] == 0
        asleep = backend.wait(topics.STATUS, {"status": "asleep"})
        assert asleep["until"] - told["wake_at"] in (
            0,
            EVERY_S,
        )  # one that is too near is left out
        since = len(backend.heard)
        board.wait_for("deepsleep")
        assert board.pid is None
        backend.online(since=since)
        assert abs(time.time() - asleep["until"]) < 4
        assert causes(board) == [POWER, DEEPSLEEP]
        assert not [1 for _, it in backend.heard if it.get("status") == "offline"]
        again = backend.result(backend.command("set_wake_schedule", seconds=0))
        assert again["result"] == {}
        backend.result(backend.command("ping"))


def test_it_stays_for_commands_and_while_something_moves(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with sleeper(tmp_path, embedded_broker) as (board, backend):
        feed = backend.command("feed", "feeder1", amount=30)
        backend.result(backend.command("set_wake_schedule", seconds=3600, quiet_s=1, awake_s=5))
        backend.result(backend.command("sleep"))
        assert backend.result(feed)["result"]["grams"] == 30
        board.wait_for("deepsleep")
        assert len(board.pulses(FEEDER)) == 1 and board.pulses(FEEDER)[0].ms > 2900
        sleeping = board.wait_for("deepsleep")
        assert 3580_000 < sleeping["for_ms"] <= 3600_000


def test_told_that_there_is_nothing_more_it_goes_at_once(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with sleeper(tmp_path, embedded_broker) as (board, backend):
        refused = backend.command("sleep")
        backend.wait(topics.ACK, {"command_id": refused, "state": "rejected"})
        backend.result(backend.command("set_wake_schedule", seconds=3600, quiet_s=600))
        told = time.monotonic()
        backend.result(backend.command("sleep"))
        board.wait_for("deepsleep")
        assert time.monotonic() - told < 30


def test_without_a_broker_it_sleeps_all_the_same(embedded_broker: Broker, tmp_path: Path) -> None:
    with sleeper(tmp_path, embedded_broker, 0.02) as (board, backend):
        backend.result(backend.command("set_wake_schedule", seconds=20, quiet_s=1, awake_s=5))
        board.wait_for("deepsleep")
        backend.close()
        embedded_broker.stop()
        since = len(board.log)
        sleeping = board.wait_for("deepsleep", since=since)
        assert sleeping["for_ms"] == 20_000
        assert causes(board) == [POWER] + [DEEPSLEEP] * (len(causes(board)) - 1)


def test_a_wake_that_comes_too_early_is_slept_on_and_counted_once(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    """The clock that wakes it is fast: 20 s are over after 11."""
    with sleeper(tmp_path, embedded_broker, 0.55) as (board, backend):
        first = backend.result(backend.command("set_wake_schedule", seconds=18, quiet_s=1))
        board.wait_for("deepsleep")
        backend.wait(topics.STATUS, {"status": "asleep"})
        since = len(backend.heard)
        backend.wait(topics.STATUS, {"status": "asleep"}, since=since)
        since = len(backend.heard)
        backend.online(since=since)
        assert 5000 < board.log.of("deepsleep")[1]["for_ms"] < 12000
        told = backend.result(backend.command("set_wake_schedule", seconds=60))["result"]
        assert told["wakes"] == 1 and told["wake_at"] >= first["result"]["wake_at"] + 50


def test_a_power_cut_ends_the_schedule(embedded_broker: Broker, tmp_path: Path) -> None:
    with sleeper(tmp_path, embedded_broker) as (board, backend):
        backend.result(backend.command("set_wake_schedule", seconds=3600, quiet_s=1))
        board.wait_for("deepsleep")
        board.power_cut()
        since = len(backend.heard)
        board.start()
        backend.online(since=since)
        refused = backend.command("sleep")
        backend.wait(topics.ACK, {"command_id": refused, "state": "rejected"})
