"""The link of one boot of a board: what the firmware's link does with its node."""

from typing import TYPE_CHECKING

from tests.simulation.broker import Broker
from tests.simulation.client import Client
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.board import Board


class BoardClient(Client):
    """The link of one boot."""

    def __init__(self, world: World, broker: Broker, board: "Board") -> None:
        pauses = (500, 1000, 2000, 4000, 8000, 15000)
        super().__init__(world, broker, board.board_id, True, pauses)
        self._board = board

    def will(self) -> tuple[str, bytes] | None:
        """Offline, with the session that is about to begin."""
        return self._board.status("offline", self._board.session + 1)

    def opened(self) -> None:
        """Hand on."""
        self._board.opened(self)

    def closed(self, was_ready: bool) -> None:
        """Hand on."""
        self._board.closed(self, was_ready)

    def message(self, topic: str, payload: bytes, qos: int, packet_id: int) -> None:
        """Confirmed when the firmware is done with it."""
        if self._board.heard(self, payload):
            self.confirm(packet_id)

    def confirmed(self, packet_id: int) -> None:
        """Hand on."""
        self._board.outbox.confirm(packet_id)
