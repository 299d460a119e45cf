"""Passwords in commands: they reach the board, nobody else, and are gone once they did."""

import json
from typing import Any

import pytest

from backend.delivery import commands
from backend.errors import Conflict
from tests.backend.conftest import Desk

SECRET = "correct horse battery"
CHANGE = {"wifi-0-ssid": "pond", "wifi-0-password": SECRET, "wifi-0-pasword": SECRET, "hold_s": 5}
SHOWN = {**CHANGE, "wifi-0-password": "***", "wifi-0-pasword": "***"}


def change(desk: Desk, **more: Any) -> Any:
    return desk.post("update_config", "", parameters=CHANGE, **more)


def on_disk(desk: Desk) -> bool:
    """Whether the password is anywhere in the database's files."""
    files = desk.path.parent.glob(desk.path.name + "*")
    return any(SECRET.encode() in file.read_bytes() for file in files)


def told(desk: Desk, row: Any) -> str:
    """Everything that is shown of a command."""
    events = [commands.public(changed) for _, changed in desk.out.changes]
    return json.dumps([commands.get(row["id"]), commands.find(), events])


def test_the_board_gets_it_and_nobody_else_sees_it(desk: Desk) -> None:
    row = change(desk)
    assert commands.get(row["id"])["parameters"] == SHOWN and on_disk(desk)
    assert SECRET not in told(desk, row)
    desk.startup()
    sent = [said for _, said in desk.out.publish if said["command_type"] == "update_config"]
    assert [said["parameters"] for said in sent] == [CHANGE]
    assert SECRET not in told(desk, row)
    again = desk.at(12).tick()  # it may still be sent again
    assert [said["parameters"] for _, said in again.publish] == [CHANGE]


@pytest.mark.parametrize("state", ["accepted", "completed", "failed", "rejected", "unknown"])
def test_it_is_gone_once_the_board_has_answered(desk: Desk, state: str) -> None:
    desk.startup()
    row = change(desk)
    for _ in range(50):
        desk.post("ping", "")
    desk.ack(row, state, "reverted" if state == "failed" else None)
    assert not on_disk(desk) and SECRET not in told(desk, row)
    assert commands.get(row["id"])["parameters"] == SHOWN


def test_it_is_gone_where_nothing_was_sent_or_answered(desk: Desk) -> None:
    late = change(desk, expires_in=5)
    off = change(desk)
    desk.cancel(off)
    desk.at(6).tick()
    assert [desk.stands(late), desk.stands(off)] == ["EXPIRED", "CANCELLED"]
    desk.startup()
    open_one = change(desk, expires_in=5)
    desk.at(20).tick()
    assert desk.stands(open_one) == "UNKNOWN"
    assert not on_disk(desk)


def test_the_same_click_is_the_same_command_before_and_after(desk: Desk) -> None:
    desk.startup()
    row = change(desk, idempotency_key="click")
    other = {**CHANGE, "wifi-0-password": "another"}
    assert isinstance(
        desk.post("update_config", "", parameters=other, idempotency_key="click"), Conflict
    )
    desk.ack(row, "completed")
    assert change(desk, idempotency_key="click")["id"] == row["id"]
    assert not on_disk(desk)


def test_a_restart_of_the_backend_still_sends_it(desk: Desk) -> None:
    row = change(desk)
    desk.restart()
    desk.startup()
    assert ("update_config", row["id"]) in desk.sent()
