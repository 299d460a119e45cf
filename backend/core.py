"""The backend's core: what happened goes in as a batch, what follows from it comes out.

One transaction a batch. No sockets, no threads, no clock: `now` (ms) is an argument. The writer
drives it with the real time, the simulation with a time of its own.
"""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from backend import boards, commands, store
from backend.dispatcher import DUE_BATCH, Dispatcher
from backend.errors import Refusal
from backend.ingest import Heard, Ingest
from backend.models import Board
from backend.pictures import Pictures
from backend.presence import Roster
from backend.settings import Settings
from backend.upkeep import Options, Upkeep
from backend.work import Outcome, Work


@dataclass(slots=True)
class Batch:
    """What has come in since the last transaction.

    `new` and `cancel` pair a request (any object; its answer comes back beside it) with what is
    asked for; `heard` is what boards said.
    """

    new: list[tuple[Any, commands.NewCommand]]
    cancel: list[tuple[Any, commands.Cancellation]]
    heard: list[Heard]


class Core:
    """All that decides about commands. The database must be open.

    `rng` gives the commands their ids and spreads the retries of many boards. `image_idle_s`: see
    `pictures`; `options`: see `upkeep`.
    """

    def __init__(
        self,
        rng: random.Random,
        image_idle_s: float = Settings.image_idle_s,
        options: Options = Options(),  # noqa: B008 (it is frozen)
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._rng = rng
        self.roster = Roster()
        self.dispatcher = Dispatcher(self.roster, rng)
        self.pictures = Pictures(image_idle_s)
        self.ingest = Ingest(self.roster, self.dispatcher, self.pictures, self.refused)
        self.upkeep = Upkeep(self.roster, options)
        for row in Board.select():
            self.roster.add(boards.presence_of(row))
        for board in self.roster.all():
            self.pictures.show(board)

    def apply(self, batch: Batch, now: int) -> Outcome:
        """One transaction. Raises store.Locked: then nothing has changed, here or there.

        Anything else that the database raises is the end: what boards said is half taken in.
        The answer beside a request is (row, created?) or a Refusal.
        """
        with store.transaction():
            self.pictures.sweep()
            work = Work(now, self.refused)
            work.out.answers = commands.create(work, self.dispatcher, batch.new, self._rng)
            for request, wish in batch.cancel:
                work.out.answers.append((request, self._cancel(work, wish)))
            self.ingest.apply(work, batch.heard)
            self.ingest.silence(work)
            for row in work.take(store.due(now, DUE_BATCH)):
                if row["due_at"] is not None and row["due_at"] <= now:
                    self.dispatcher.look(work, row)
            wanted = self.pictures.due(work, self.roster)
            self.pictures.asked(commands.create(work, self.dispatcher, wanted, self._rng))
            self.dispatcher.send_ready(work)
            out = work.finish()
            self.upkeep.take(work, batch.heard)
            self.upkeep.sweep.turn(now, not (batch.new or batch.cancel or batch.heard))
        if out.scrubbed:
            store.empty_log()
        return out

    def clock_set(self, by: int, now: int) -> None:
        """The clock that gives `now` was set by so many ms; raises store.Locked, like `apply`.

        Silence and retries go on as if it had not been; only expiry goes by the time of day.
        """
        with store.transaction():
            store.shift_due(by)
        self.roster.shift(by)
        self.pictures.shift(by)
        self.upkeep.sweep.shift(now)

    def next_due(self) -> int | None:
        """When `apply` should be called even if nothing comes in (ms), or None."""
        parts = (
            store.next_due(),
            self.roster.next_due(),
            self.pictures.next_due(self.roster),
            self.upkeep.sweep.next_due(),
        )
        return min((time for time in parts if time is not None), default=None)

    def _cancel(self, work: Work, wish: commands.Cancellation) -> Any:
        try:
            return commands.cancel(work, self.dispatcher, wish), False
        except Refusal as why:
            return why
