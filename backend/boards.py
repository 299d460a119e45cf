"""Boards: enrolling them, and showing how they are."""

import json
import secrets
from typing import Any

from protocol.limits import KEY_BYTES
from protocol.signature import key_from_hex
from protocol.topics import is_id

from backend import sensors
from backend.broker import BACKEND_USER
from backend.errors import Conflict, Invalid
from backend.models import Board, database
from backend.presence import Presence


def enroll(board_id: str, now: int, name: str = "") -> dict[str, str]:
    """Make a board known, with a fresh key and password; returns what the board must be told.

    {"board_id", "key" (64 hex digits), "password"}. Raises Invalid or Conflict.
    """
    if not is_id(board_id):
        raise Invalid("malformed", "board_id", "use 1 to 64 of A-Z a-z 0-9 _ -")
    if board_id == BACKEND_USER:
        reason = "is the backend's own name on the broker; use another one"
        raise Invalid("reserved", "board_id", reason)
    if Board.get_or_none(Board.id == board_id):
        raise Conflict("exists", "board_id", f"there is a board {board_id!r} already")
    row = {"id": board_id, "name": name or board_id, "created_at": now, **_secrets()}
    with database.atomic():
        Board.insert(row).execute()
    return credentials(board_id)


def renew(board_id: str) -> dict[str, str]:
    """A fresh key and password for a board; see `enroll`. Raises peewee's DoesNotExist.

    A backend that runs goes on with the old ones until it is started anew.
    """
    with database.atomic():
        Board.update(_secrets()).where(Board.id == board_id).execute()
    return credentials(board_id)


def _secrets() -> dict[str, str]:
    return {"key": secrets.token_hex(KEY_BYTES), "password": secrets.token_urlsafe(24)}


def credentials(board_id: str) -> dict[str, str]:
    """What a board needs to take part; see `enroll`. Raises peewee's DoesNotExist."""
    board = Board.get_by_id(board_id)
    return {"board_id": board.id, "key": board.key, "password": board.password}


def presence(board_id: str) -> Presence:
    """The board as the roster knows it. Raises peewee's DoesNotExist."""
    return presence_of(Board.get_by_id(board_id))


def presence_of(row: Board) -> Presence:
    """The board of this row as the roster knows it."""
    return Presence(
        row.id,
        key_from_hex(row.key),
        row.name,
        row.site,
        row.state,
        row.dialect,
        boot=row.boot,
        firmware=row.firmware,
        board=row.board,
        actuators=json.loads(row.actuators),
        has=row.has,
        asleep_until=row.asleep_until,
    )


def count() -> int:
    """How many boards are known."""
    return int(Board.select().count())


def passwords() -> dict[str, str]:
    """Every board's user and password on the broker."""
    return {board.id: board.password for board in Board.select(Board.id, Board.password)}


def public(board: Presence) -> dict[str, Any]:
    """A board as the API shows it; times are ms, `uptime` is seconds, `heap` bytes."""
    return {
        "id": board.board_id,
        "name": board.name,
        "site": board.site,
        "state": board.state,
        "dialect": board.dialect,
        "online": board.online,
        "last_seen": board.last_seen,
        "asleep_until": board.asleep_until,
        "silence_s": board.pace.limit_ms / 1000,
        "boot": board.boot,
        "firmware": board.firmware,
        "board": board.board,
        "actuators": board.actuators,
        "has": board.has.split(),
        "running": board.running,
        "latched": board.latched,
        "slot": board.slot,
        "slot_state": board.slot_state,
        "heap": board.heap,
        "rssi": board.rssi,
        "uptime": board.uptime,
        "sensors": {name: sensors.public(one) for name, one in board.sensors.items()},
        "pictures": board.pictures,
        "limits": {name: one.state for name, one in board.limits.items()},
    }
