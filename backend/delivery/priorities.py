"""Who has a target where several want it: one rule for all that commands boards.

Rules of this file, for commands with the same board and target:
1. `stop` and `emergency_stop` come before everything, whoever asked for them;
2. then the higher priority: what somebody asks for by hand has MANUAL_COMMAND (1000), what rules
   do (automations, schedules, scenes) has 0 to 999;
3. then age. Equals queue, and who was first goes first; what a rule holds (see Claim) it keeps
   from its equals, and what is under way is kept from an equal's "off", which would overtake it.
After something was done by hand, a rule may have to leave the target alone for a while: its hold.
The loser is told: what is new is refused as `outranked`, with the winner's name; what waits is
CANCELLED and what runs is asked to stop, with `outranked_by` in its history, and what really
became of it decides. What a rule asks for itself never outranks itself.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from backend.database import store
from backend.database.models import MANUAL_COMMAND
from backend.database.store import Row
from backend.delivery.dispatcher import stops
from backend.delivery.lifecycle import ACKNOWLEDGED, CANCELLED, EXPIRED, PENDING, REJECTED, SENT
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Work
from backend.errors import Conflict

RULE_MAX = MANUAL_COMMAND - 1
OUTRANKED = "outranked"
ALL_STOPS = ("stop", "emergency_stop")
_UNDER_WAY = (PENDING, SENT, ACKNOWLEDGED)
_DID_NOTHING = (REJECTED, EXPIRED, CANCELLED)


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule ("automation/7") holds a target, with or without a command, since then (ms)."""

    rule: str
    priority: int
    since: int


@dataclass(frozen=True, slots=True)
class Rival:
    """Who has a target: a command (or "", where it is a Claim), why, and until when (ms) at least;
    None: nobody can say.
    """

    command_id: str
    cause: str
    priority: int
    until: int | None = None

    @property
    def detail(self) -> dict[str, Any]:
        """As records name it."""
        by = self.command_id or self.cause
        return {"outranked_by": by, "cause": self.cause, "priority": self.priority}

    def refusal(self, target: str) -> Conflict:
        """What the loser gets."""
        who = self.cause or "somebody, by hand"
        reason = f"is held by {who} with priority {self.priority} (for {target})"
        return Outranked(OUTRANKED, "priority", reason, self)


class Outranked(Conflict):
    """`rival` has the target."""

    def __init__(self, code: str, field: str, reason: str, rival: Rival) -> None:
        super().__init__(code, field, reason)
        self.rival = rival


Claims = Iterable[Callable[[str, str], list[Claim]]]


def rule_of(cause: str) -> str:
    """ "automation/7" of "automation/7/120": the rule, without which time."""
    return cause.rpartition("/")[0]


def rival(work: Work, new: NewCommand, claims: Claims, hold_ms: int = 0) -> Rival | None:
    """Who keeps a rule's new command from its target, or None."""
    if not new.target or new.command_type in ALL_STOPS:
        return None
    work.flush()
    mine, overtakes = rule_of(new.cause), stops(new.command_type, new.parameters)
    found = [
        Rival(row["id"], row["cause"], row["priority"])
        for row in work.take(store.under_way(new.board_id, new.target))
        if row["status"] in _UNDER_WAY and (not row["cause"] or rule_of(row["cause"]) != mine)
        if row["priority"] >= new.priority + (not overtakes)
    ]
    held = [one for ask in claims for one in ask(new.board_id, new.target)]
    since = next((one.since for one in held if one.rule == mine), work.now + 1)
    found += [
        Rival("", one.rule, one.priority)
        for one in held
        if one.rule != mine
        if (one.priority, since, mine) > (new.priority, one.since, one.rule)
    ]
    found += _by_hand(new, hold_ms, work.now)
    return max(found, key=lambda one: one.priority, default=None)


def _by_hand(new: NewCommand, hold_ms: int, now: int) -> list[Rival]:
    """What was last done by hand, while the hold after it lasts."""
    row = store.last_by_hand(new.board_id, new.target, ALL_STOPS) if hold_ms else None
    if row is None or row["status"] in _DID_NOTHING:
        return []
    seconds = json.loads(row["result"]).get("seconds", 0)  # for which what was set stays on
    until = row["updated_at"] + hold_ms + (1000 * seconds if type(seconds) is int else 0)
    return [Rival(row["id"], "", row["priority"], until)] if now < until else []


def give_way(work: Work, rows: list[Row], call_off: Callable[..., None]) -> None:
    """Call off (row, actor, detail) what rules have under way where a new command outranks it."""
    mine = [row for row in rows if row["target"] and row["command_type"] not in ALL_STOPS]
    if not mine:
        return
    groups = sorted({(row["board_id"], row["target"]) for row in mine})
    weaker = work.take(store.of_rules_under_way(groups))
    for row in mine if weaker else ():
        detail = Rival(row["id"], row["cause"], row["priority"]).detail
        for other in weaker:
            if _outranks(row, other) and other["status"] in _UNDER_WAY:
                call_off(other, row["cause"] or row["user"], detail)


def _outranks(row: Row, other: Row) -> bool:
    return (
        (row["board_id"], row["target"]) == (other["board_id"], other["target"])
        and row["priority"] > other["priority"]
        and row["seq"] > other["seq"]
        and not other["cancelling"]
        and rule_of(row["cause"]) != rule_of(other["cause"])
    )
