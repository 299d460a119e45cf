"""What a run asks for, and the step it becomes."""

from dataclasses import dataclass

from backend.fleet.presence import Roster
from backend.scenes import rows
from backend.scenes.cast import Order


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing to do for a run. `must`: it is wanted later, too; `policy`: see schema."""

    run_id: int
    scene_id: str
    number: int
    state: str
    place: str
    text: str
    planned: int
    policy: str
    tries: int = 0
    must: bool = False

    @property
    def key(self) -> str:
        """What makes the command only once. Steps that were taken back have used up numbers, so
        what is asked for after a restart must not go by those.
        """
        return f"{self.cause}/{'safe/' if self.must else ''}{self.number}"

    @property
    def cause(self) -> str:
        """As the command has it."""
        return f"scene/{self.scene_id}/{self.run_id}"


@dataclass(slots=True)
class Step:
    """A step whose command is open. `deadline`: by when it must be answered; None: no more."""

    id: int
    asked: Asked
    order: Order
    status: str
    deadline: int | None
    sent: bool = False

    @property
    def waits(self) -> bool:
        """It was not sent yet, and need not be."""
        return self.status == rows.WAITING and not self.asked.must

    @property
    def missed(self) -> bool:
        """It was handed over to go out in time and then said not to have; an answer knows more."""
        return self.sent and self.status in (rows.NOT_SENT, rows.SIMULATED)


def hindered(roster: Roster, board_id: str) -> tuple[str, str]:
    """(status, why) where nothing can reach a board now, or two times ""."""
    board = roster.get(board_id)
    if board is None:
        return rows.NOT_SENT, "the board is known no more"
    if roster.listening_since(board) is None:
        return rows.SIMULATED, "the broker is away"
    if board.online is not True:
        known = "is offline" if board.online is False else "was not heard yet"
        return rows.NOT_SENT, f"the board {known}"
    return "", ""
