"""What is done by schedules and by commands to many boards: read from what was asked, and checked
against the boards there are.
"""

import json

from protocol.catalogue import VERBS
from protocol.fields import scalars
from protocol.limits import COMMAND_LIFE_MAX

from backend.delivery import commands
from backend.delivery.lives import LASTING_SECONDS, life_of
from backend.delivery.masking import why_secret
from backend.delivery.queueing import SYSTEM
from backend.delivery.wishes import NewCommand
from backend.dialects.registry import DIALECTS
from backend.errors import Invalid, Refusal
from backend.fleet.presence import Presence, Roster
from backend.fleet.selection import select
from backend.schedules.timetable import Values

PER_MINUTE_MAX = 6_000
WAKE_GRACE_S = 900  # how late a board may wake
PLAIN = ("command_type", "target", "expires_in", "per_minute", "priority")
_SELECTION = ("site", "label", "boards")


def check_action(
    roster: Roster, action: Values, later: bool = False, key: str | None = None
) -> None:
    """Raises a Refusal where not one of the boards could be asked this (under this key); with
    `later`, there may be none yet.
    """
    chosen = json.loads(action["selection"])
    boards = select(roster, chosen)
    if missing := [one for one in chosen.get("boards", []) if one not in boards]:
        reason = f"holds {missing[0]!r}, which is no active board" + (
            f" of the site {chosen['site']}" if "site" in chosen else ""
        )
        raise Invalid("unknown_board", "boards", reason)
    refusals = [why for board_id in boards if (why := _refusal(roster, board_id, action, key))]
    if refusals and len(refusals) == len(boards):
        raise refusals[0]
    if not boards and not later:
        field = "label" if "label" in chosen else "site"
        raise Invalid("no_boards", field, "has no active boards; nothing would be done")
    if not any(action["command_type"] in one.verbs for one in DIALECTS.values()):
        raise Invalid("unknown_type", "command_type", "is unknown; see GET /verbs")


def _refusal(roster: Roster, board_id: str, action: Values, key: str | None) -> Refusal | None:
    kind, target, life = (action[name] for name in ("command_type", "target", "expires_in"))
    asked = NewCommand(board_id, kind, target, json.loads(action["parameters"]), life, SYSTEM, key)
    try:
        commands.check(asked, roster)
    except Refusal as why:
        return why
    return None


def action_of(values: Values, priority: int) -> Values:
    """The columns of what is to be done. Raises Invalid."""
    parameters = values.get("parameters") or {}
    if reason := scalars(parameters):
        raise Invalid("bad_parameter", "parameters", reason)
    if reason := why_secret(values["command_type"], parameters):
        raise Invalid("has_secret", "parameters", reason)
    chosen = {name: values[name] for name in _SELECTION if values.get(name)}
    if not chosen:
        raise Invalid("bad_parameter", "site", "must be given, or `label`, or `boards`")
    for name, most in (("per_minute", PER_MINUTE_MAX), ("expires_in", COMMAND_LIFE_MAX)):
        if values.get(name) is not None and not 1 <= values[name] <= most:
            raise Invalid("bad_parameter", name, f"must be from 1 to {most}")
    defaults = {"target": "", "expires_in": None, "per_minute": None, "priority": priority}
    return {
        **{name: values.get(name, defaults.get(name)) for name in PLAIN},
        "site": values.get("site"),
        "selection": json.dumps(chosen, sort_keys=True),
        "parameters": json.dumps(parameters, sort_keys=True),
    }


def life(board: Presence, command_type: str, now: int) -> int | None:
    """How long a command of a rule waits where that was not said (s); None: as any other does.

    A board that sleeps is given until it has woken, but not for what moves something.
    """
    verb = VERBS.get(command_type)
    if not DIALECTS[board.dialect].exact or verb is None or verb.actuator is not None:
        return None
    wakes = [at for at in (board.asleep_until, board.next_wake_at) if at and at > now]
    if wakes:
        return min(max(wakes) // 1000 - now // 1000 + WAKE_GRACE_S, COMMAND_LIFE_MAX)
    return LASTING_SECONDS if board.sleeps else None


def life_ms(new: NewCommand) -> int:
    """How long a command lives."""
    return 1000 * (new.expires_in or life_of(new.command_type))
