"""Pictures of which every tenth piece is lost: what arrives is the picture, whole, or nothing.

python -m tools.chaos_pictures            as `python -m backend`, which loses them
"""

import hashlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol.image_reading import Chunk, Header

from backend.__main__ import main
from backend.broker import EmbeddedBroker
from backend.images import Receiver
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site, has_ended
from tools.chaos_truth import feeder

BOARD = "pond-1"
SHARE = 0.1
CAMERA = {"model": "built_in", "frame_size": "VGA", "quality": 80}

_TRIES = 40  # one piece in ten is lost each time


def lose(seed: int = 0) -> None:
    """From now on this process does not hear a share of the pieces."""
    choice, take = random.Random(seed), Receiver.take

    def lossy(receiver: Receiver, board_id: str, said: Header | Chunk) -> bytes | None:
        return None if choice.random() < SHARE else take(receiver, board_id, said)

    setattr(Receiver, "take", lossy)  # noqa: B010 (a method may not be assigned to)


def _ended(site: Site, key: str, verb: str, **parameters: Any) -> Any:
    """A command that is given, and its end."""
    command, _ = site.api.post(key, BOARD, verb, parameters=parameters, expires_in=5)
    until(lambda: has_ended(site.api.command(command["id"])))
    return site.api.command(command["id"])


def _sent(site: Site, folder: Path, number: int, report: Report) -> None:
    """One picture, sent again until it is there."""
    taken = _ended(site, f"take-{number}", "capture_image")["result"]
    path = folder / "images" / BOARD / f"{taken['image_id']}.jpg"
    tries = 1
    while not path.exists() and tries < _TRIES:
        key = f"send-{number}-{tries}"
        again = _ended(site, key, "send_image", image_id=taken["image_id"])
        if again["error"] != "busy":
            tries += 1
    report.count("times sent", tries)
    if not path.exists():
        report.blame([f"{path.name} has not come in {tries} tries"])
    elif hashlib.sha256(path.read_bytes()).hexdigest() != taken["sha256"]:
        report.blame([f"{path.name} is not the picture that was taken"])
    else:
        report.count("pictures whole")


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """`count` pictures; `tick` is called after each."""
    report = Report(f"pictures, {SHARE:.0%} of the pieces lost")
    made: Any = {"heap": "320K", "backend": ("tools.chaos_pictures",)}
    files = {"camera.json": json.dumps(CAMERA)}
    actuators = {BOARD: {"feeder1": feeder(16)}}
    with Site(folder, actuators, make_broker, seed, files=files, **made) as site:
        for number in range(count):
            _sent(site, folder, number, report)
            tick()
    return report


if __name__ == "__main__":
    lose()
    sys.exit(main([]))
