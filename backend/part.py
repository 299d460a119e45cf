"""What the backend does by itself (automations, schedules, scenes, rollouts): the shape of one.

Rules of this file:
- a part lives in the core's transaction: what it decides and what it makes is durable together;
- it never waits and never asks the time: `work.now` is the time, `next_due` says when to be asked;
- the commands it makes are of the user SYSTEM, carry its `cause` ("automation/7/120": the rule,
  and which time) and are checked as anybody's are.
"""

import random
from typing import Any

from backend import boards, commands
from backend.dispatcher import Dispatcher
from backend.presence import Roster
from backend.store import Row
from backend.wishes import NewCommand
from backend.work import Work


class Orders:
    """How a part commands boards."""

    def __init__(self, roster: Roster, dispatcher: Dispatcher, rng: random.Random) -> None:
        self.roster = roster
        self._dispatcher, self._rng = dispatcher, rng

    def post(self, work: Work, new: NewCommand) -> Row:
        """The row of a new command, or the one that its idempotency key already has.

        Raises a Refusal, before anything has changed.
        """
        commands.check(new, self.roster)
        boards.check_active(self.roster.get(new.board_id))
        [(_, answer)] = commands.create(work, self._dispatcher, [(None, new)], self._rng)
        if isinstance(answer, Exception):
            raise answer
        row: Row = answer[0]
        return row

    def call_off(
        self, work: Work, row: Row, actor: str, detail: dict[str, Any] | None = None
    ) -> None:
        """Cancel a command that was not sent; ask the board to stop one that was."""
        commands.call_off(work, self._dispatcher, row, actor, detail)


class Part:
    """What every part is called with, in this order in each transaction; times are ms."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders

    def hear(self, work: Work) -> None:
        """Boards have been heard: see `work.readings`, `work.out.boards`."""

    def act(self, work: Work) -> None:
        """Do what is due. Commands made here go out in this transaction."""

    def follow(self, work: Work, changes: list[tuple[Row, Row]]) -> None:
        """Commands (of anybody) took steps: (history entry, command). Make no commands here; be
        due at once instead.
        """

    def next_due(self) -> int | None:
        """When `act` wants to be called though nothing comes in, or None."""
        return None

    def shift(self, by: int) -> None:
        """The clock was set by so many ms. What goes by spans of time moves along."""

    def limits(self, board_id: str) -> list[tuple[str, str, float]]:
        """(sensor, name, value) of what it watches of a board; may be called on any thread."""
        return []


class Parts:
    """All parts of one core. Tasks reach them as `work.parts`."""

    def __init__(self, orders: Orders) -> None:
        from backend.readings.storing import Readings  # a Part, which has to be there first

        self.orders = orders
        self.readings = Readings(orders)
        self.all: tuple[Part, ...] = (self.readings,)

    def act(self, work: Work) -> None:
        """Let each hear what came, and do what it has to."""
        for part in self.all:
            part.hear(work)
        for part in self.all:
            part.act(work)

    def follow(self, work: Work) -> None:
        """Let each know what has become of commands in this transaction."""
        if work.out.changes:
            for part in self.all:
                part.follow(work, work.out.changes)

    def next_due(self) -> int | None:
        """When the first of them wants to act, or None."""
        times = [part.next_due() for part in self.all]
        return min((time for time in times if time is not None), default=None)

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        for part in self.all:
            part.shift(by)

    def limits(self, board_id: str) -> list[tuple[str, str, float]]:
        """What all of them watch of a board."""
        return [limit for part in self.all for limit in part.limits(board_id)]
