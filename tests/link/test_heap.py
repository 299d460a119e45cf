"""How little memory the whole firmware needs on an emulated board, its journal full.

The Unix port's words are twice as long as an ESP32's. What is allowed is for all there is: the
emulated hardware, which is C on a chip (test_heap_kinds measures it), and umqtt, which stock
images have frozen in and which takes 4 KB.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol import topics
from protocol.catalogue import VERBS
from protocol.limits import MESSAGE_BYTES

from tests.link.site import Backend, make_board
from tools.brokers import Broker

ALLOWED = 120  # KiB
PATIENCE = 10.0  # seconds for each answer: a board that is short of memory is late

RELEASE: dict[str, object] = {
    "version": "0.2.0",
    "url": "https://127.0.0.1/release.json",
    "sha256": "0a" * 32,
}

# (verb, target, parameters, what the board says last or, of what runs on, first).
SAID: tuple[tuple[str, str, dict[str, object], str], ...] = (
    ("feed", "feeder1", {"amount": 1}, "completed"),
    ("water", "valve1", {"action": "fill", "seconds": 60}, "accepted"),
    ("switch", "light1", {"state": "on", "seconds": 60}, "completed"),
    ("motor", "motor1", {"action": "stop"}, "rejected"),  # it has none
    ("ping", "", {}, "completed"),
    ("stop", "", {}, "completed"),
    ("emergency_stop", "", {}, "completed"),
    ("clear_stop", "", {}, "completed"),
    ("get_log", "", {}, "completed"),
    ("read_sensors", "", {}, "completed"),
    ("capture_image", "", {}, "rejected"),  # it has no camera
    ("send_image", "", {}, "rejected"),
    ("list_images", "", {}, "rejected"),
    ("delete_image", "", {"image_id": "a"}, "rejected"),
    ("get_config", "", {}, "completed"),
    ("update_config", "", {"hold_s": 31}, "completed"),
    ("set_wake_schedule", "", {"seconds": 0}, "completed"),
    ("sleep", "", {}, "rejected"),  # no wake is scheduled
    ("update_firmware", "", RELEASE, "rejected"),  # tests/link/test_update.py has the others
)

# As many conditions as a command can have.
ONLY_IF: list[dict[str, Any]] = [
    *({"output": name, "is": "off"} for name in ("valve1", "light1", "feeder1")),
    {"sensor": "oxygen1", "below": 4.5, "max_age_s": 60},
]

# What fills the journal with those: a quarter of it is kept for stops.
PINGS = 45 - len(SAID)
STOPS = 15


def say_everything(backend: Backend, seconds: float) -> None:
    """Each verb, what is no message, a full journal, what is no packet, and each question."""
    for verb, target, given, state in SAID:
        command_id = backend.command(verb, target, f"{verb}-1", (), **given)
        backend.wait(topics.ACK, {"command_id": command_id, "state": state}, seconds)
    backend.command("feed", "feeder1", "if-1", ONLY_IF, amount=1)
    backend.wait(topics.ACK, {"command_id": "if-1", "error": "condition"}, seconds)
    since = len(backend.heard)
    backend.command("restart", "", "restart-1")
    backend.online(2 * seconds, since)
    backend.say(b"\xff" * 2048)
    still_answers(backend, seconds)
    for number in range(PINGS + STOPS):
        command_id = f"c0ffee00-0000-4000-8000-{number:012d}"
        backend.result(
            backend.command("ping" if number < PINGS else "stop", "", command_id), seconds
        )
    since = len(backend.heard)
    backend.say(b"{" * 2 * MESSAGE_BYTES)  # ends the connection
    backend.online(seconds, since)
    for question in ("query", "cancel"):
        since = len(backend.heard)
        backend.command(question, "", "restart-1")
        backend.wait(topics.ACK, {"command_id": "restart-1", "state": "completed"}, seconds, since)


def still_answers(backend: Backend, seconds: float) -> None:
    """Where memory is short, garbage ends the connection: then it is asked again, as always."""
    with contextlib.suppress(TimeoutError):
        backend.result(backend.command("ping", "", "still-1"), seconds / 2)
        return
    backend.result(backend.command("ping", "", "still-1"), seconds)


def works(folder: Path, broker: Broker, kib: int, seconds: float) -> bool:
    """Whether a board does all that in such a heap, without starting over but when told to."""
    board, backend = make_board(folder, broker.port, heap=f"{kib}K"), Backend(broker).connect()
    with board, contextlib.closing(backend):
        board.start()
        try:
            backend.online(seconds)
            say_everything(backend, seconds)
        except TimeoutError:
            return False
        return len(board.log.of("boot")) == 2


def test_it_fits_into_a_small_heap(
    tmp_path: Path, embedded_broker: Broker, record_property: Callable[[str, object], None]
) -> None:
    assert {verb for verb, *_ in SAID} | {"restart", "query", "cancel", "time"} == set(VERBS)
    assert works(tmp_path / "site", embedded_broker, ALLOWED, PATIENCE)
    record_property("heap, verbs", f"fits in {ALLOWED}K")
