"""Boards: enrolling them, and showing how they are."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from protocol import ProtocolError
from protocol.limits import KEY_BYTES
from protocol.signature import key_from_hex
from protocol.topics import is_id

from backend import sensors
from backend.broker import BACKEND_USER
from backend.dialects import museum, registry
from backend.dialects.answerback import ANSWERBACK
from backend.dialects.esp32cam import ESP32CAM, PREFIXES, mac_of
from backend.errors import Conflict, Invalid
from backend.models import Board, database
from backend.presence import Presence


def enroll(
    board_id: str,
    now: int,
    name: str = "",
    dialect: str = ANSWERBACK.name,
    options: dict[str, Any] | None = None,
) -> dict[str, str]:
    """Make a board known, with a fresh key and password; returns what the board must be told.

    {"board_id", "key" (64 hex digits), "password"}. `options`: what the dialect must be told of
    it. Raises Invalid or Conflict.
    """
    board_id, spoken = named(board_id, dialect), spoken_by(dialect, options or {})
    if not is_id(board_id):
        raise Invalid("malformed", "board_id", "use 1 to 64 of A-Z a-z 0-9 _ -")
    if board_id == BACKEND_USER:
        reason = "is the backend's own name on the broker; use another one"
        raise Invalid("reserved", "board_id", reason)
    if Board.get_or_none(Board.id == board_id):
        raise Conflict("exists", "board_id", f"there is a board {board_id!r} already")
    row = {"id": board_id, "name": name or board_id, "created_at": now, **_secrets()}
    with database.atomic():
        Board.insert({**row, **spoken}).execute()
    return credentials(board_id)


def named(board_id: str, dialect: str) -> str:
    """The id of a board; that of an ESP32-CAM is its MAC, however written. Raises Invalid."""
    if dialect != ESP32CAM.name:
        return board_id
    mac = mac_of(board_id)
    if mac is None:
        raise Invalid("malformed", "board_id", "must be a MAC: 12 hexadecimal digits")
    return mac


def spoken_by(dialect: str, options: dict[str, Any]) -> dict[str, str]:
    """The columns that say how a board speaks. Raises Invalid, naming the option."""
    try:
        actuators, kept = registry.of(dialect).configure(options)
    except ProtocolError as why:
        raise Invalid(why.code, why.field, why.reason) from None
    shown = {"actuators": json.dumps(actuators), "options": json.dumps(kept)}
    return {"dialect": dialect, **shown}


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
        options=json.loads(row.options),
    )


def count() -> int:
    """How many boards are known."""
    return int(Board.select().count())


def passwords() -> dict[str, str]:
    """Every board's user and password on the broker."""
    return {board.id: board.password for board in Board.select(Board.id, Board.password)}


def patterns(asked: Sequence[str]) -> list[str]:
    """What the backend uses beyond our own topics, for the boards and dialects there are."""
    rows = list(Board.select().where(Board.dialect != ANSWERBACK.name))
    known = {row.dialect for row in rows} | set(asked)
    cams = PREFIXES if ESP32CAM.name in known else ()
    rooms = {room for row in rows for room in museum.rooms(json.loads(row.actuators))}
    return [f"{level}/#" for level in sorted({*cams, *rooms})]


def rights() -> dict[str, list[str]]:
    """The topics that boards of other dialects use on the broker, {board id: patterns}."""
    out = {}
    for row in Board.select().where(Board.dialect != ANSWERBACK.name):
        targets = json.loads(row.actuators).values()
        own = [f"{prefix}/{row.id}/#" for prefix in PREFIXES] if row.dialect == "esp32cam" else []
        rooms = [f"{room}/STOP" for room in museum.rooms(json.loads(row.actuators))]
        lines = [line for about in targets for line in (about["topic"], *museum.lines(about))]
        out[row.id] = [*own, *rooms, *lines]
    return out


def public(board: Presence) -> dict[str, Any]:
    """A board as the API shows it; times are ms, `uptime` is seconds, `heap` bytes."""
    return {
        "id": board.board_id,
        "name": board.name,
        "site": board.site,
        "state": board.state,
        "dialect": board.dialect,
        "options": board.options,
        "online": board.online,
        "last_seen": board.last_seen,
        "asleep_until": board.asleep_until,
        "boot": board.boot,
        "firmware": board.firmware,
        "board": board.board,
        "actuators": board.actuators,
        "running": board.running,
        "latched": board.latched,
        "slot": board.slot,
        "slot_state": board.slot_state,
        "heap": board.heap,
        "rssi": board.rssi,
        "uptime": board.uptime,
        "sensors": {name: sensors.public(one) for name, one in board.sensors.items()},
        "limits": {name: one.state for name, one in board.limits.items()},
    }
