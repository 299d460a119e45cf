"""What must hold at the end of a run: the database's word against what the pins really did.

Each rule yields the violations it finds, as text. A dose's fate and its pulses must agree:

    COMPLETED                            one pulse of its full time
    FAILED stopped                       one pulse, no longer than that
    UNKNOWN interrupted, forgotten       at most one pulse
    anything else that has ended         none
"""

import json
from collections.abc import Iterator

from protocol.verbs import DOSE, SET, STOP

from backend.delivery.lifecycle import ENDED
from tests.simulation.board import LATE_MS
from tests.simulation.evidence import Evidence, Row
from tests.simulation.hardware import Pulse
from tests.simulation.invariants_order import after_stop, conditions, in_order, while_latched
from tests.simulation.watch import SETTLED, TABLE
from tests.simulation.wiring import CONFIG

# A tick may come late, and crystals differ.
LATE_TICKS = LATE_MS + 5
# The time of day reaches the board in whole seconds, twice cut off, and drifts a little.
CLOCK_MS = 2_000 + 1_000
HEARD_AFTER_MS = 30_000
NOT_BEGUN = ("not_started", "never", "expired", "storage", "condition")


def violations(evidence: Evidence) -> list[str]:
    """Every rule that is broken."""
    rules = [
        kept,
        histories,
        fates,
        honest,
        expiry,
        pins,
        restarts,
        presence,
        while_latched,
        conditions,
    ]
    if evidence.orderly:
        rules += [in_order, after_stop]
    return evidence.watch.broken + [text for rule in rules for text in rule(evidence)]


def kept(evidence: Evidence) -> Iterator[str]:
    """Nothing that was answered 202 has vanished, and nothing moved that nobody asked for."""
    for command_id in sorted(evidence.promised - evidence.rows.keys()):
        yield f"{command_id} was answered 202 and is gone"
    for owner in sorted(evidence.pulses_of.keys() - evidence.rows.keys()):
        yield f"a pulse belongs to {owner!r}, which is no command"


def histories(evidence: Evidence) -> Iterator[str]:
    """A history is a path through the table from creation to the status, forward in time."""
    for row in evidence.rows.values():
        steps = evidence.history[row["seq"]]
        if not steps or steps[0]["event"] != "create" or steps[-1]["to_status"] != row["status"]:
            yield f"{row['id']}: its history does not lead from creation to {row['status']}"
        for before, step in zip(steps, steps[1:], strict=False):
            follows = step["from_status"] == before["to_status"] and step["at"] >= before["at"]
            if not follows or TABLE.get((step["from_status"], step["event"])) != step["to_status"]:
                yield f"{row['id']}: {before} is followed by {step}"


def fates(evidence: Evidence) -> Iterator[str]:
    """The status says what the pins did; no command has two pulses."""
    for row in evidence.rows.values():
        pulses = evidence.pulses_of.get(row["id"], [])
        wrong = {DOSE: _fate, SET: _fate_of_set, STOP: _fate_of_stop}[row["kind"]](row, pulses)
        if wrong:
            status = f"{row['status']} {row['error'] or ''}".strip()
            yield f"{row['id']} {row['command_type']} is {status}: {wrong} {pulses}"


def _fate(row: Row, pulses: list[Pulse]) -> str:
    status, error, count = row["status"], row["error"], len(pulses)
    if count > 1:
        return "it ran more than once"
    if status == "COMPLETED":
        return "" if count and _full(row, pulses[0]) else "it did not run its full time"
    if status == "FAILED" and error == "stopped":
        return "" if count and _as_reported(row, pulses[0]) else "it was not stopped as it says"
    if status == "UNKNOWN":
        return "" if error in SETTLED else "it was never settled"
    if status in ENDED:
        known = status != "FAILED" or error in NOT_BEGUN
        return "it ran" if count else "" if known else "nothing can have caused this"
    return "it never ended"


def _full(row: Row, pulse: Pulse) -> bool:
    late = pulse.ticks - planned_ms(row)
    return not pulse.cut and 0 <= late <= LATE_TICKS and _as_reported(row, pulse)


def _as_reported(row: Row, pulse: Pulse) -> bool:
    ran = json.loads(row["result"]).get("ran_ms")
    return pulse.ticks <= planned_ms(row) + LATE_TICKS and ran == pulse.ticks


def planned_ms(row: Row) -> int:
    """How long a dose was to run."""
    parameters = json.loads(row["parameters"])
    if row["command_type"] == "feed":
        rate = CONFIG[row["target"]]["grams_per_second"]
        return max(1, int(parameters["amount"] * 1000 / rate + 0.5))
    return int(parameters["seconds"]) * 1000


def _fate_of_set(row: Row, pulses: list[Pulse]) -> str:
    if len(pulses) > 1:
        return "it ran more than once"
    moved = row["status"] not in ("COMPLETED", "UNKNOWN") and pulses
    return "it ran" if moved else _fate_of_stop(row, pulses)


def _fate_of_stop(row: Row, pulses: list[Pulse]) -> str:
    """A stop moves first and is written then, so only its status can be judged."""
    if row["status"] == "UNKNOWN":
        return "" if row["error"] in SETTLED else "it was never settled"
    return "" if row["status"] in ENDED else "it never ended"


def honest(evidence: Evidence) -> Iterator[str]:
    """Nothing certain is said without a reason, and nothing unsure without the board's word."""
    for row in evidence.rows.values():
        status, error, steps = row["status"], row["error"], evidence.history[row["seq"]]
        if status == "EXPIRED" and row["id"] in evidence.watch.sent:
            yield f"{row['id']} is EXPIRED, and was sent"
        if error == "never" and row["id"] in evidence.watch.accepted:
            yield f"{row['id']} was accepted, and then the board had never seen it"
        if status == "UNKNOWN" and not any(step["event"] == "unknown" for step in steps):
            yield f"{row['id']} is UNKNOWN {error}, and the board never said so"
        if error in ("interrupted", "not_started") and _boots(evidence, row) < 2:
            yield f"{row['id']} is {error}, and the power was never gone"


def _boots(evidence: Evidence, row: Row) -> int:
    return next(board.boots for board in evidence.boards if board.board_id == row["board_id"])


def expiry(evidence: Evidence) -> Iterator[str]:
    """Nothing began after its time; only a stop may, on a board that has no time of day yet."""
    for pulse in evidence.pulses:
        row = evidence.rows.get(pulse.owner)
        if row and row["kind"] != STOP and pulse.began > row["expires_at"] + CLOCK_MS:
            late = pulse.began - row["expires_at"]
            yield f"{pulse.owner} began {late} ms after it had expired"


def pins(evidence: Evidence) -> Iterator[str]:
    """No output stays on too long, and a valve never fills and drains at once."""
    last: dict[tuple[str, str], Pulse] = {}
    for pulse in evidence.pulses:
        place = (pulse.board, pulse.target)
        before = last.get(place)
        last[place] = pulse
        if before and (before.ended is None or before.ended > pulse.began):
            yield f"two outputs of {place} were on at once: {before} {pulse}"
        longest = CONFIG[pulse.target]["longest_s"] * 1000 + LATE_TICKS
        if pulse.ended is None or pulse.ticks > longest:
            yield f"it stayed on too long: {pulse}"


def restarts(evidence: Evidence) -> Iterator[str]:
    """A restart that is COMPLETED has happened."""
    for board in evidence.boards:
        mine = [row for row in evidence.rows.values() if row["board_id"] == board.board_id]
        asked = [row for row in mine if row["command_type"] == "restart"]
        completed = [row for row in asked if row["status"] == "COMPLETED"]
        if len(completed) > board.boots - 1 or board.restarts > len(asked):
            yield f"{board.board_id}: {len(completed)} restarts, {board.boots} boots"


def presence(evidence: Evidence) -> Iterator[str]:
    """A board that has been connected for a while is known to be online, as who it is now."""
    known = {board.board_id: board for board in evidence.known}
    for board in evidence.boards:
        said = known[board.board_id]
        right = (said.online, said.boot, said.session) == (True, board.boot_id, board.session)
        if board.powered and board.link.ready_for() > HEARD_AFTER_MS and not right:
            is_, was = f"{board.boot_id}/{board.session}", f"{said.boot}/{said.session}"
            yield f"{board.board_id} is there as {is_}, known as {was}, {said.online=}"
