"""What must hold at every step: looked at with every commit and every word of a board.

What is seen here is also the evidence for what must hold at the end.
"""

from typing import Any

from protocol.messages import ACCEPTED, COMPLETED

from backend.delivery import lifecycle
from backend.delivery.work import Outcome
from backend.fleet.presence import Presence
from tests.simulation.board import Board
from tests.simulation.world import World

TABLE = dict(lifecycle.TABLE)  # as it was before anybody planted anything
SETTLED = ("interrupted", "forgotten")  # the board itself has said that it can't tell more


class Watch:
    """`broken`: rules that were broken, as text.

    `status`: {id: status as last committed}; `sent`: {id: moment it was first to be published};
    `accepted`: ids a board said it has; `done`: {id: moment a board first said it is completed}.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.broken: list[str] = []
        self.status: dict[str, str] = {}
        self.open: set[str] = set()
        self.sent: dict[str, int] = {}
        self.accepted: set[str] = set()
        self.done: dict[str, int] = {}
        self._known: dict[str, tuple[Presence, str, int]] = {}  # board, its boot and session

    def committed(self, outcome: Outcome, boards: list[Presence]) -> None:
        """The backend has committed this, and holds that of its boards."""
        for board in boards:
            self._epoch(board)
        for entry, row in outcome.changes:
            self._step(entry, row["id"])
        for _, row in outcome.changes:
            self._judge(row)
        for board_id, message in outcome.publish:
            kind, command_id = message["command_type"], message["command_id"]
            self._world.note("backend to", board_id, kind, command_id)
            if kind != "time":
                self._published(message)

    def said(self, board: Board, ack: dict[str, Any]) -> None:
        """A board is about to send this."""
        command_id, state = ack["command_id"], ack["state"]
        if state == ACCEPTED:
            self.accepted.add(command_id)
            if not board.flash.holds(command_id):
                self.broken.append(f"{command_id} was accepted and is not on flash")
        elif state == COMPLETED:
            self.done.setdefault(command_id, self._world.moment())

    def _epoch(self, board: Presence) -> None:
        before, boot, session = self._known.get(board.board_id, (None, "", 0))
        if before is board and boot == board.boot and board.session < session:
            self.broken.append(
                f"{board.board_id} went back from session {session} to {board.session}"
            )
        self._known[board.board_id] = (board, board.boot, board.session)

    def _step(self, entry: dict[str, Any], command_id: str) -> None:
        before, event, after = entry["from_status"], entry["event"], entry["to_status"]
        self._world.note("commit", command_id, event, before, "->", after, entry["error"] or "")
        if event == "create":
            right = before == "" and after == lifecycle.START and command_id not in self.status
        else:
            right = TABLE.get((before, event)) == after and self.status[command_id] == before
        if not right:
            known = self.status.get(command_id)
            self.broken.append(f"{command_id}: {before} {event} {after}, and it was {known}")
        self.status[command_id] = after

    def _judge(self, row: dict[str, Any]) -> None:
        ended = row["status"] in lifecycle.ENDED
        settled = row["status"] == lifecycle.UNKNOWN and row["error"] in SETTLED
        (self.open.discard if ended or settled else self.open.add)(row["id"])

    def _published(self, message: dict[str, Any]) -> None:
        command_id = message["command_id"]
        if command_id not in self.status:
            self.broken.append(f"{command_id} was sent and is no command")
        if message["command_type"] not in ("query", "cancel"):
            self.sent.setdefault(command_id, self._world.moment())
