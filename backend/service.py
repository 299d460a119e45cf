"""The backend as one object: what the web side, the tools and the tests call."""

import logging
import random
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backend import boards, commands
from backend.commands import Cancellation, NewCommand
from backend.core import Core
from backend.dispatcher import stops
from backend.errors import Busy, NotFound, Slow
from backend.events import Hub
from backend.images import Album
from backend.ingest import KINDS
from backend.lifecycle import OPEN
from backend.models import OPEN_SQL, database
from backend.mqtt import Link
from backend.settings import Settings
from backend.upkeep import Options
from backend.writer import Answer, Writer, now_ms

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0


class Backend:
    """A running backend: the core, its writer and its link to the broker.

    The database must be open (`schema.open_database`). Pictures go to the folder `images`.
    `broker_ca`: see `mqtt.Link`; `image_idle_s`: see `pictures`; `options`: `upkeep`.
    """

    def __init__(
        self,
        broker_url: str,
        window: int = 2_000,
        images: Path | None = None,
        broker_ca: Path | None = None,
        image_idle_s: float = Settings.image_idle_s,
        options: Options = Options(),  # noqa: B008 (it is frozen)
    ) -> None:
        self.events = Hub()
        self.failed = threading.Event()  # set when the writer ended by an error
        self._window = window
        self._core = Core(random.Random(), image_idle_s, options)
        self._writer = Writer(self._core, self.events, boards.public, self._ended)
        self._writer.album = Album(images) if images else None
        self._link = Link(
            broker_url,
            tuple(KINDS),
            self._writer.message,
            self._writer.link_changed,
            broker_ca,
        )
        self._writer.link = self._link
        self._started = time.monotonic()
        self._broker = urlsplit(broker_url)
        self.upkeep = self._core.upkeep

    def start(self) -> None:
        """Begin to listen and to send."""
        self._writer.start()
        self._link.start()

    def stop(self) -> None:
        """Finish what is queued, tell the watchers, disconnect."""
        self.events.close()
        self._writer.stop()
        self._writer.join(5)
        self._link.stop()

    def _ended(self, error: BaseException | None) -> None:
        if error is not None:
            self.failed.set()

    def post(self, new: NewCommand) -> tuple[dict[str, Any], bool]:
        """Queue a command: (command, created?) once it is durable.

        Raises Invalid, NotFound, Conflict, Busy where too much is under way (a stop always gets
        through), or Slow.
        """
        commands.check(new, self._core.roster)
        if not stops(new.command_type, new.parameters) and self._is_full():
            raise Busy("busy", "too many commands are under way; try again shortly", 1)
        return _answered(self._writer.submit(new))

    def cancel(self, command_id: str, user: str) -> dict[str, Any]:
        """Cancel a command, or ask its board to. Raises NotFound, Conflict, Busy, Slow."""
        return _answered(self._writer.submit(Cancellation(command_id, user)))[0]

    def _is_full(self) -> bool:
        return self._link.unfinished + self._writer.waiting > self._window

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
            raise NotFound("unknown_board", "board_id", f"there is no board {board_id!r}")
        return boards.public(board)

    def enroll(self, board_id: str, name: str = "") -> dict[str, str]:
        """Make a board known; see `boards.enroll`. Raises Invalid, Conflict."""
        told = boards.enroll(board_id, now_ms(), name)
        self._core.roster.add(boards.presence(board_id))
        return told

    def adopt(self) -> bool:
        """Take in the boards that another process has enrolled; whether there were any."""
        roster = self._core.roster
        if boards.count() == len(roster.all()):
            return False
        fresh = [known for known in boards.passwords() if roster.get(known) is None]
        for board_id in fresh:
            roster.add(boards.presence(board_id))
        return bool(fresh)

    def healthy(self) -> bool:
        """Whether all parts work; costs nothing."""
        return self._link.connected and self._writer.is_alive()

    def health_in_short(self) -> dict[str, Any]:
        """What anybody may know: whether all parts work, and since when. Costs nothing."""
        return {
            "status": "healthy" if self.healthy() else "degraded",
            "mqtt": {"connected": self._link.connected},
            "commandQueue": {"running": self._writer.is_alive()},
            "uptime": int(time.monotonic() - self._started),
        }

    def health(self) -> dict[str, Any]:
        """Whether all parts work, and how much is under way."""
        cursor = database.execute_sql(
            f"SELECT status, COUNT(*) FROM command WHERE {OPEN_SQL} GROUP BY status"
        )
        counts = dict(cursor.fetchall())
        online = sum(board.online is True for board in self._core.roster.all())
        short = self.health_in_short()
        return {
            **short,
            "mqtt": {
                "connected": self._link.connected,
                "host": self._broker.hostname,
                "port": self._broker.port,
                "unfinished": self._link.unfinished,
                "error": self._link.error,
            },
            # Nothing is polled: the queue moves with each command and each answer.
            "commandQueue": {
                **short["commandQueue"],
                "pollInterval": 0,
                "waiting": self._writer.waiting,
            },
            "commands": {status: counts.get(status, 0) for status in OPEN},
            "boards": {"online": online, "known": len(self._core.roster.all())},
            "alerts": self.upkeep.alerts.open,
            "refused": dict(self._core.refused),
        }


def _answered(answer: Answer) -> tuple[dict[str, Any], bool]:
    """What the writer says. Where it takes too long: Busy if it will not be done, else Slow."""
    try:
        return answer.result(ANSWER_SECONDS)
    except TimeoutError:
        if answer.cancel():
            raise Busy("busy", "this took too long and was not done; try again", 5) from None
        reason = (
            "this takes long and may have been done; repeat it with the same Idempotency-Key"
            " to learn of it"
        )
        raise Slow("slow", "", reason, 5) from None
