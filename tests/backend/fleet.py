"""Words for tests about sites and boards on their way."""

import json
from typing import Any

from backend.database.models import Command, as_rows
from backend.delivery import commands
from backend.delivery.core import Batch
from backend.delivery.work import Task
from backend.errors import Refusal
from backend.fleet import boards, sites
from backend.fleet.newcomers import Announcement
from tests.backend.conftest import START, Desk

LAKE = {"owner": "the lake's", "programme": "trout", "timezone": "Europe/Rome"}


def site(site_id: str = "lake", **values: Any) -> None:
    """A site; START is a Friday, 2027-01-15 08:00 UTC, 9 o'clock in Rome."""
    sites.create(site_id, {**LAKE, **values}, START)


def done(desk: Desk, task: Task) -> Any:
    """What a task says in the core, or the Refusal."""
    desk.out = desk.core.apply(Batch([], [], [], tasks=[("me", task)]), desk.now)
    return desk.out.tasks[0][1]


def refusal(desk: Desk, task: Task) -> tuple[str, str]:
    """(code, field) of a task that is refused."""
    why = done(desk, task)
    assert isinstance(why, Refusal), why
    return why.code, why.field


def announce(desk: Desk, board_id: str, leaf: str = "data/startup", **said: Any) -> None:
    """Say something under an id, signed with a key that nobody knows."""
    payload = json.dumps({"board": "ESP32", **said, "sig": "0" * 64}).encode()
    heard = desk.core.ingest.read(f"devices/{board_id}/{leaf}", payload)
    assert isinstance(heard, Announcement)
    desk.out = desk.core.apply(Batch([], [], [], announced=[heard]), desk.now)


def queued(board_id: str = "pond") -> list[dict[str, Any]]:
    """The backend's own commands for a board, oldest first."""
    rows = Command.select().where((Command.user == "system") & (Command.board_id == board_id))
    return [commands.public(row) for row in as_rows(rows.order_by(Command.seq))]


def orders(board_id: str = "pond") -> list[tuple[str, str]]:
    """[(type, status)] of these."""
    return [(row["command_type"], row["status"]) for row in queued(board_id)]


def stands(board_id: str) -> tuple[str, str | None, str]:
    """(state, site, owner) in the database."""
    row = boards.get(board_id)
    return row.state, row.site, row.owner
