"""What a run left behind, to be judged by."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from protocol.verbs import SET, case_of

from backend.database.models import database
from backend.fleet.presence import Presence
from tests.simulation.board import Board
from tests.simulation.hardware import Pulse
from tests.simulation.watch import Watch
from tests.simulation.wiring import CONFIG

Row = dict[str, Any]


@dataclass
class Evidence:
    """All there is to judge a run by; `promised`: ids answered 202; `known`: to the backend."""

    watch: Watch
    promised: set[str]
    pulses: list[Pulse]
    boards: list[Board]
    known: list[Presence]
    orderly: bool

    def __post_init__(self) -> None:
        self.rows = {row["id"]: row for row in _select("command")}
        self.history: dict[int, list[Row]] = defaultdict(list)
        for entry in _select("history"):
            self.history[entry["command_seq"]].append(entry)
        self.pulses_of: dict[str, list[Pulse]] = defaultdict(list)
        for pulse in self.pulses:
            self.pulses_of[pulse.owner].append(pulse)
        for row in self.rows.values():
            row["verb"] = str(case_of(row["command_type"], json.loads(row["parameters"])).kind)
            row["kind"] = _kind(row)


def _kind(row: Row) -> str:
    if row["command_type"] == "switch" and CONFIG[row["target"]]["safe"]:
        return SET  # where it is on that is safe, off is no stop
    return str(row["verb"])


def _select(table: str) -> list[Row]:
    cursor = database.execute_sql(f"SELECT * FROM {table} ORDER BY 1")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
