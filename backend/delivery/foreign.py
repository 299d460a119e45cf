"""What boards of other dialects say, applied to commands, presence, sensors and pictures.

An answer without an id is matched to the one command that is under way where it came from. Where
there is none, or more than one, it proves nothing: it is counted, and nothing changes.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from backend.brokers.listening import Lines
from backend.database import store
from backend.database.store import Row
from backend.delivery.dialogues import Dialogues
from backend.delivery.dispatcher import Dispatcher
from backend.delivery.lifecycle import IN_FLIGHT
from backend.delivery.work import Work
from backend.dialects.dialect import BY_TOPIC
from backend.dialects.esp32cam import ESP32CAM
from backend.dialects.meaning import Answer, Hello, Meaning, Measured, Part, Picture
from backend.dialects.meaning import Presence as Said
from backend.fleet import sensors
from backend.fleet.downtime import Downtimes
from backend.fleet.presence import Presence, Roster
from backend.gallery.images import Receiver


class Foreign:
    """Applies meanings; `dialogues` are the boards that sleep and are awake now."""

    def __init__(
        self,
        roster: Roster,
        dispatcher: Dispatcher,
        images: Receiver,
        lines: Lines,
        refused: Counter[str],
        downtimes: Downtimes,
    ) -> None:
        self._roster, self._dispatcher, self._lines = roster, dispatcher, lines
        self.refused, self._downtimes = refused, downtimes
        # Whether a command that is written down as sent has not gone out yet at a time.
        self.early: Callable[[str, int], bool] = lambda command_id, now: False
        self.dialogues = Dialogues(roster, dispatcher, images, downtimes)
        self._appliers: dict[type, Callable[[Work, Presence, Any], object]] = {
            Answer: self._answer,
            Hello: self.dialogues.hello,
            Measured: self._measured,
            Part: self._part,
            Picture: self.dialogues.picture,
            Said: self._presence,
        }

    def apply(self, work: Work, board: Presence, said: list[Meaning]) -> None:
        """Everything one message means."""
        for one in said:
            self._appliers[type(one)](work, board, one)

    def _presence(self, work: Work, board: Presence, said: Said) -> None:
        if said.online:
            self._heard(work, board)
        else:
            self._downtimes.left(work, board)

    def _heard(self, work: Work, board: Presence) -> None:
        came = self._roster.heard(board, work.now)
        self._downtimes.back(work, board)
        if came:
            work.out.boards[board.board_id] = board
            self._dispatcher.rouse(work, board)

    def _measured(self, work: Work, board: Presence, said: Measured) -> None:
        self.dialogues.heard(work, board)
        at = said.at or work.now // 1000
        readings = [
            {"sensor": name, "value": value, "unit": unit, "timestamp": at}
            for name, (value, unit) in said.readings.items()
        ]
        about = {"boot": board.boot, "failed": {}, "guessed": not said.at}
        sensors.take_readings(work, board, {**about, "readings": readings})
        work.out.boards[board.board_id] = board

    def _part(self, work: Work, board: Presence, said: Part) -> None:
        if not self.dialogues.part(work, board, said):
            self.refused["unwanted_chunk"] += 1

    def _answer(self, work: Work, board: Presence, said: Answer) -> None:
        rows = self._under_way(work, board, said)
        if len(rows) != 1:
            self.refused["ambiguous_answer" if rows else "unexpected_answer"] += 1
            return
        row = rows[0]
        told = {**BY_TOPIC, **({"topic": said.line} if said.line else {})}
        speaker = self._roster.get(row["board_id"]) or board
        sleeps = speaker.dialect == ESP32CAM.name
        (self.dialogues.heard if sleeps else self._heard)(work, speaker)
        if work.step(row, said.state, said.error, told, "board"):
            row["error"] = said.error
            within = self._dispatcher.guesses.wait_ms(row)
            if said.state == "accepted" and within is not None:
                row["due_at"] = work.now + within

    def _under_way(self, work: Work, board: Presence, said: Answer) -> list[Row]:
        """The commands this may be the answer to."""
        link = self._roster.link_of(board)
        places = self._lines.of(said.line, link) if said.line else [(board.board_id, None)]
        work.flush()
        found = []
        for board_id in {place[0] for place in places}:
            for row in work.take(store.unfinished_of_board(board_id)):
                aimed = (board_id, None) in places or (board_id, row["target"]) in places
                if row["status"] in IN_FLIGHT and aimed and not self.early(row["id"], work.now):
                    found.append(row)
        kinds = (None, "", *(row["command_type"] for row in found))
        if said.command_type not in kinds:
            return []
        return [row for row in found if said.command_type in (None, row["command_type"])]
