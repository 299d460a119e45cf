"""What boards say: read, checked, and turned into steps of commands and changes of presence.

Bytes that can't be read are counted by reason and logged; they change nothing and end nothing.
"""

import json
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

from protocol import ProtocolError, decode
from protocol.limits import COMMAND_LIFE_MAX
from protocol.messages import ACCEPTED, CANCELLED, FAILED, PROGRESS, RESULTS
from protocol.topics import ACK, HEARTBEAT, STARTUP, STATUS, parse

from backend import store
from backend.dispatcher import Dispatcher
from backend.lifecycle import ENDED, UNKNOWN
from backend.models import Board
from backend.presence import Presence, Roster
from backend.work import Work

log = logging.getLogger(__name__)

_KINDS = {ACK: "ack", STATUS: "status", STARTUP: "startup", HEARTBEAT: "heartbeat"}


@dataclass(slots=True)
class Heard:
    """One message of a board that was read and found right."""

    board: Presence
    kind: str
    message: dict[str, Any]


class Ingest:
    """Reads messages and applies them. `refused` counts what was not understood, by reason."""

    def __init__(self, roster: Roster, dispatcher: Dispatcher, refused: Counter[str]) -> None:
        self._roster, self._dispatcher, self.refused = roster, dispatcher, refused

    def read(self, topic: str, payload: bytes) -> Heard | None:
        """The message, or None where it is refused: counted and logged with the reason."""
        try:
            board_id, leaf = parse(topic)
            board = self._roster.get(board_id)
            if board is None:
                raise ProtocolError("unknown_board", "board_id", "is not registered here")
            if leaf not in _KINDS:
                raise ProtocolError("unknown_type", "topic", "is not read by this version")
            return Heard(board, _KINDS[leaf], decode(_KINDS[leaf], payload, board.key))
        except ProtocolError as why:
            self.refused[why.code] += 1
            log.info("refused a message on %.120r: %s (%s)", topic, why, why.code)
            return None

    def apply(self, work: Work, heard: list[Heard]) -> None:
        """Apply a batch in the order in which it came."""
        wanted = {one.message["command_id"] for one in heard if one.kind == "ack"}
        if wanted:
            work.take(store.by_ids(sorted(wanted)))
        for one in heard:
            if one.kind == "ack":
                self._ack(work, one.board, one.message)
            elif one.kind == "startup":
                self._startup(work, one.board, one.message)
            elif one.kind == "heartbeat":
                self._heartbeat(work, one.board, one.message)
            else:
                self._status(work, one.board, one.message)

    def silence(self, work: Work) -> None:
        """Note the boards that have not been heard for too long."""
        for board in self._roster.silent(work.now):
            self._gone(work, board)

    def _ack(self, work: Work, board: Presence, ack: dict[str, Any]) -> None:
        row = work.row(ack["command_id"])
        if row is None or row["board_id"] != board.board_id:
            self.refused["unknown_command"] += 1
            log.info(
                "%s answered %s, which is no command of it", board.board_id, ack["command_id"]
            )
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

    def _startup(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        board.boot, board.session = said["boot"], said["session"]
        board.firmware, board.board = said["firmware"], said["board"]
        board.actuators, board.heap = said["actuators"], said["heap"]
        self._roster.heard(board, work.now)
        board.running = {}
        work.out.boards[board.board_id] = board
        self._tell_time(work, board)
        Board.update(
            boot=board.boot,
            firmware=board.firmware,
            board=board.board,
            actuators=json.dumps(board.actuators),
            online=True,
            changed_at=work.now,
        ).where(Board.id == board.board_id).execute()
        self._dispatcher.rouse(work, board)

    def _heartbeat(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        board.heap, board.rssi, board.uptime = said["heap"], said["rssi"], said["uptime"]
        changed = board.running != said["running"]
        board.running = said["running"]
        if self._alive(work, board, said) or changed:
            work.out.boards[board.board_id] = board

    def _status(self, work: Work, board: Presence, said: dict[str, Any]) -> None:
        if said["status"] == "online":
            self._alive(work, board, said)
        elif (said["boot"], said["session"]) == (board.boot, board.session):
            self._gone(work, board)
        else:
            log.debug("%s: an offline of another session is ignored", board.board_id)

    def _alive(self, work: Work, board: Presence, said: dict[str, Any]) -> bool:
        """A sign of life other than a startup; True where the board was not online before."""
        board.boot, board.session = said["boot"], said["session"]
        if not self._roster.heard(board, work.now):
            return False
        self._note(work, board, True)
        self._dispatcher.rouse(work, board)
        return True

    def _gone(self, work: Work, board: Presence) -> None:
        if self._roster.gone(board):
            self._note(work, board, False)

    @staticmethod
    def _note(work: Work, board: Presence, online: bool) -> None:
        work.out.boards[board.board_id] = board
        Board.update(boot=board.boot, online=online, changed_at=work.now).where(
            Board.id == board.board_id
        ).execute()

    @staticmethod
    def _tell_time(work: Work, board: Presence) -> None:
        """Answer a startup with the time; the echo shows the board that this is no recording."""
        now = work.now // 1000
        message = {
            "command_id": f"time-{board.boot}-{board.session}",
            "command_type": "time",
            "target": "",
            "parameters": {"boot": board.boot, "session": board.session},
            "timestamp": now,
            "expires_at": now + 60,
            "attempt": 1,
        }
        work.out.publish.append((board.board_id, message))
