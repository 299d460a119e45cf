"""What boards measure: the last value of each sensor and how each limit is, in memory.

Boards send what they have read while they were out of reach when they are back, and the broker
may repeat things: so what is older than what is known changes nothing. A time of 0 is said by a
board that does not know it yet; that counts only where it is of the boot that runs. A time that is
far ahead of ours is none: everything after it would be taken for old. A value that the site's
administrators hold for impossible is a failure of its sensor, of the kind `range`.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.delivery.work import Work
    from backend.fleet.presence import Presence

# Of one board. A message has at most 16, but names may change with each.
SENSORS_MAX = 64
AHEAD_S = 86_400
RANGE = "range"  # why a value is none; boards say it, too


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` is None where none was heard; `timestamp` Unix seconds or 0; `error`: why the
    newest reading was no value, or None.
    """

    value: float | None = None
    unit: str = ""
    timestamp: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Crossing:
    """`state` is crossed or cleared, since `timestamp`."""

    state: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One value that a board has sent. `at`: ms since 1970; `newest`: it is the last one known;
    `guessed`: the board gave no time, it is when it was heard.
    """

    board: "Presence"
    sensor: str
    value: float
    unit: str
    at: int
    newest: bool
    guessed: bool = False


def take_readings(work: "Work", board: "Presence", said: dict[str, Any]) -> int:
    """Take in a message of kind `sensors`; how much of it was left out for want of room."""
    kept = dict(board.sensors)  # a new one: another thread may be walking through the old one
    failed = dict(said["failed"])
    for one in said["readings"]:
        name, value, timestamp = one["sensor"], one["value"], one["timestamp"]
        known, guessed = kept.get(name, Reading()), said.get("guessed", False)
        if timestamp > work.now // 1000 + AHEAD_S:
            timestamp, guessed = 0, True
        newest = _counts(board, said["boot"], timestamp, known.timestamp)
        if not work.parts.readings.believes(board.board_id, name, value):
            failed |= {name: RANGE} if newest else {}
            continue
        if newest:
            kept[name] = Reading(value, one["unit"], timestamp)
        if newest or one["timestamp"]:
            at = timestamp * 1000 or work.now
            told = (name, value, one["unit"], at, newest, guessed or not timestamp)
            work.readings.append(Taken(board, *told))
    if said["boot"] == board.boot:
        for name in {*kept, *failed}:
            known = kept.get(name, Reading())
            if name in failed and known.error is None:
                work.failures.append((board, name))
            kept[name] = replace(known, error=failed.get(name))
    board.sensors = dict(list(kept.items())[:SENSORS_MAX])
    return len(kept) - len(board.sensors)


def take_limit(work: "Work", board: "Presence", said: dict[str, Any]) -> int:
    """Take in a message of kind `threshold`; 1 where there is no room for it, else 0."""
    name, timestamp = f"{said['sensor']}.{said['limit']}", said["timestamp"]
    known = board.limits.get(name)
    if known is None and len(board.limits) >= SENSORS_MAX:
        return 1
    if _counts(board, said["boot"], timestamp, known.timestamp if known else 0):
        board.limits = {**board.limits, name: Crossing(said["state"], timestamp)}
    return 0


def forget(board: "Presence") -> None:
    """A new boot: it may have other sensors, and says what they read at once."""
    board.sensors, board.limits = {}, {}


def public(reading: Reading) -> dict[str, Any]:
    """A reading as the API shows it; `at` is ms, or None where the board did not know."""
    at = reading.timestamp * 1000 if reading.timestamp else None
    return {"value": reading.value, "unit": reading.unit, "at": at, "error": reading.error}


def _counts(board: "Presence", boot: str, timestamp: int, known: int) -> bool:
    return timestamp >= known and (timestamp > 0 or boot == board.boot)
