"""What must not begin before, after or during something else."""

import json
import math
from collections.abc import Iterator
from typing import Any

from protocol.verbs import DOSE, STOP

from tests.simulation.evidence import Evidence, Row
from tests.simulation.hardware import Pulse


def in_order(evidence: Evidence) -> Iterator[str]:
    """Doses on one target begin in the order in which they were asked for."""
    last: dict[tuple[str, str], int] = {}
    for pulse in evidence.pulses:
        row = evidence.rows.get(pulse.owner)
        if row and row["kind"] == DOSE:
            place = (pulse.board, pulse.target)
            if row["seq"] < last.get(place, 0):
                yield f"{pulse.owner} began after one that was asked for later"
            last[place] = max(row["seq"], last.get(place, 0))


def after_stop(evidence: Evidence) -> Iterator[str]:
    """What was asked for before a stop does not begin after the board has obeyed it.

    What the backend takes for a stop is never called off by another.
    """
    for stop in evidence.rows.values():
        moment = evidence.watch.done.get(stop["id"])
        if stop["kind"] != STOP or moment is None:
            continue
        for pulse in evidence.pulses:
            row = evidence.rows.get(pulse.owner)
            meant = pulse.board == stop["board_id"] and stop["target"] in ("", pulse.target)
            older = row and row["verb"] != STOP and row["seq"] < stop["seq"]
            if meant and older and pulse.moment > moment:
                yield f"{pulse.owner} began after {stop['id']} had stopped it"


def while_latched(evidence: Evidence) -> Iterator[str]:
    """Nothing moves after an emergency stop, until a `clear_stop` may have been obeyed."""
    for stop in _of_type(evidence, "emergency_stop"):
        held = evidence.watch.done.get(stop["id"])
        if held is None:
            continue
        free = _cleared(evidence, stop["board_id"], held)
        for pulse in evidence.pulses:
            if pulse.board == stop["board_id"] and held < pulse.moment < free:
                yield f"{pulse.owner} began while {stop['id']} held"


def conditions(evidence: Evidence) -> Iterator[str]:
    """Nothing begins while a condition of its command does not hold, as the pins have it."""
    for pulse in evidence.pulses:
        row = evidence.rows.get(pulse.owner)
        for one in json.loads(row["conditions"]) if row else ():
            if one.get("output") != pulse.target and not _holds(one, pulse):
                yield f"{pulse.owner} began, and {one} did not hold: {pulse.on}, {pulse.read}"


def _holds(one: dict[str, Any], pulse: Pulse) -> bool:
    if "output" in one:
        return bool((one["output"] in pulse.on) == (one["is"] == "on"))
    if pulse.read is None or pulse.read[1] > one["max_age_s"] * 1000:
        return False
    value = pulse.read[0]
    return bool(value < one["below"] if "below" in one else value > one["above"])


def _cleared(evidence: Evidence, board_id: str, held: int) -> float:
    """The first moment at which a `clear_stop` can have ended what holds since `held`."""
    done, sent = evidence.watch.done, evidence.watch.sent
    clears = [row for row in _of_type(evidence, "clear_stop") if row["board_id"] == board_id]
    later = [row["id"] for row in clears if done.get(row["id"], held) >= held]
    return min((sent[name] for name in later if name in sent), default=math.inf)


def _of_type(evidence: Evidence, command_type: str) -> list[Row]:
    return [row for row in evidence.rows.values() if row["command_type"] == command_type]
