"""update_firmware where the power failed between the change of slots and the line in the journal.

The board can't tell then what became of the command. But it takes none while a release is on
trial, so one that says, after it, that the version asked for is on trial, has carried it out.
Where the trial is over already nothing follows: the same version may have run before.
"""

import json

from backend.database.store import Row
from backend.delivery.lifecycle import FOUND, UNKNOWN
from backend.delivery.work import Work
from backend.fleet.presence import Presence

TRIAL = "trial"


def settle(work: Work, board: Presence, row: Row) -> None:
    """COMPLETED, where what the board says of itself shows that it was carried out."""
    if row["command_type"] != "update_firmware" or row["status"] != UNKNOWN:
        return
    asked = json.loads(row["parameters"])["version"]
    if row["error"] != "interrupted" or (board.slot_state, board.firmware) != (TRIAL, asked):
        return
    if work.step(row, FOUND, detail={"version": asked, "slot": board.slot}, actor="board"):
        row["error"], row["message"] = None, ""
        row["result"] = json.dumps({"version": asked, "slot": board.slot})
