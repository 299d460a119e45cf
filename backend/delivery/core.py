"""The backend's core: what happened goes in as a batch, what follows from it comes out.

One transaction a batch. No sockets, no threads, no clock: `now` (ms) is an argument. The writer
drives it with the real time, the simulation with a time of its own.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from backend.brokers import connections
from backend.brokers.listening import Heard, Word
from backend.database import store
from backend.database.models import RETIRED, Board, database
from backend.delivery import commands
from backend.delivery.dispatcher import DUE_BATCH, Dispatcher
from backend.delivery.ingest import Ingest
from backend.delivery.part import Orders
from backend.delivery.parts import Parts
from backend.delivery.queueing import SYSTEM
from backend.delivery.upkeep import Options, Upkeep
from backend.delivery.wishes import Cancellation, NewCommand
from backend.delivery.work import Outcome, Task, Work
from backend.errors import Refusal
from backend.fleet import boards
from backend.fleet.newcomers import Announcement, Newcomers
from backend.fleet.presence import Roster
from backend.gallery.pictures import Pictures
from backend.settings import Settings


@dataclass(slots=True)
class Batch:
    """What has come in since the last transaction.

    `new`, `cancel` and `tasks` pair a request (any object; its answer comes back beside it) with
    what is asked for; `heard` is what boards said, `announced` what unknown ones did, `words` what
    is for scenes. `look`: another process may have changed boards.
    """

    new: list[tuple[Any, NewCommand]]
    cancel: list[tuple[Any, Cancellation]]
    heard: list[Heard]
    tasks: list[tuple[Any, Task]] = field(default_factory=list)
    announced: list[Announcement] = field(default_factory=list)
    look: bool = False
    words: list[Word] = field(default_factory=list)


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
        self.roster = Roster(connections.sites())
        self.dispatcher = Dispatcher(self.roster, rng)
        self.pictures = Pictures(image_idle_s)
        self.ingest = Ingest(self.roster, self.dispatcher, self.pictures, self.refused)
        self.upkeep = Upkeep(self.roster, options)
        self.parts = Parts(Orders(self.roster, self.dispatcher, rng))
        self.parts.gallery.bounds = options.pictures
        self.ingest.foreign.early = self.parts.scenes.steps.early
        self.ingest.listener.watches = self.parts.scenes.watches
        self.newcomers = Newcomers(self.roster)
        self._revision = boards.revision()
        for row in Board.select():
            self.roster.add(boards.presence_of(row))
        self.parts.readings.recall(self.roster)
        for board in self.roster.all():
            self.pictures.show(board)

    def apply(self, batch: Batch, now: int) -> Outcome:
        """One transaction. Raises store.Locked: then nothing has changed, here or there.

        Anything else that the database raises is the end: what boards said is half taken in.
        The answer beside a request is (row, created?) or a Refusal.
        """
        with store.transaction():
            self.pictures.sweep()
            work = Work(now, self.refused, self.parts, batch.words)
            for request, task in batch.tasks:
                work.out.tasks.append((request, self._run(work, task)))
            if batch.tasks or batch.look:
                self._take_over(work)
            work.out.answers = self._create(work, batch.new)
            for request, wish in batch.cancel:
                work.out.answers.append((request, self._cancel(work, wish)))
            self.newcomers.apply(work, batch.announced)
            self.ingest.apply(work, batch.heard)
            self.ingest.silence(work)
            self.ingest.foreign.dialogues.tick(work)
            for row in work.take(store.due(now, DUE_BATCH)):
                if row["due_at"] is not None and row["due_at"] <= now:
                    self.dispatcher.look(work, row)
            wanted = self.pictures.due(work, self.roster)
            self.pictures.asked(commands.create(work, self.dispatcher, wanted, self._rng))
            self.parts.act(work)
            self.dispatcher.send_ready(work)
            self.ingest.foreign.dialogues.finish(work)
            self.ingest.listener.settle(now)
            self.parts.follow(work)
            out = work.finish()
            self.upkeep.take(work, batch.heard)
            idle = not (batch.new or batch.cancel or batch.heard or batch.tasks)
            self.upkeep.sweep.turn(now, idle)
        if out.scrubbed:
            store.empty_log()
        return out

    def close(self, now: int) -> None:
        """Write what may be written later while this goes on. Raises store.Locked."""
        with store.transaction():
            self.ingest.listener.settle(now, at_once=True)

    def clock_set(self, by: int, now: int) -> None:
        """The clock that gives `now` was set by so many ms; raises store.Locked, like `apply`.

        Silence and retries go on as if it had not been; only expiry goes by the time of day.
        """
        with store.transaction():
            store.shift_due(by)
            self.parts.shift(by)
        self.roster.shift(by)
        self.pictures.shift(by)
        self.ingest.foreign.dialogues.shift(by)
        self.upkeep.sweep.shift(now)

    def next_due(self) -> int | None:
        """When `apply` should be called even if nothing comes in (ms), or None."""
        heard = self.ingest
        listener, dialogues = heard.listener, heard.foreign.dialogues
        times = [store.next_due(), self.pictures.next_due(self.roster), self.parts.next_due()]
        parts = (self.roster, dialogues, listener.topics, listener.parsing, self.upkeep.sweep)
        times += [part.next_due() for part in parts]
        return min((time for time in times if time is not None), default=None)

    @property
    def revision(self) -> int:
        """The newest change of a board by hand that the roster has taken over."""
        return self._revision

    @staticmethod
    def _run(work: Work, task: Task) -> Any:
        try:
            with database.atomic():
                return task(work)
        except Refusal as why:
            return why

    def _take_over(self, work: Work) -> None:
        """Let the roster be what administrators made of boards, here or in another process."""
        changed = Board.select().where(Board.revision > self._revision).order_by(Board.revision)
        for row in changed:
            self._revision = row.revision
            board = self.roster.get(row.id)
            if board is None:
                board = boards.presence_of(row)
                self.roster.add(board)
            before = self.roster.link_of(board)
            boards.take_over(board, row)
            self.roster.version += 1
            if self.roster.link_of(board) != before:  # not heard by its new link yet
                self.roster.unsure(board, work.now)
            if board.state == RETIRED:
                for open_one in work.take(store.open_of_board(row.id)):
                    commands.call_off(work, self.dispatcher, open_one, SYSTEM)
                self.roster.gone(board)
                self.ingest.downtimes.back(work, board)
                self.upkeep.alerts.end(work, board.board_id)
            work.groups.update(store.waiting_groups([row.id]))
            work.out.boards[row.id] = board

    def _create(self, work: Work, wanted: list[tuple[Any, NewCommand]]) -> list[Any]:
        """As `commands.create`, but for boards that have ceased to be active meanwhile."""
        ready, refused = [], []
        for request, new in wanted:
            try:
                boards.check_active(self.roster.get(new.board_id))
                ready.append((request, new))
            except Refusal as why:
                refused.append((request, why))
        return commands.create(work, self.dispatcher, ready, self._rng) + refused

    def _cancel(self, work: Work, wish: Cancellation) -> Any:
        try:
            return commands.cancel(work, self.dispatcher, wish), False
        except Refusal as why:
            return why
