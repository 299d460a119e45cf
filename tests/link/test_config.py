"""update_config on a board with the real firmware: tried, kept or taken back, never half."""

import json
from pathlib import Path
from typing import Any

import pytest
from protocol import topics

from tests.link.site import PATIENCE, Backend, Message, site
from tests.link.test_link import QUICK
from tools.brokers import Broker, free_port
from tools.emulator import Board

TRIAL_S = 5


def settings_of(board: Board) -> dict[str, object]:
    """What is on the flash of a board that is off."""
    found: dict[str, object] = json.loads(board.flash.read("settings.json"))
    return found


def answer(backend: Backend, command_id: str, state: str, seconds: float = PATIENCE) -> Message:
    """The ack of that state."""
    return backend.wait(topics.ACK, {"command_id": command_id, "state": state}, seconds)


def test_a_change_is_tried_and_kept(embedded_broker: Broker, tmp_path: Path) -> None:
    with site(tmp_path, embedded_broker, QUICK) as (board, backend, _):
        port: dict[str, Any] = {"broker-port": embedded_broker.port, "wifi-1-ssid": "b"}
        update = backend.command("update_config", hold_s=77, **port)
        told = backend.result(update)["result"]
        assert told["hold_s"] == 77 and told["broker-port"] == embedded_broker.port
        assert told["wifi-1-ssid"] == "b"
        assert not [name for name in told if "password" in name or name == "key"]
        assert backend.result(backend.command("get_config"))["result"] == told
        broker = backend.result(backend.command("get_config", section="broker"))["result"]
        assert set(broker) == {"broker-host", "broker-port", "broker-user"}
        board.power_cut()
        assert settings_of(board)["hold_s"] == 77
        since = len(backend.heard)
        board.start()
        backend.online(since=since)


BAD: dict[str, tuple[Any, str]] = {
    "broker-port": (0, "/settings.json: broker.port must be from 1 to 65535"),
    "hold_s": ("a", "/settings.json: hold_s must be a whole number"),
    "holds": (5, "/settings.json: holds is not one of"),
    "broker-ca": ("x" * 65, "/settings.json: broker.ca must be at most 64 characters"),
    "broker-tls": (True, "/settings.json: broker.ca is missing"),
    "wifi-5-ssid": ("a", "parameters.wifi-5-ssid"),
    "board_id": ("b", "parameters.board_id"),
    "key": ("00", "parameters.key"),
}


def test_a_wrong_one_is_refused_whole(embedded_broker: Broker, tmp_path: Path) -> None:
    with site(tmp_path, embedded_broker, QUICK) as (board, backend, _):
        before = backend.result(backend.command("get_config"))["result"]
        for name, (value, said) in BAD.items():
            fields: dict[str, Any] = {"hold_s": 5, name: value}
            update = backend.command("update_config", **fields)
            refused = answer(backend, update, "rejected")
            assert refused["error"] == "bad_parameter" and said in refused["message"], refused
        answer(backend, backend.command("update_config"), "rejected")
        assert backend.result(backend.command("get_config"))["result"] == before
        assert len([1 for leaf, _ in backend.heard if leaf == topics.STARTUP]) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"broker-port": 1}, {"broker-password": "wrong"}, {"wifi-0-ssid": "away"}],
    ids=["port", "password", "wifi"],
)
def test_one_that_loses_the_link_is_taken_back(
    embedded_broker: Broker, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    turned = QUICK + "\nfrom app import wifi\nwifi._TRY_MS, wifi._PAUSE_MS = 500, (20,)\n"
    with site(tmp_path, embedded_broker, turned) as (board, backend, _):
        board.set_wifi(["emulated"])
        update = backend.command("update_config", trial_s=TRIAL_S, hold_s=77, **wrong)
        answer(backend, update, "accepted")
        busy = backend.command("update_config", hold_s=78)
        assert answer(backend, update, "failed")["error"] == "reverted"
        assert "hold_s" in backend.result(backend.command("get_config"))["result"]
        assert backend.result(backend.command("get_config"))["result"]["hold_s"] == 30
        assert backend.acks(busy) in ([], ["rejected"])
        board.power_cut()
        assert settings_of(board)["hold_s"] == 30 and len(board.log.of("boot")) == 1


def test_a_fallback_does_not_hide_a_wrong_address(embedded_broker: Broker, tmp_path: Path) -> None:
    with site(tmp_path, embedded_broker, QUICK) as (board, backend, proxy):
        addresses: dict[str, Any] = {
            "broker-port": free_port(),
            "broker-fallback-host": "127.0.0.1",
            "broker-fallback-port": proxy.port,
        }
        update = backend.command("update_config", trial_s=TRIAL_S, **addresses)
        assert answer(backend, update, "failed")["error"] == "reverted"


def test_a_restart_during_the_trial_takes_it_back(embedded_broker: Broker, tmp_path: Path) -> None:
    with site(tmp_path, embedded_broker, QUICK) as (board, backend, _):
        away: dict[str, Any] = {"broker-port": free_port()}
        update = backend.command("update_config", hold_s=77, **away)
        answer(backend, update, "accepted")
        backend.wait(topics.STATUS, {"status": "online"})
        board.wait(lambda it: "no connection" in it.get("line", ""))
        board.power_cut()
        assert settings_of(board)["hold_s"] == 30
        since = len(backend.heard)
        board.start()
        backend.online(since=since)
        backend.command("query", "", update)
        assert answer(backend, update, "unknown")["error"] == "interrupted"


def test_a_power_cut_leaves_the_old_one_or_the_new_one_whole(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    """At each flash write of a change; the last one finds none left."""
    found: list[tuple[bool, bool]] = []
    with site(tmp_path, embedded_broker, QUICK) as (board, backend, _):
        while not found or found[-1][0]:
            was, hold_s = 30 + len(found), 31 + len(found)
            cuts = len(board.log.of("cut"))
            board.cut_at_write(len(found) + 1)
            update = backend.command("update_config", hold_s=hold_s)
            boot = backend.heard[-1][1]["boot"]
            wait_for_end(backend, update, boot)
            cut = len(board.log.of("cut")) > cuts
            board.power_cut()
            now = settings_of(board)["hold_s"]
            assert now in (was, hold_s)
            found.append((cut, now == hold_s))
            board.flash.write({"settings.json": changed(board, hold_s=hold_s)})
            heard = len(backend.heard)
            board.start()
            backend.online(since=heard)
    print("power cut at write n: (cut, the new one on flash):", found)
    assert len(found) > 4 and found[0] == (True, False) and found[-1] == (False, True)


def wait_for_end(backend: Backend, command_id: str, boot: str) -> None:
    """Until that command is completed, or that boot has ended."""

    def ended(it: Message) -> bool:
        completed = it.get("command_id") == command_id and it["state"] == "completed"
        return completed or it.get("status") == "offline" and it["boot"] == boot

    backend.until(lambda: next((it for _, it in backend.heard if ended(it)), None))


def changed(board: Board, **members: object) -> str:
    """Its settings with other members."""
    return json.dumps({**settings_of(board), **members})
