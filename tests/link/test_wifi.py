"""Networks and brokers that are away: a board tries all it knows, for ever, and never restarts."""

import contextlib
import json
from pathlib import Path

from tests.link.site import Backend, make_board, settings_with, site
from tools.brokers import Broker, free_port
from tools.emulator import Board

QUICK_WIFI = "from app import wifi\nwifi._TRY_MS, wifi._LOOK_MS, wifi._PAUSE_MS = 100, 20, (20,)\n"
AT_ONCE = "from app import link\nlink.BACKOFF_MS = (20,)\n"
NETWORKS = [{"ssid": "house"}, {"ssid": "garden", "password": "g"}]


def tried(board: Board) -> list[str]:
    """The networks it tried, in order."""
    return [event["ssid"] for event in board.log.of("wifi")]


def test_the_network_that_is_there_is_found_among_several(
    tmp_path: Path, embedded_broker: Broker
) -> None:
    with make_board(tmp_path, embedded_broker.port, QUICK_WIFI) as board:
        settings_with(board, wifi=[*NETWORKS, {"ssid": "barn"}])
        board.set_wifi(["barn"])
        with contextlib.closing(Backend(embedded_broker).connect()) as backend:
            board.start()
            backend.online()
            assert tried(board) == ["house", "garden", "barn"]
            board.set_wifi(["garden"])
            board.wait(lambda _: tried(board)[3:].count("garden") == 1)
            assert len(board.log.of("boot")) == 1


def test_an_interface_that_hangs_is_switched_off_and_on(
    tmp_path: Path, embedded_broker: Broker
) -> None:
    with make_board(tmp_path, embedded_broker.port, QUICK_WIFI) as board:
        settings_with(board, wifi=NETWORKS)
        board.set_wifi(True, hangs=True)
        with contextlib.closing(Backend(embedded_broker).connect()) as backend:
            board.start()
            backend.online()
            assert len(tried(board)) == 5 and len(board.log.of("boot")) == 1
            assert len(board.log.of("radio")) == 1


def test_networks_that_stay_away_never_restart_the_board(tmp_path: Path) -> None:
    with make_board(tmp_path, 1, QUICK_WIFI) as board:
        settings_with(board, wifi=NETWORKS)
        board.set_wifi(False)
        board.start()
        board.wait(lambda _: len(tried(board)) == 12)
        assert tried(board)[:4] == ["house", "garden", "house", "garden"]
        assert len(board.log.of("boot")) == 1


def fallback(board: Board, port: int, other: int) -> None:
    """The broker of its settings at `port`, and a second address to fall back to."""
    broker = json.loads(board.flash.read("settings.json"))["broker"]
    settings_with(
        board, broker={**broker, "port": port, "fallback": {"host": "127.0.0.1", "port": other}}
    )


def test_the_other_broker_is_tried_where_the_first_is_away(
    tmp_path: Path, embedded_broker: Broker
) -> None:
    nobody = free_port()
    with make_board(tmp_path / "board", nobody, AT_ONCE) as board:
        fallback(board, nobody, embedded_broker.port)
        with contextlib.closing(Backend(embedded_broker).connect()) as backend:
            board.start()
            backend.online()
            board.wait_for("console", line=f"answerback: trying 127.0.0.1 {embedded_broker.port}")
            backend.result(backend.command("ping"))
            assert len(board.log.of("boot")) == 1


def test_a_fallback_that_goes_away_leads_back_to_the_first(
    tmp_path: Path, embedded_broker: Broker
) -> None:
    with site(tmp_path, embedded_broker, AT_ONCE) as (board, backend, proxy):
        board.power_cut()
        nobody = free_port()
        fallback(board, proxy.port, nobody)
        proxy.refuse(True)
        board.start()
        board.wait_for("console", line=f"answerback: trying 127.0.0.1 {nobody}")
        since = len(backend.heard)
        proxy.refuse(False)
        assert backend.online(since=since)
        assert [event["cause"] for event in board.log.of("boot")] == [1, 1]
