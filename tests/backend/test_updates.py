"""An update whose end the power cut hid is settled by what the board then says of itself."""

from typing import Any

import pytest

from backend.delivery import commands
from tests.backend.conftest import Desk

WANTED = {"version": "0.2.0", "url": "http://x/release.json", "sha256": "0a" * 32}


@pytest.fixture
def row(desk: Desk) -> Any:
    """An update the board has accepted; the power fails before its result is on flash."""
    desk.startup()
    row = desk.post("update_firmware", "", parameters=WANTED)
    desk.ack(row, "accepted", within=900)
    return row


def test_the_release_on_trial_settles_it(desk: Desk, row: Any) -> None:
    desk.startup("b2", firmware="0.2.0", slot="b", slot_state="trial")
    assert desk.stands(row) == "UNKNOWN" and ("query", row["id"]) in desk.sent()
    desk.ack(row, "unknown", "interrupted", "b2")
    shown = commands.get(row["id"])
    assert shown["status"] == "COMPLETED" and shown["error"] is None
    assert shown["result"] == {"version": "0.2.0", "slot": "b"}
    assert shown["history"][-1]["event"] == "found"


def test_a_backend_that_forgot_is_told_at_the_next_startup(desk: Desk, row: Any) -> None:
    desk.startup("b2", firmware="0.2.0", slot="b", slot_state="trial")
    desk.restart()
    desk.ack(row, "unknown", "interrupted", "b2")
    assert desk.stands(row) == "UNKNOWN"
    desk.startup("b2", 2, firmware="0.2.0", slot="b", slot_state="trial")
    assert desk.stands(row) == "COMPLETED"


@pytest.mark.parametrize(
    ("firmware", "slot_state"),
    [("0.1.0", "confirmed"), ("0.2.0", "confirmed"), ("0.3.0", "trial"),
     ("0.1.0", "rolled_back: watchdog")],
)  # fmt: skip
def test_anything_else_leaves_it_open(
    desk: Desk, row: Any, firmware: str, slot_state: str
) -> None:
    desk.startup("b2", firmware=firmware, slot_state=slot_state)
    desk.ack(row, "unknown", "interrupted", "b2")
    assert desk.stands(row) == "UNKNOWN"


def test_a_state_of_an_earlier_boot_says_nothing(desk: Desk, row: Any) -> None:
    desk.startup("b2", firmware="0.2.0", slot="b", slot_state="trial")
    desk.heartbeat("b3")  # its startup was lost
    desk.ack(row, "unknown", "interrupted", "b3")
    assert desk.stands(row) == "UNKNOWN"
