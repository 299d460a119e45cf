"""Every message on its way in: whose it is, whether it is to be processed, and what it means.

Rules of this file:
- every topic is noted, every failure counted by reason and written to the parsing log;
- whatever the bytes are, nothing here ends the backend: a message that did would come again.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocol import ProtocolError
from protocol.topics import COMMANDS, PREFIX, parse

from backend.brokers.parsing import Parsing
from backend.brokers.topics import Topics
from backend.database.models import PENDING_MAPPING, RETIRED
from backend.dialects import museum, registry
from backend.dialects.answerback import ANSWERBACK
from backend.dialects.dialect import Dialect
from backend.dialects.esp32cam import ESP32CAM, PREFIXES
from backend.dialects.meaning import Hello
from backend.dialects.museum import MUSEUM
from backend.fleet.newcomers import ANNOUNCING, Announcement, may_announce
from backend.fleet.presence import Presence, Roster

log = logging.getLogger(__name__)

WORD_BYTES = 1_000
FOREIGN = "foreign"  # the message of such a Heard is a list of meanings
_OUR_LEAVES = {(PREFIX, COMMANDS), *((prefix, "cmd") for prefix in PREFIXES)}
_NO_BOARD: dict[str, Any] = {"board_id": "", "key": b"", "actuators": {}, "options": {}}


@dataclass(slots=True)
class Heard:
    """One message of a board that was read and found right; an image's is a Header or Chunk."""

    board: Presence
    kind: str
    message: Any
    size: int = 0  # bytes


@dataclass(frozen=True, slots=True)
class Word:
    """What was said on a topic that scenes listen to, by which link."""

    topic: str
    text: str
    link: str


class Lines:
    """Where targets of museum boards may answer, and where they are spoken to."""

    def __init__(self, roster: Roster) -> None:
        self._roster, self._version = roster, -1
        self._lines: dict[str, list[tuple[str, str]]] = {}
        self._ours: set[str] = set()

    def of(self, topic: str, link: str) -> list[tuple[str, str]]:
        """(board id, target) of those that may answer there by this link: rooms of other brokers
        may have the same names.
        """
        self._refresh()
        return [one for one in self._lines.get(topic, ()) if self._link_of(one[0]) == link]

    def _link_of(self, board_id: str) -> str | None:
        board = self._roster.get(board_id)
        return None if board is None else self._roster.link_of(board)

    def is_ours(self, topic: str) -> bool:
        """Whether it is one on which boards are spoken to: what is heard there, we have said."""
        self._refresh()
        last = topic.rsplit("/", 1)[-1]
        first = topic.split("/", 1)[0]
        return topic in self._ours or (first, last) in _OUR_LEAVES

    def _refresh(self) -> None:
        if self._version != self._roster.version:
            self._version, self._lines, self._ours = self._roster.version, {}, set()
            for board in self._roster.all():
                if board.dialect == MUSEUM.name and board.state != RETIRED:
                    self._add(board)

    def _add(self, board: Presence) -> None:
        self._ours |= {f"{room}/STOP" for room in museum.rooms(board.actuators)}
        for target, about in board.actuators.items():
            self._ours.add(about["topic"])
            for line in set(museum.lines(about)):
                self._lines.setdefault(line, []).append((board.board_id, target))


class Listener:
    """Reads messages. `refused` counts what was not understood, by reason; `watches(topic, link)`:
    whether scenes wait for what is said there.
    """

    def __init__(self, roster: Roster, refused: Counter[str]) -> None:
        self._roster, self._refused = roster, refused
        self.topics, self.parsing, self.lines = Topics(), Parsing(), Lines(roster)
        self.watches: Callable[[str, str], bool] = lambda topic, link: False

    def hear(self, topic: str, payload: bytes, link: str) -> Heard | Announcement | Word | None:
        """What came by a link, or None where it is refused, switched off, or our own."""
        dialect, board, trouble = self._speaker(topic, link)
        entry = self.topics.see(topic, payload, board is not None)
        if entry is not None:
            entry.site = board.site if board else None
            if not entry.processable and self._has_parser(topic, dialect, link):
                entry.processable, entry.stored = True, False
            if not entry.active:
                self._refused["switched_off"] += 1
                return None
        if self.watches(topic, link) and not self.lines.of(topic, link):
            return Word(topic, payload[:WORD_BYTES].decode("utf-8", "replace"), link)
        if self.lines.is_ours(topic):
            return None
        try:
            return self._read(topic, payload, dialect, board, trouble)
        except ProtocolError as why:
            if dialect is ANSWERBACK and (newcomer := self._newcomer(topic, payload)):
                return newcomer
            self._refuse(topic, payload, dialect, board, why, why.code)
        except Exception as why:  # a parser's bug, which is not to end what runs beside it
            log.exception("a parser failed on %.120r", topic)
            self._refuse(topic, payload, dialect, board, why, "unknown_error")
        return None

    def settle(self, now: int, at_once: bool = False) -> None:
        """Write what was noted, as far as it is time to; in the caller's transaction."""
        self.topics.settle(now, at_once)
        self.parsing.settle(now, at_once)

    def _newcomer(self, topic: str, payload: bytes) -> Announcement | None:
        """What nobody can have signed yet, of a board that may announce itself."""
        with contextlib.suppress(ProtocolError):  # a topic that is no board's at all
            board_id, leaf = parse(topic)
            if leaf in ANNOUNCING and may_announce(self._roster.get(board_id)):
                return Announcement(board_id, ANSWERBACK.name, bytes(payload))
        return None

    def _speaker(
        self, topic: str, link: str
    ) -> tuple[Dialect | None, Presence | None, ProtocolError | None]:
        """(dialect, board, why nothing can be made of it): the last where one of them is None."""
        try:
            dialect, board_id = registry.speaker(topic)
        except ProtocolError as why:
            return None, None, why
        if board_id is None:
            answering = self.lines.of(topic, link)
            board_id = answering[0][0] if answering else ""
        board = self._roster.get(board_id)
        if board and dialect is ANSWERBACK and board.dialect == MUSEUM.name:
            dialect = MUSEUM
        if board is None or board.dialect != dialect.name:
            reason = "is not registered here"
            return dialect, None, ProtocolError("unknown_board", "board_id", reason)
        return self._allowed(dialect, board, link)

    def _allowed(
        self, dialect: Dialect, board: Presence, link: str
    ) -> tuple[Dialect, Presence | None, ProtocolError | None]:
        """A board that is known, but perhaps not to be heard."""
        if board.state == RETIRED:
            reason = "is of a board that was retired"
            return dialect, None, ProtocolError("retired", "board_id", reason)
        if self._roster.link_of(board) != link:
            reason = "is of a board of another connection"
            return dialect, None, ProtocolError("wrong_link", "topic", reason)
        return dialect, board, None

    def _read(
        self,
        topic: str,
        payload: bytes,
        dialect: Dialect | None,
        board: Presence | None,
        trouble: ProtocolError | None,
    ) -> Heard | Announcement | None:
        if dialect is ESP32CAM and (board is None or board.state == PENDING_MAPPING):
            return self._stranger(topic, payload, trouble)
        if trouble or dialect is None or board is None:
            raise trouble or ProtocolError("malformed", "topic", "is not known")
        said = dialect.read(topic, payload, board.facts)
        if dialect.exact:
            kind, message = said
            return Heard(board, kind, message, len(payload))
        return Heard(board, FOREIGN, said, len(payload)) if said else None

    @staticmethod
    def _stranger(topic: str, payload: bytes, why: ProtocolError | None) -> Announcement | None:
        """A MAC that is unknown, or not mapped, announces itself by HELLO; whatever else it says
        is refused, or of no account yet.
        """
        said = ESP32CAM.read(topic, payload, _NO_BOARD)
        _, board_id = registry.speaker(topic)
        for one in said:
            if isinstance(one, Hello) and board_id:
                return Announcement(board_id, ESP32CAM.name, {**one.claims, "sleeps": True})
        if said and why:
            raise why
        return None

    def _has_parser(self, topic: str, dialect: Dialect | None, link: str) -> bool:
        if dialect is None:
            return False
        if (dialect is MUSEUM and self.lines.of(topic, link)) or self.watches(topic, link):
            return True
        return any(registry.covers(pattern, topic) for pattern, _ in dialect.patterns(()))

    def _refuse(
        self,
        topic: str,
        payload: bytes,
        dialect: Dialect | None,
        board: Presence | None,
        why: Exception,
        code: str,
    ) -> None:
        self._refused[code] += 1
        log.info("refused a message on %.120r: %s (%s)", topic, why, code)
        parser, site = dialect.name if dialect else "", board.site if board else None
        self.parsing.failed(site, topic, parser, why, payload)
