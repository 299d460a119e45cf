"""The backend as one object: what the web side, the tools and the tests call."""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.brokers.links import DEFAULT, Links
from backend.brokers.linkstate import CAP_SECONDS, Address
from backend.brokers.reconciler import LOOK_SECONDS, Reconciler
from backend.delivery import commands
from backend.delivery.answering import answered
from backend.delivery.core import Core
from backend.delivery.dispatcher import stops
from backend.delivery.events import Hub
from backend.delivery.tally import Tally
from backend.delivery.upkeep import Options
from backend.delivery.wishes import Cancellation, NewCommand
from backend.delivery.work import Task
from backend.delivery.writer import Writer, now_ms
from backend.dialects import registry
from backend.dialects.dialect import Subscription
from backend.errors import Busy, no_board
from backend.fleet import boards
from backend.gallery.album import Album
from backend.gallery.keeping import mend
from backend.health import Health
from backend.scenes.edges import Edges
from backend.settings import Settings


class Backend:
    """A running backend: the core, its writer, its links to brokers and their reconciler.

    The database must be open (`schema.open_database`). Pictures go to the folder `images`.
    `broker_url`, `broker_ca`: of the default link; `retry_cap`, `look_every`: see `Links`,
    `Reconciler`; `image_idle_s`: see `pictures`; `options`: `upkeep`.
    `dialects`: those to listen for even where no board of them is known; `discover`: further topic
    patterns to listen to, so that what is said there is known. `player`, `media`: see `Player`.
    """

    def __init__(
        self,
        broker_url: str,
        window: int = 2_000,
        images: Path | None = None,
        broker_ca: Path | None = None,
        image_idle_s: float = Settings.image_idle_s,
        options: Options = Options(),  # noqa: B008 (it is frozen)
        *,
        retry_cap: float = CAP_SECONDS,
        look_every: float = LOOK_SECONDS,
        dialects: tuple[str, ...] = (),
        discover: tuple[str, ...] = (),
        player: str = "",
        media: Path = Path(),
    ) -> None:
        self.events = Hub()
        self.failed = threading.Event()  # set when the writer ended by an error
        self._window = window
        self._core = Core(random.Random(), image_idle_s, options)
        self._writer = Writer(self._core, self.events, boards.public, self._ended)
        self._writer.album = Album(images) if images else None
        self._scenes = Edges(self._core, self._writer, player, media)
        self._asked, self._also, self._listened = dialects, discover, -1
        self._links = self._writer.links = Links(
            Address.of(broker_url, broker_ca.read_text() if broker_ca else ""),
            self.subscriptions(),
            self._writer.message,
            self._writer.link_changed,
            2 * window,  # stops, and what is sent again, are not refused
            retry_cap,
        )
        self._reconciler = Reconciler(self._links, self._writer, self.events, look_every)
        parts = (self._core, self._writer, self._links, self._reconciler)
        self._health = Health(*parts, broker_url)
        # Called after boards were changed in this process: who may use the broker is another.
        self.on_boards: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to listen and to send, once what a crash has left is put right."""
        for task in mend(self._writer.album) if self._writer.album else ():
            self._writer.perform(task)
        self._writer.start()
        self._links.start()
        self._reconciler.start()
        self._scenes.start()

    def stop(self) -> None:
        """Finish what is queued, tell the watchers, disconnect."""
        self.events.close()
        self._scenes.stop()
        self._reconciler.stop()
        self._reconciler.join(5)
        self._writer.stop()
        self._writer.join(2)
        self._links.drain(0.5)
        self._links.stop()

    def connections_changed(self) -> None:
        """Have what was changed in the connections' rows made so now."""
        self._reconciler.wake()

    def _ended(self, error: BaseException | None) -> None:
        if error is not None:
            self.failed.set()

    def post(self, new: NewCommand) -> tuple[dict[str, Any], bool]:
        """Queue a command: (command, created?) once it is durable.

        Raises Invalid, NotFound, Conflict, Busy where too much is under way (a stop always gets
        through), or Slow.
        """
        self.check(new)
        if not stops(new.command_type, new.parameters) and self._is_full(new.board_id):
            raise Busy("busy", "too many commands are under way; try again shortly", 1)
        accepted: tuple[dict[str, Any], bool] = answered(self._writer.submit(new))
        return accepted

    def check(self, new: NewCommand) -> None:
        """What `post` refuses before anything else. Raises Invalid, NotFound, Conflict."""
        commands.check(new, self._core.roster)

    def cancel(self, wish: Cancellation) -> dict[str, Any]:
        """Cancel a command, or ask its board to. Raises NotFound, Conflict, Busy, Slow."""
        row: dict[str, Any] = answered(self._writer.submit(wish))[0]
        return row

    def _is_full(self, board_id: str) -> bool:
        board = self._core.roster.get(board_id)
        link = self._core.roster.link_of(board) if board else DEFAULT
        return self._links.unfinished(link) + self._writer.waiting > self._window

    def command(self, command_id: str) -> dict[str, Any]:
        """A command with its history. Raises NotFound."""
        return commands.get(command_id)

    def commands(self, **filters: Any) -> list[dict[str, Any]]:
        """Commands, newest first; see `commands.find`."""
        return commands.find(**filters)

    def boards(self) -> list[dict[str, Any]]:
        """Every board, by id."""
        return [boards.public(board) for board in self._core.roster.all()]

    def board(self, board_id: str) -> dict[str, Any]:
        """One board. Raises NotFound."""
        board = self._core.roster.get(board_id)
        if board is None:
            raise no_board(board_id)
        return boards.public(board)

    def limits(self, board_id: str) -> list[tuple[str, str, float]]:
        """See `Part.limits`."""
        return self._core.parts.limits(board_id)

    def site_of(self, board_id: str) -> str | None:
        """The site a board belongs to, or None; costs nothing. Raises NotFound."""
        board = self._core.roster.get(board_id)
        if board is None:
            raise no_board(board_id)
        return board.site

    def enroll(
        self,
        board_id: str,
        name: str = "",
        dialect: str = "answerback",
        options: dict[str, Any] | None = None,
    ) -> dict[str, str]:
        """Make a board known; see `boards.enroll`. Raises Invalid, Conflict."""
        told = boards.enroll(board_id, now_ms(), name, dialect=dialect, options=options)
        self._core.roster.add(boards.presence(told["board_id"]))
        return told

    def perform(self, task: Task) -> Any:
        """Do a task in one transaction (see provisioning); what it says, once that is durable.

        Raises what the task does, Busy, Slow.
        """
        answer = answered(self._writer.perform(task))
        self.on_boards()
        return answer

    def boards_changed(self) -> None:
        """Take over at once what was changed in the tables."""
        self._writer.look()
        self.on_boards()

    def listen(self) -> None:
        """Subscribe to what the boards that are known now need; costs nothing where they are the
        same as the last time.
        """
        if self._listened != self._core.roster.version:
            self._listened = self._core.roster.version
            self._links.subscribe(self.subscriptions())

    def subscriptions(self) -> list[Subscription]:
        """(topic pattern, QoS) of all that is listened to."""
        known = [(board.dialect, board.facts) for board in self._core.roster.all()]
        also = (*self._also, *self._core.parts.scenes.topics())
        return registry.subscriptions(known, self._asked, also)

    def topics(self, limit: int, after: str) -> tuple[list[dict[str, Any]], int]:
        """(topics that were seen, see `Topics.find`; how many messages were not counted)."""
        topics = self._core.ingest.listener.topics
        return topics.find(limit, after), topics.beyond

    def switch_topic(self, topic: str, active: bool) -> dict[str, Any]:
        """See `Topics.switch`. Raises NotFound."""
        return self._core.ingest.listener.topics.switch(topic, active)

    def failures_not_kept(self) -> int:
        """How much that was not understood was only counted."""
        return self._core.ingest.listener.parsing.beyond

    def adopt(self) -> bool:
        """Take over what another process has changed of boards; whether there was anything."""
        if boards.revision() == self._core.revision:
            return False
        self._writer.look()
        return True

    def figures(self) -> tuple[Tally, dict[str, int]]:
        """(counters since the start, {table: rows deleted by age}): copies."""
        return self._core.upkeep.figures()

    def healthy(self) -> bool:
        """See `Health.good`."""
        return self._health.good()

    def health_in_short(self) -> dict[str, Any]:
        """See `Health.short`."""
        return self._health.short()

    def health(self) -> dict[str, Any]:
        """See `Health.full`."""
        return self._health.full()
