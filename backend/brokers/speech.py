"""How each board speaks: what its row says of that, and which topics it needs on the broker."""

import json
from collections.abc import Sequence
from typing import Any

from protocol import ProtocolError

from backend.database.models import Board
from backend.dialects import museum, registry
from backend.dialects.answerback import ANSWERBACK
from backend.dialects.esp32cam import ESP32CAM, PREFIXES, mac_of
from backend.errors import Invalid
from backend.scenes.rows import levels_watched


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


def patterns(asked: Sequence[str]) -> list[str]:
    """What the backend uses beyond our own topics, for the boards and dialects there are."""
    rows = list(Board.select().where(Board.dialect != ANSWERBACK.name))
    known = {row.dialect for row in rows} | set(asked)
    cams = PREFIXES if ESP32CAM.name in known else ()
    rooms = {room for row in rows for room in museum.rooms(json.loads(row.actuators))}
    return [f"{level}/#" for level in sorted({*cams, *rooms, *levels_watched()})]


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
