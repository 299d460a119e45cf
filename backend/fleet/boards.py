"""Boards: enrolling them, and showing how they are."""

import json
import secrets
from typing import Any

from peewee import fn
from protocol.limits import KEY_BYTES
from protocol.signature import key_from_hex
from protocol.topics import is_id

from backend.brokers.broker import BACKEND_USER
from backend.brokers.speech import named, spoken_by
from backend.database.models import ACTIVE, PENDING_MAPPING, RETIRED, Board, database
from backend.dialects.answerback import ANSWERBACK
from backend.errors import Conflict, Invalid, NotFound
from backend.fleet import sensors
from backend.fleet.presence import Presence

_NOT_ACTIVE = {
    PENDING_MAPPING: "map it to a site first",
    RETIRED: "map it to a site to bring it back",
}


def enroll(
    board_id: str,
    now: int,
    name: str = "",
    pending: bool = False,
    dialect: str = ANSWERBACK.name,
    options: dict[str, Any] | None = None,
) -> dict[str, str]:
    """Make a board known, with a fresh key and password; returns what the board must be told.

    {"board_id", "key" (64 hex digits), "password"}. With `pending` it may not be commanded until
    it is mapped to a site. `options`: what the dialect must be told of it. Raises Invalid or
    Conflict.
    """
    board_id, spoken = named(board_id, dialect), spoken_by(dialect, options or {})
    check_id(board_id)
    state = PENDING_MAPPING if pending else ACTIVE
    with database.atomic("IMMEDIATE"):
        if Board.get_or_none(Board.id == board_id):
            raise Conflict("exists", "board_id", f"there is a board {board_id!r} already")
        about = {**secrets_of_a_board(), **spoken}
        insert(board_id, now, name=name or board_id, state=state, **about)
    return credentials(board_id)


def check_id(board_id: str) -> None:
    """Raises Invalid for what can't be a board's id."""
    if not is_id(board_id):
        raise Invalid("malformed", "board_id", "use 1 to 64 of A-Z a-z 0-9 _ -")
    if board_id == BACKEND_USER:
        reason = "is the backend's own name on the broker; use another one"
        raise Invalid("reserved", "board_id", reason)


def insert(board_id: str, now: int, **columns: Any) -> None:
    """A new row; call it in a transaction."""
    row = {"id": board_id, "created_at": now, "revision": revision() + 1, **columns}
    Board.insert(row).execute()


def change(board_id: str, **columns: Any) -> None:
    """Change columns by hand, so that every process takes them over; call it in a transaction."""
    Board.update(revision=revision() + 1, **columns).where(Board.id == board_id).execute()


def revision() -> int:
    """The number of the newest change that somebody made by hand to any board."""
    return int(Board.select(fn.MAX(Board.revision)).scalar() or 0)


def renew(board_id: str) -> dict[str, str]:
    """A fresh key and password for a board; see `enroll`. Raises NotFound."""
    with database.atomic("IMMEDIATE"):
        get(board_id)
        change(board_id, **secrets_of_a_board())
    return credentials(board_id)


def secrets_of_a_board() -> dict[str, str]:
    """A fresh key and password."""
    return {"key": secrets.token_hex(KEY_BYTES), "password": secrets.token_urlsafe(24)}


def credentials(board_id: str) -> dict[str, str]:
    """What a board needs to take part; see `enroll`. Raises NotFound."""
    board = get(board_id)
    return {"board_id": board.id, "key": board.key, "password": board.password}


def get(board_id: str) -> Board:
    """The row of a board. Raises NotFound."""
    board = Board.get_or_none(Board.id == board_id)
    if not isinstance(board, Board):
        raise NotFound("unknown_board", "board_id", f"there is no board {board_id!r}")
    return board


def presence(board_id: str) -> Presence:
    """The board as the roster knows it. Raises NotFound."""
    return presence_of(get(board_id))


def presence_of(row: Board) -> Presence:
    """The board of this row as the roster knows it."""
    board = Presence(
        row.id,
        b"",
        boot=row.boot,
        firmware=row.firmware,
        board=row.board,
        actuators=json.loads(row.actuators),
        has=row.has,
        asleep_until=row.asleep_until,
    )
    take_over(board, row)
    return board


def take_over(board: Presence, row: Board) -> None:
    """Let the roster's board be what administrators made of its row."""
    board.key, board.name = key_from_hex(row.key), row.name
    board.site, board.state, board.dialect = row.site, row.state, row.dialect
    board.sleeps, board.next_wake_at = row.sleeps, row.next_wake_at
    board.claims, board.announced_at = json.loads(row.claims), row.announced_at
    board.options, board.labels = json.loads(row.options), json.loads(row.labels)
    if board.dialect != ANSWERBACK.name:  # such a board says nothing of its actuators
        board.actuators = json.loads(row.actuators)


def check_active(board: Presence | None) -> None:
    """Raises Conflict where nothing may be asked of a board, or not yet."""
    if board is not None and board.state != ACTIVE:
        raise Conflict("not_active", "board_id", f"is {board.state}: {_NOT_ACTIVE[board.state]}")


def passwords() -> dict[str, str]:
    """The user and password on the broker of every board that may use it."""
    allowed = (Board.state != RETIRED) & (Board.password != "")
    rows = Board.select(Board.id, Board.password).where(allowed)
    return {board.id: board.password for board in rows}


def public(board: Presence) -> dict[str, Any]:
    """A board as the API shows it; times are ms, `uptime` is seconds, `heap` bytes."""
    return {
        "id": board.board_id,
        "name": board.name,
        "site": board.site,
        "state": board.state,
        "dialect": board.dialect,
        "options": board.options,
        "sleeps": board.sleeps,
        "labels": board.labels,
        "next_wake_at": board.next_wake_at,
        "claims": board.claims,
        "announced_at": board.announced_at,
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
