"""Pictures that are not whole yet: kept over a restart of the backend, and asked for again.

Rules of this file:
- a table holds what `Receiver` holds, so both have its bounds; a picture nothing was heard of for
  KEPT_MS is given up;
- while its board is online, and no new chunk has come for `idle_s`, the board is asked for what is
  missing: ASKS times, with an ordinary `send_image` by the user SYSTEM. Then what is here is kept,
  and the board is asked anew when it starts the next time;
- what its board says it does not have (any more) is never asked for again; a board that is busy
  is asked once more after BUSY_MS, when it has forgotten some of its last commands;
- the rows of a whole picture go only in the next transaction, when it is a file.
Times are ms.
"""

import json
import logging
from dataclasses import dataclass
from typing import Any

from protocol.image_reading import Chunk, Header

from backend.database import store
from backend.delivery.lifecycle import IN_FLIGHT, PENDING
from backend.delivery.queueing import SYSTEM
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Work
from backend.fleet.presence import Presence, Roster
from backend.gallery import picture_rows
from backend.gallery import rows as gallery
from backend.gallery.images import Arrival, Assembly, Key, Receiver, chunks_in

log = logging.getLogger(__name__)

State = tuple[Header | None, int] | None  # of an Assembly: header, bytes


ASKS = 3
NEVER = 1_000  # instead of how often it was asked for: the board does not have it
LIFE_SECONDS = 60  # of a request: the board is there, and asked again after the next start
BUSY_MS = LIFE_SECONDS * 1000
KEPT_MS = 7 * 24 * 3600 * 1000


@dataclass(slots=True)
class Wait:
    """How it stands with one picture. `due_at`: when to look at it; None: after the next start."""

    at: int
    asked: int = 0
    due_at: int | None = 0
    command_id: str = ""


class Pictures:
    """The pictures on their way. `receiver` has what is here of each."""

    def __init__(self, idle_s: float) -> None:
        self.receiver = Receiver()
        self._idle_ms = int(idle_s * 1000)
        self._waits: dict[Key, Wait] = {}
        self._over: set[Key] = set()  # whole, and the rows still there
        self._load()

    def take(self, work: Work, board: Presence, said: Header | Chunk) -> None:
        """A part has come; a picture that is whole now goes to the outcome of `work`."""
        key = (board.board_id, said.image_id)
        one = self.receiver.get(key)
        before = _state(one)
        picture = self.receiver.take(board.board_id, said)
        if picture is None or one is None or one.header is None:
            self._note(work, board, said, before)
        else:
            self._over.add(key)
            self._waits.pop(key, None)
            parts = chunks_in(one.header)
            work.out.pictures.append(Arrival(*key, picture, one.header, parts))
            self.tell(work, board)
        for gone in self.receiver.dropped:
            self._forget(gone)
        self.receiver.dropped.clear()

    def woke(self, board_id: str, anew: bool, now: int) -> None:
        """A board is heard again: `anew` where it has started, and is asked at once."""
        for image_id in self.receiver.of_board(board_id):
            wait = self._waits[board_id, image_id]
            if anew and wait.asked != NEVER:
                wait.asked, wait.due_at = 0, now
            elif wait.due_at is not None:
                wait.due_at = now + self._idle_ms

    def refused(self, row: store.Row, now: int) -> None:
        """The board does not take a request: what it says it does not have, it will never send."""
        key = (row["board_id"], str(json.loads(row["parameters"]).get("image_id")))
        wait = self._waits.get(key)
        if wait and row["error"] == "bad_parameter":
            wait.asked, wait.due_at = NEVER, None
            self._save(key)
        elif wait and row["error"] == "busy" and row["id"] == wait.command_id:
            wait.asked, wait.due_at = max(0, wait.asked - 1), now + BUSY_MS
            self._save(key)

    def sweep(self) -> None:
        """The transaction before this one is settled: what became whole in it is a file now."""
        for key in self._over:
            picture_rows.erase(key)
        self._over.clear()

    def due(self, work: Work, roster: Roster) -> list[tuple[Key, NewCommand]]:
        """What is to be asked for now; the ids of the commands go to `asked`."""
        out = []
        for key, wait in list(self._waits.items()):
            if wait.at + KEPT_MS <= work.now:
                log.info(
                    "picture %s of %s did not become whole; given up",
                    key[1],
                    key[0],
                    extra={"board": key[0]},
                )
                self._forget(key)
            elif wait.due_at is not None and wait.due_at <= work.now and roster.is_online(key[0]):
                out += self._look(work, roster, key, wait)
        return out

    def asked(self, answers: list[tuple[Any, Any]]) -> None:
        """The answers of `commands.create` to what `due` has returned."""
        for key, (row, _) in answers:
            self._waits[key].command_id = row["id"]

    def next_due(self, roster: Roster) -> int | None:
        """When `due` may next have something to say, or None."""
        times = [wait.at + KEPT_MS for wait in self._waits.values()]
        for (board_id, _), wait in self._waits.items():
            if wait.due_at is not None and roster.is_online(board_id):
                times.append(wait.due_at)
        return min(times, default=None)

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        for wait in self._waits.values():
            wait.at += by
            wait.due_at = wait.due_at and wait.due_at + by

    def tell(self, work: Work, board: Presence) -> None:
        """Let the board's state say what of it is not whole."""
        self.show(board)
        work.out.boards[board.board_id] = board

    def show(self, board: Presence) -> None:
        """As `tell`, while nobody watches."""
        found = self.receiver.of_board(board.board_id)
        board.pictures = {
            name: {
                "parts": len(one.chunks),
                "of": len(one.chunks) + len(one.missing()) if one.header else None,
                "asked": self._waits[board.board_id, name].asked % NEVER,
                "waiting": self._waits[board.board_id, name].due_at is not None,
            }
            for name, one in found.items()
        }

    def _note(self, work: Work, board: Presence, said: Header | Chunk, before: State) -> None:
        """Write down what has changed, and wait for more of it."""
        key = (board.board_id, said.image_id)
        one = self.receiver.get(key)
        if one is None or _state(one) == before:
            return
        wait = self._waits.setdefault(key, Wait(work.now))
        wait.at, wait.due_at = work.now, work.now + self._idle_ms
        if before and one.header == before[0] and one.size > before[1]:
            assert isinstance(said, Chunk)
            picture_rows.insert(key, said.index, said.data)
            if _tenth(before) != _tenth(_state(one)):
                self.tell(work, board)
        else:
            self._over.discard(key)
            picture_rows.rewrite(key, one, wait.asked, wait.at)
            self.tell(work, board)

    def _look(
        self, work: Work, roster: Roster, key: Key, wait: Wait
    ) -> list[tuple[Key, NewCommand]]:
        one, board = self.receiver.get(key), roster.get(key[0])
        assert one is not None and board is not None
        if _is_kept(key, one):  # doubled parts of one that is here already
            self._forget(key)
        elif wait.due_at == 0 or self._is_asked(work, wait):
            wait.due_at = work.now + self._idle_ms
            return []
        elif wait.asked >= ASKS:
            wait.due_at = None
            log.info(
                "picture %s of %s stays incomplete for now",
                key[1],
                key[0],
                extra={"board": key[0]},
            )
        else:
            wait.asked, wait.due_at = wait.asked + 1, work.now + self._idle_ms
            self._save(key)
            self.tell(work, board)
            return [(key, self._request(key, one))]
        self.tell(work, board)
        return []

    def _request(self, key: Key, one: Assembly) -> NewCommand:
        parameters = {"image_id": key[1]}
        if one.header and one.chunks:
            parameters["missing"] = self.receiver.missing(*key)
        reason = "parts of the picture are missing"
        return NewCommand(
            key[0], "send_image", "", parameters, LIFE_SECONDS, SYSTEM, reason=reason
        )

    @staticmethod
    def _is_asked(work: Work, wait: Wait) -> bool:
        rows = work.take(store.by_ids([wait.command_id])) if wait.command_id else []
        return any(row["status"] in (PENDING, *IN_FLIGHT) for row in rows)

    def _load(self) -> None:
        for kept in picture_rows.load():
            for said in kept.said:
                self.receiver.take(kept.key[0], said)
            due_at = None if kept.asked == NEVER else 0
            self._waits[kept.key] = Wait(kept.at, kept.asked, due_at)
        self._over.update(key for key in self._waits if self.receiver.get(key) is None)
        for key in self._over:
            del self._waits[key]
        self.receiver.dropped.clear()

    def _save(self, key: Key) -> None:
        picture_rows.save(key, self._waits[key].asked, self._waits[key].at)

    def _forget(self, key: Key) -> None:
        self.receiver.drop(key)
        self._waits.pop(key, None)
        picture_rows.erase(key)


def _is_kept(key: Key, one: Assembly) -> bool:
    digests = [bytes.fromhex(row["sha256"]) for row in gallery.some([key])]
    return any(one.header is None or one.header.digest == digest for digest in digests)


def _state(one: Assembly | None) -> State:
    return (one.header, one.size) if one else None


def _tenth(state: State) -> int | None:
    return 10 * state[1] // state[0].size if state and state[0] else None
