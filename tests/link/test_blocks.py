"""The longest the board's loop stands still, over all that a board does.

Measured in the emulated board's own CPU time, step by step of asyncio (boards/UNIX/modules/
_blocks.py), so that whatever else the machine runs does not count. This machine is far quicker
than an ESP32, and its flash writes, too: so what the longest step consists of says as much as how
long it is.
"""

import binascii
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.link.pictures import SMALL, Viewer
from tests.link.updating import Pond, made, pond, signed
from tools.brokers import Broker
from tools.emulator import Event

LIMIT_MS = 50
NOTED_MS = 2
FLASH = ("flash open", "flash read", "flash write", "flash other")
JOURNAL_FILES = 8
# All in one file of the journal, which has to be written anew for them.
IDS = [f"ping-{n}" for n in range(400) if binascii.crc32(b"ping-%d" % n) % JOURNAL_FILES == 0][:40]

_ANALOG = {"kind": "analog", "pin": 34, "unit": "mg/l", "points": [[0, 0], [65535, 20]]}
FILES = {
    "camera.json": json.dumps(SMALL),
    "sensors.json": json.dumps({"every_s": 1, "keep": 64, "sensors": {"oxygen1": _ANALOG}}),
}


def besides_flash(block: Event) -> int:
    """How many ms of it were no flash operation."""
    return int(block["took"] - sum(block["spent"].get(name, [0, 0])[1] for name in FLASH))


def described(block: Event) -> str:
    """One block, for people: its task, and what it did, longest first."""
    spent = sorted(block["spent"].items(), key=lambda one: -one[1][1])
    parts = ", ".join(f"{times} x {name} {ms} ms" for name, (times, ms) in spent)
    task = block["task"].split("'")[1]
    return f"{block['took']} ms in {task} (of it {parts or 'all Python'})"


def live(site: Pond) -> None:
    """All that a board does: commands, a full file of the journal, a picture, an update."""
    backend = site.backend
    backend.result(backend.command("feed", "feeder1", amount=1))
    for command_id in IDS:
        backend.result(backend.command("ping", "", command_id))
    backend.command("switch", "light1", state="on", seconds=1)
    backend.result(backend.command("capture_image"))
    backend.wait("data/sensors", {}, 10)
    assert site.update(60)["state"] == "completed"
    site.runs("b", "confirmed", 30)


def test_nothing_holds_up_the_loop(
    embedded_broker: Broker, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    files = signed(made())
    made_so: Any = {"voice": Viewer, "heap": "320K", "more": FILES, "blocks_ms": NOTED_MS}
    with pond(tmp_path, embedded_broker, files, **made_so) as site:
        live(site)
        blocks = site.board.log.of("block")
    assert {"flash write", "import"} <= {name for block in blocks for name in block["spent"]}
    longest = max(blocks, key=lambda block: block["took"])
    worst = max(blocks, key=besides_flash)
    record_property("the loop's longest block", described(longest))
    record_property("the longest besides flash", f"{besides_flash(worst)} of {described(worst)}")
    assert besides_flash(worst) <= LIMIT_MS, described(worst)
