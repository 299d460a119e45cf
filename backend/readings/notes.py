"""What a site's administrators say of a sensor: its name, and which values can be believed."""

from dataclasses import dataclass
from typing import Any

from backend.database.models import as_rows
from backend.delivery.work import Work
from backend.errors import Invalid, NotFound, no_board
from backend.readings import charts
from backend.readings.tables import SensorNote

NOTHING: dict[str, Any] = {"label": "", "low": None, "high": None}


def of_board(board_id: str) -> dict[str, dict[str, Any]]:
    """{sensor: {"label", "low", "high"}} of those about which something was said."""
    rows = as_rows(SensorNote.select().where(SensorNote.board_id == board_id))
    return {row["sensor"]: {name: row[name] for name in NOTHING} for row in rows}


@dataclass(frozen=True, slots=True)
class Note:
    """The task of noting this of a sensor, in place of what was noted; see `SensorNote`.

    Raises Invalid, NotFound.
    """

    board_id: str
    sensor: str
    label: str = ""
    low: float | None = None
    high: float | None = None

    def __call__(self, work: Work) -> None:
        """Done in the writer's transaction; from then on other values are failures."""
        board = work.parts.orders.roster.get(self.board_id)
        if board is None:
            raise no_board(self.board_id)
        if self.sensor not in board.sensors and not charts.lines(self.board_id, (self.sensor,)):
            reason = f"{self.board_id} has never told of a sensor {self.sensor!r}"
            raise NotFound("unknown_sensor", "sensor", reason)
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise Invalid("bad_parameter", "low", "must be below high")
        values = {name: getattr(self, name) for name in self.__slots__}
        SensorNote.insert(values).on_conflict_replace().execute()
        work.parts.readings.plausible[self.board_id, self.sensor] = self.low, self.high
