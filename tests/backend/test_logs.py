"""What boards kept of their errors, on its way into the history of the command that asked."""

from typing import Any

import pytest

from backend.delivery import commands
from tests.backend.conftest import Desk


def part(row: Any, number: int, parts: int = 2) -> dict[str, Any]:
    return {"command_id": row["id"], "part": number, "parts": parts, "text": f"line {number}\n"}


def test_parts_in_any_order_and_twice_are_one_log(desk: Desk) -> None:
    desk.startup()
    row = desk.post("get_log", "")
    assert commands.get(row["id"])["log"] is None
    for number in (2, 1, 2):
        desk.say("data/log", "log", part(row, number))
    assert commands.get(row["id"])["log"] == "line 1\nline 2\n"


@pytest.mark.parametrize(("number", "parts"), [(0, 2), (3, 2), (1, 65), (65, 65)])
def test_parts_that_cannot_be_are_counted(desk: Desk, number: int, parts: int) -> None:
    desk.startup()
    row = desk.post("get_log", "")
    desk.say("data/log", "log", part(row, number, parts))
    assert commands.get(row["id"])["log"] is None
    assert desk.core.refused == {"unknown_command": 1}


def test_a_log_nobody_asked_for_is_counted(desk: Desk) -> None:
    desk.startup()
    row = desk.post("ping", "")
    desk.say("data/log", "log", part(row, 1))
    desk.say("data/log", "log", part({"id": "nobody"}, 1))
    assert commands.get(row["id"])["log"] is None
    assert desk.core.refused == {"unknown_command": 2}
