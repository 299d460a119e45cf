"""What boards say: read, checked, and turned into steps of commands and changes of presence.

Bytes that can't be read are counted by reason and logged; they change nothing and end nothing.
What a board says of its presence counts only where it is not a late word of an earlier session or
boot: see `Presence.believe`.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from protocol.image_reading import Chunk, Header
from protocol.limits import COMMAND_LIFE_MAX
from protocol.messages import ACCEPTED, CANCELLED, FAILED, PROGRESS, REJECTED, RESULTS

from backend.automations.pushing import REFLEX
from backend.brokers.listening import FOREIGN, Heard, Listener, Word
from backend.database import store
from backend.database.models import Board
from backend.delivery import greeting, updates
from backend.delivery.dispatcher import Dispatcher
from backend.delivery.foreign import Foreign
from backend.delivery.lifecycle import ENDED, UNKNOWN
from backend.delivery.work import Work
from backend.fleet import logs, sensors, wakes
from backend.fleet.downtime import Downtimes
from backend.fleet.newcomers import Announcement
from backend.fleet.presence import Presence, Roster
from backend.gallery.images import Receiver
from backend.gallery.pictures import Pictures

log = logging.getLogger(__name__)


class Ingest:
    """Reads messages and applies them. `refused` counts what was not understood, by reason."""

    def __init__(
        self, roster: Roster, dispatcher: Dispatcher, pictures: Pictures, refused: Counter[str]
    ) -> None:
        self._roster, self._dispatcher, self.refused = roster, dispatcher, refused
        self._pictures = pictures
        self.downtimes = Downtimes(roster)
        self._appliers: dict[str, Callable[[Work, Presence, Any], None]] = {
            "ack": self._ack,
            "startup": self._startup,
            "heartbeat": self._heartbeat,
            "status": self._status,
            "log": self._log,
            "sensors": self._measured,
            "threshold": self._measured,
            "image": self._image,
            FOREIGN: lambda work, board, said: self.foreign.apply(work, board, said),
        }
        self.listener = Listener(roster, refused)
        # What other dialects send is not asked for as our own pictures are: see `dialogues`.
        self.foreign = Foreign(
            roster, dispatcher, Receiver(), self.listener.lines, refused, self.downtimes
        )

    def read(
        self, topic: str, payload: bytes, link: str = ""
    ) -> Heard | Announcement | Word | None:
        """The message that came by a link, or None where it is refused: counted and logged with
        the reason.
        """
        return self.listener.hear(topic, payload, link)

    def apply(self, work: Work, heard: list[Heard]) -> None:
        """Apply a batch in the order in which it came."""
        wanted = {one.message["command_id"] for one in heard if one.kind == "ack"}
        if wanted:
            work.take(store.by_ids(sorted(wanted)))
        for one in heard:
            self._appliers[one.kind](work, one.board, one.message)

    def silence(self, work: Work) -> None:
        """Note the boards that have not been heard for too long, and who has come and gone."""
        self.downtimes.look(work)

    def _ack(self, work: Work, board: Presence, ack: dict[str, Any]) -> None:
        row = work.row(ack["command_id"])
        if row is None and REFLEX.fullmatch(ack["command_id"]):
            work.reflexes.append((board.board_id, ack))
            return
        if row is None or row["board_id"] != board.board_id:
            self.refused["unknown_command"] += 1
            about = {"board": board.board_id, "command": ack["command_id"]}
            log.info("%s answered %s, which is no command of it", *about.values(), extra=about)
            return
        state = ack["state"]
        if state == FAILED and ack["error"] == "never" and row["cancelling"]:
            state = CANCELLED
        if not work.step(
            row, state, ack["error"], {**ack["result"], "boot": ack["boot"]}, "board"
        ):
            return
        row["boot"] = ack["boot"]
        if state in RESULTS:
            row["error"], row["message"] = ack["error"], ack["message"]
            row["result"] = json.dumps(ack["result"])
        updates.settle(work, board, row)
        if row["command_type"] == "send_image" and state == REJECTED:
            self._pictures.refused(row, work.now)
        self._await(work, row, state, ack["result"])

    def _await(self, work: Work, row: store.Row, state: str, result: dict[str, Any]) -> None:
        """Set the timer that fits what the board has just said."""
        if row["status"] in ENDED:
            return
        if state in (ACCEPTED, PROGRESS):
            within = result.get("within")
            within = within if type(within) is int else COMMAND_LIFE_MAX
            self._dispatcher.accepted(work, row, min(max(within, 0), COMMAND_LIFE_MAX))
        elif row["status"] == UNKNOWN:
            self._dispatcher.unsure(work, row)

    def _log(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        if not logs.keep(board.board_id, said):
            self.refused["unknown_command"] += 1
            about = {"board": board.board_id, "command": said["command_id"]}
            log.info("%s told of a log nobody asked for: %s", *about.values(), extra=about)

    def _startup(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        greeting.tell_time(work, board, said)
        anew = said["boot"] != board.boot
        if not self._believed(board, said):
            return
        board.firmware, board.board = said["firmware"], said["board"]
        board.actuators, board.heap = said["actuators"], said["heap"]
        board.has = said["has"]
        board.slot, board.slot_state = said["slot"], said["slot_state"]
        board.running, board.latched = {}, said["latched"]
        self._roster.heard(board, work.now)
        self.downtimes.back(work, board)
        if anew:
            sensors.forget(board)
        Board.update(
            boot=board.boot,
            firmware=board.firmware,
            board=board.board,
            actuators=json.dumps(board.actuators),
            has=board.has,
        ).where(Board.id == board.board_id).execute()
        self._rouse(work, board, anew)

    def _heartbeat(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        if not self._alive(work, board, said):
            return
        board.pace.beat(work.now)
        board.heap, board.rssi, board.uptime = said["heap"], said["rssi"], said["uptime"]
        news = (said["running"], said["latched"])
        if (board.running, board.latched) != news:
            board.running, board.latched = news
            work.out.boards[board.board_id] = board

    def _measured(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        take = sensors.take_readings if "readings" in said else sensors.take_limit
        left_out = take(work, board, said)
        if left_out:
            self.refused["too_many_sensors"] += left_out
            about = {"board": board.board_id}
            log.info(
                "%s: %d readings are of too many sensors", *about.values(), left_out, extra=about
            )
        work.out.boards[board.board_id] = board

    def _image(self, work: Work, board: Presence, said: Header | Chunk) -> None:
        """A part of a picture; one that is whole is to be kept before this is acknowledged."""
        self._pictures.take(work, board, said)

    def _status(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        if said["status"] == "online":
            self._alive(work, board, said)
        elif said["boot"] == board.boot and self._believed(board, said):
            board.asleep_until = said["until"] * 1000 or None
            self.downtimes.left(work, board)

    def _alive(self, work: Work, board: Presence, said: dict[str, Any]) -> bool:
        """A sign of life other than a startup. False where it is a late one."""
        boot = board.boot
        if not self._believed(board, said):
            return False
        came = self._roster.heard(board, work.now)
        self.downtimes.back(work, board)
        if board.boot != boot:  # its startup message was lost
            board.running, board.slot_state = {}, ""
            Board.update(boot=board.boot).where(Board.id == board.board_id).execute()
        if came or board.boot != boot:
            self._rouse(work, board, board.boot != boot)
        return True

    @staticmethod
    def _believed(board: Presence, said: dict[str, Any]) -> bool:
        believed = board.believe(said["boot"], said["session"])
        if not believed:
            log.debug("%s: a word of %s/%s is late", board.board_id, said["boot"], said["session"])
        return believed

    def _rouse(self, work: Work, board: Presence, anew: bool) -> None:
        work.out.boards[board.board_id] = board
        self._pictures.woke(board.board_id, anew, work.now)
        wakes.woke(work, board)
        self._dispatcher.rouse(work, board)
