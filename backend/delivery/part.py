"""What the backend does by itself (automations, schedules, scenes, rollouts): the shape of one.

Rules of this file:
- a part lives in the core's transaction: what it decides and what it makes is durable together;
- it never waits and never asks the time: `work.now` is the time, `next_due` says when to be asked;
- the commands it makes are of the user SYSTEM, carry its `cause` ("automation/7/120": the rule,
  and which time) and are checked as anybody's are; who has a target, `priorities` says.
"""

import random
from collections.abc import Callable
from typing import Any

from backend.database.store import Row
from backend.delivery import commands, priorities
from backend.delivery.dispatcher import Dispatcher
from backend.delivery.priorities import Claim, Rival
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Work
from backend.fleet import boards
from backend.fleet.presence import Roster


class Orders:
    """How a part commands boards."""

    def __init__(self, roster: Roster, dispatcher: Dispatcher, rng: random.Random) -> None:
        self.roster = roster
        self._dispatcher, self._rng = dispatcher, rng
        self.claims: list[Callable[[str, str], list[Claim]]] = []  # who holds a target

    def post(
        self, work: Work, new: NewCommand, hold_ms: int = 0, not_before: int | None = None
    ) -> Row:
        """The row of a new command, or the one that its idempotency key already has.

        With `not_before` (ms) it is written down as sent now, and goes out then: only for a target
        at which nothing else is under way. Raises a Refusal, before anything has changed;
        Outranked where its target is another's, or was somebody's by hand less than `hold_ms` ago:
        see priorities.
        """
        commands.check(new, self.roster)
        boards.check_active(self.roster.get(new.board_id))
        if winner := self.rival(work, new, hold_ms):
            raise winner.refusal(new.target)
        if not_before is not None:
            self.send_ready(work)  # all others go now
            work.when = {"not_before": not_before}
        [(_, answer)] = commands.create(work, self._dispatcher, [(None, new)], self._rng)
        if not_before is not None:
            self.send_ready(work)
            work.when = {}
        if isinstance(answer, Exception):
            raise answer
        row: Row = answer[0]
        return row

    def rival(self, work: Work, new: NewCommand, hold_ms: int = 0) -> Rival | None:
        """Who would keep this command from its target now, or None."""
        return priorities.rival(work, new, self.claims, hold_ms)

    def send_ready(self, work: Work) -> None:
        """Send what may be sent now and not only when all parts have acted."""
        self._dispatcher.send_ready(work)

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
