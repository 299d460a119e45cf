"""Who plays: which board and actuator an action of a scene is for, and what command it is.

A topic belongs to the museum board of the scene's site that was enrolled with it, or to the board
of any dialect that the scene's own `topics` name. `roomN/STOP` is an emergency stop of all museum
boards of that room.
"""

import functools
from dataclasses import dataclass
from typing import Any

from protocol import ProtocolError

from backend.database.models import ACTIVE
from backend.delivery.commands import check
from backend.delivery.dispatcher import stops
from backend.delivery.queueing import SYSTEM
from backend.delivery.wishes import NewCommand
from backend.dialects import museum
from backend.dialects.museum import MUSEUM
from backend.dialects.registry import DIALECTS
from backend.errors import Refusal
from backend.fleet.presence import Presence, Roster
from backend.scenes.plan import Action, Plan

STOP = "STOP"
# Commands that wait for nobody have this long. Our own boards refuse what is later, by clocks of
# whole seconds; the others can't tell, and are to be told nothing twice.
LIFE_S, GUESSED_LIFE_S = 2, 1
PRIORITY = 900  # of a scene: a person's own command comes before it


@dataclass(frozen=True, slots=True)
class Order:
    """A command in the making."""

    board_id: str
    target: str
    command_type: str
    parameters: dict[str, Any]

    @property
    def place(self) -> tuple[str, str]:
        """Whom it is for."""
        return self.board_id, self.target

    @property
    def stops(self) -> bool:
        """Whether it ends something."""
        off = self.parameters.get("state") == "off" or self.parameters.get("action") == "stop"
        return off or stops(self.command_type, self.parameters)

    def command(self, expires_in: int | None, key: str = "", cause: str = "") -> NewCommand:
        """What is asked of the backend."""
        return NewCommand(
            self.board_id, self.command_type, self.target, self.parameters, expires_in,
            SYSTEM, key or None, cause=cause, priority=PRIORITY,
        )  # fmt: skip


class Cast:
    """The boards of one scene at one site, as they are known just now."""

    def __init__(self, roster: Roster, site: str | None, plan: Plan) -> None:
        self._roster, self._site, self._plan = roster, site, plan

    def orders(self, action: Action) -> tuple[Order, ...]:
        """The commands of an action of kind mqtt or command. Raises ProtocolError or a Refusal
        with `field` and `reason`, where there is nobody to obey it.
        """
        found = self._said(action) if action.kind == "mqtt" else [self._command(action)]
        for order in found:
            self._board(order.board_id)
            check(order.command(LIFE_S), self._roster)
        return tuple(found)

    def off(self, place: tuple[str, str]) -> Order | None:
        """What switches off an actuator, or a whole board; None where nobody knows it any more."""
        board = self._roster.get(place[0])
        if board is None:
            return None
        if DIALECTS[board.dialect].exact:
            return Order(*place, "stop", {})
        kind = board.actuators.get(place[1], {}).get("kind")
        return Order(*place, *museum.meant(kind, "OFF")) if kind else None

    def halts(self, rooms: set[str], places: set[tuple[str, str]]) -> list[Order]:
        """What stops these rooms: their museum boards, and the other boards among `places`."""
        halted = [one for one in self._museum if rooms & set(museum.rooms(one.actuators))]
        others = {place[0] for place in places} - {one.board_id for one in halted}
        known = [self._roster.get(board_id) for board_id in sorted(others)]
        there = [one for one in known if one and one.state == ACTIVE]
        return [Order(one.board_id, "", "emergency_stop", {}) for one in halted] + [
            Order(one.board_id, "", "stop", {}) for one in there if DIALECTS[one.dialect].exact
        ]

    @functools.cached_property
    def _museum(self) -> list[Presence]:
        boards = self._roster.all()
        ours = [one for one in boards if one.site == self._site and one.state == ACTIVE]
        return [one for one in ours if one.dialect == MUSEUM.name]

    @functools.cached_property
    def _topics(self) -> dict[str, tuple[str, str]]:
        known = {
            about["topic"]: (board.board_id, target)
            for board in self._museum
            for target, about in board.actuators.items()
        }
        return {**known, **self._plan.topics}

    def _board(self, board_id: str) -> Presence:
        """A board of this site. Raises ProtocolError."""
        board = self._roster.get(board_id)
        if board is None or board.site != self._site:
            reason = f"names the board {board_id!r}, which is not known at this scene's site"
            raise ProtocolError("unknown_board", "board", reason)
        return board

    def _command(self, action: Action) -> Order:
        return Order(action.board, action.target, action.command_type, dict(action.parameters))

    def _said(self, action: Action) -> list[Order]:
        room, _, rest = action.topic.partition("/")
        if rest == STOP:
            return self.halts({room}, set())
        if action.topic not in self._topics:
            reason = f"{action.topic!r} belongs to no board of this site, nor do `topics` name one"
            raise ProtocolError("unknown_topic", "topic", reason)
        board_id, target = self._topics[action.topic]
        board = self._board(board_id)
        kind = board.actuators.get(target, {}).get("kind", "switch")
        command_type, parameters = museum.meant(kind, action.message)
        if DIALECTS[board.dialect].exact and parameters.get("action") == "start":
            # Our own firmware runs nothing without an end: as long as a museum's board would.
            parameters = {**_known(parameters), "seconds": (MUSEUM.lease_ms or 0) // 1000}
        return [Order(board_id, target, command_type, parameters)]


def _known(parameters: dict[str, Any]) -> dict[str, Any]:
    """What our own firmware knows of how a motor starts: neither side nor ramp."""
    return {name: parameters[name] for name in ("action", "speed")}


def obeyed(cast: Cast, action: Action) -> tuple[tuple[Order, ...], str]:
    """(the commands of an action, or why nobody can play it)."""
    try:
        found = cast.orders(action)
    except (ProtocolError, Refusal) as why:
        return (), f"{why.field} {why.reason}" if why.field else why.reason
    return found, "" if found else "reaches no board"
