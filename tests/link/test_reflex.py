"""Limits given to the board from afar, and what it does of them by itself, over real brokers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from protocol import topics

from tests.link.site import LIGHT, Backend, Message, site
from tests.link.test_link import QUICK
from tests.link.test_sensors import OXYGEN, PROBE, files
from tools.brokers import Broker
from tools.emulator import Board

ON = {"command_type": "switch", "target": "light1", "parameters": {"state": "on"}}
OFF = {**ON, "parameters": {"state": "off"}}


def limit(name: str, **values: Any) -> dict[str, Any]:
    """The parameters of an update_config that gives the board this limit."""
    whole = {"sensor": "oxygen1", "below": 4, "hysteresis": 1, **values}
    return {f"limits-{name}-{member}": value for member, value in whole.items()}


def acting(name: str, **values: Any) -> dict[str, Any]:
    return limit(name, do=json.dumps(ON), undo=json.dumps(OFF), **values)


@pytest.fixture
def pond(embedded_broker: Broker, tmp_path: Path) -> Iterator[tuple[Board, Backend, Any]]:
    with site(tmp_path, embedded_broker, QUICK, files(oxygen1=PROBE), "160K") as (
        board,
        backend,
        proxy,
    ):
        board.set_adc(OXYGEN, 6000)
        yield board, backend, proxy


def did(backend: Backend, way: str, since: int = 0) -> Message:
    """The board's own word of what it did."""

    def found() -> Message | None:
        for leaf, message in backend.heard[since:]:
            if leaf == topics.ACK and message["command_id"].startswith(f"a7_1-{way}-"):
                return message
        return None

    return backend.until(found)


def test_a_board_acts_by_itself_while_nobody_is_there(pond: tuple[Board, Backend, Any]) -> None:
    board, backend, proxy = pond
    asked = backend.command("update_config", **acting("a7_1"))
    assert backend.result(asked)["result"]["broker-host"], "the settings, as ever"
    cleared = backend.wait(topics.THRESHOLD, {"limit": "a7_1", "state": "cleared"})
    assert cleared["value"] == 6
    assert board.pulses(LIGHT) == [], "what was never done is not undone"
    proxy.refuse(True)
    proxy.drop()
    board.set_adc(OXYGEN, 3000)
    board.wait_for("pin", pin=LIGHT, value=1)
    board.power_cut()
    board.start()
    proxy.refuse(False)
    since = len(backend.heard)
    board.wait_for("pin", pin=LIGHT, value=1, since=board.log.of("boot")[-1]["number"])
    backend.wait(topics.THRESHOLD, {"limit": "a7_1", "state": "crossed"}, since=since)
    assert did(backend, "do", since)["state"] == "completed"
    board.set_adc(OXYGEN, 5500)
    assert did(backend, "undo")["state"] == "completed"
    board.wait_for("pin", pin=LIGHT, value=0, since=board.log.of("boot")[-1]["number"])
    assert len(board.pulses(LIGHT)) == 2


def test_the_action_is_done_again_while_it_lasts(pond: tuple[Board, Backend, Any]) -> None:
    board, backend, _ = pond
    short = {**ON, "parameters": {"state": "on", "seconds": 1}}
    asked = limit("a7_1", do=json.dumps(short), every_s=3)
    board.set_adc(OXYGEN, 3000)
    backend.result(backend.command("update_config", **asked))
    first = board.wait_for("pin", pin=LIGHT, value=1)
    second = board.wait_for("pin", pin=LIGHT, value=1, since=first["number"] + 1)
    assert second["ms"] - first["ms"] >= 2500
    off: dict[str, Any] = {"limits-a7_1": ""}
    assert backend.result(backend.command("update_config", **off))


def test_what_is_wrong_changes_nothing(pond: tuple[Board, Backend, Any]) -> None:
    board, backend, _ = pond
    backend.result(backend.command("update_config", **limit("a7_1")))
    before = board.flash.read("limits.json")
    wrong = (
        limit("a8_1", sensor="nothing"),
        limit("a8_1", below="4"),
        limit("a8_1", for_s=-1),
        limit("a8_1", every_s="x"),
        limit("a8_1", do="{"),
        limit("a8_1", do=json.dumps({"command_type": "restart", "target": "", "parameters": {}})),
        limit("a8_1", do=json.dumps({**ON, "target": "feeder1"})),
        limit("a8_1", do=json.dumps({"command_type": "switch"})),
        {**limit("a8_1"), "hold_s": 30},
        {"limits-": 1},
    )
    for parameters in wrong:
        asked = backend.command("update_config", **parameters)
        refused = backend.wait(topics.ACK, {"command_id": asked})
        assert (refused["state"], refused["error"]) == ("rejected", "bad_parameter"), parameters
    assert board.flash.read("limits.json") == before


def test_what_is_not_right_any_more_keeps_nothing_else_away(
    pond: tuple[Board, Backend, Any],
) -> None:
    board, backend, _ = pond
    backend.result(backend.command("update_config", **limit("a7_1")))
    board.power_cut()
    gone = json.dumps({"a7_1": {"sensor": "gone", "below": 1}, "a9_1": 3})
    board.flash.write({"limits.json": gone})
    since = len(backend.heard)
    board.start()
    backend.online(since=since)
    backend.result(backend.command("update_config", **limit("a8_1")))
    backend.wait(topics.THRESHOLD, {"limit": "a8_1"}, since=since)
