"""Conditions with the real firmware, its real sensors and outputs, on an emulated board."""

import time
from pathlib import Path
from typing import Any

from protocol import topics

from tests.link.site import FEEDER, LIGHT, Backend, Message, site
from tests.link.test_sensors import HEAP, OXYGEN, PROBE, WATER, files, next_reading
from tools.brokers import Broker

LOW = {"sensor": "oxygen1", "below": 4.5, "max_age_s": 30}
DARK = {"output": "light1", "is": "off"}


def fed(backend: Backend, *only_if: dict[str, Any]) -> tuple[str | None, Any]:
    """(error, result) of a feed that depends on something."""
    command_id = backend.command("feed", "feeder1", "", only_if, amount=1)

    def ended() -> Message | None:
        acks = [message for leaf, message in backend.heard if leaf == topics.ACK]
        mine = [one for one in acks if one["command_id"] == command_id]
        return next((one for one in mine if one["state"] != "accepted"), None)

    said = backend.until(ended)
    return said["error"], said["result"]


def test_what_the_board_reads_and_does_decides(embedded_broker: Broker, tmp_path: Path) -> None:
    broken = {"kind": "ds18b20", "pin": WATER, "every_s": 1}  # nothing hangs on its pin
    wired = files(oxygen1=PROBE, water1=broken)
    with site(tmp_path, embedded_broker, files=wired, heap=HEAP) as (board, backend, _):
        board.set_adc(OXYGEN, 4000)
        next_reading(backend, "oxygen1", value=4)
        assert fed(backend, LOW, DARK)[0] is None
        board.set_adc(OXYGEN, 6000)
        next_reading(backend, "oxygen1", int(time.time()), value=6)
        unmet = "condition", {"condition": 1, "found": 6}
        assert fed(backend, DARK, LOW) == unmet
        assert fed(backend, {**LOW, "sensor": "water1"})[1]["found"] == "unknown"
        backend.result(backend.command("switch", "light1", state="on", seconds=60))
        assert fed(backend, DARK) == ("condition", {"condition": 0, "found": "on"})
        assert len(board.pulses(FEEDER)) == 1 and board.level(LIGHT) == 1
