"""Conditions of commands, as the backend sees them; protocol/conditions.py says what there is.

Rules of this file:
- a board that does not say it knows conditions is given none: this is refused here where the board
  was heard before, and else by the board, for its type on the wire is none such a board knows;
- what can't be known here (a sensor nobody has heard of) is left to the board: there it does not
  hold.
"""

from typing import Any
from uuid import UUID

from protocol import ProtocolError, encode
from protocol import conditions as protocol
from protocol.limits import ATTEMPTS_MAX, EPOCH_MAX, KEY_BYTES

from backend.delivery.wishes import NewCommand
from backend.dialects.registry import DIALECTS
from backend.errors import Conflict, Invalid
from backend.fleet.presence import Presence

PART = "conditions"  # in what a board says it has

# What a board has found where there is no value.
_UNKNOWN = {
    "unknown": "it is not known",
    "old": "its newest reading is too old",
    "stuck": "it is stuck",
    "memory": "the board had no memory left to look",
}


def check(new: NewCommand, board: Presence) -> None:
    """Raises Invalid or Conflict, naming the condition, where the board can't look at it."""
    if not new.conditions:
        return
    if not DIALECTS[board.dialect].exact:
        reason = f"must not be there: {board.dialect} boards know no conditions"
        raise Invalid("bad_parameter", "conditions", reason)
    try:
        protocol.check(list(new.conditions), new.command_type, new.parameters)
    except ProtocolError as why:
        raise Invalid(why.code, why.field, why.reason) from None
    if board.boot and PART not in board.has.split():
        reason = f"must wait: firmware {board.firmware} of this board knows none; update it first"
        raise Conflict("no_conditions", "conditions", reason)
    _check_outputs(new, board)
    _check_size(new)


def _check_size(new: NewCommand) -> None:
    message = {
        "command_id": str(UUID(int=0)),
        "command_type": new.command_type,
        "target": new.target,
        "parameters": new.parameters,
        "timestamp": EPOCH_MAX,
        "expires_at": EPOCH_MAX,
        "attempt": ATTEMPTS_MAX,
    }
    try:
        encode("command", protocol.wrap(message, new.conditions), bytes(KEY_BYTES))
    except ProtocolError as why:
        raise Invalid(why.code, "conditions", f"make the command too long: {why}") from None


def _check_outputs(new: NewCommand, board: Presence) -> None:
    for place, one in enumerate(new.conditions):
        if board.actuators and "output" in one and one["output"] not in board.actuators:
            reason = "must be one this board has: " + ", ".join(sorted(board.actuators))
            raise Invalid("unknown_target", f"conditions[{place}].output", reason)


def told(conditions: list[dict[str, Any]], result: dict[str, Any]) -> str:
    """Which condition did not hold, and what there was instead, as the result says."""
    place, found = result.get("condition"), result.get("found")
    if type(place) is not int or not 0 <= place < len(conditions):
        return "a condition did not hold"
    one = conditions[place]
    if "output" in one:
        wanted = f"{one['output']} must be {one['is']}"
    else:
        limit = "below" if "below" in one else "above"
        wanted = f"{one['sensor']} must be {limit} {one[limit]}"
    return f"{wanted}, and {_UNKNOWN.get(str(found)) or f'it was {found}'}"
