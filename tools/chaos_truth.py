"""What must be true afterwards, held against what the pins really did."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from math import inf
from typing import Any

from backend.delivery.lifecycle import COMPLETED, START, TABLE, UNKNOWN
from tools.chaos_http import until
from tools.chaos_site import has_ended
from tools.emulator import Board, Pulse

GRAMS_PER_SECOND = 20
TOLERANCE_MS = 20.0
ALIKE_MS = 50.0  # enough to tell the feeds apart on a busy machine
FEEDS = (4, 6, 8)  # grams, in turn, so that no pulse looks like the one before it

_UNDER_WAY_SECONDS = 2


def feeder(pin: int) -> dict[str, Any]:
    """A quick feeder: 10 g in half a second."""
    return {"kind": "feeder", "pin": pin, "grams_per_second": GRAMS_PER_SECOND, "longest_s": 60}


def ordered_ms(command: Any) -> float:
    """How long the motor is to run for a feed."""
    return float(command["parameters"]["amount"]) * 1000 / GRAMS_PER_SECOND


def off_by(command: Any, pulse: Pulse) -> float:
    """How many ms the motor ran too long or too short; infinite while it runs."""
    return inf if pulse.end is None else pulse.off_by(ordered_ms(command))


def pulses_of(board: Board, pin: int, since: int = 0) -> list[Pulse]:
    """The pulses from that number on, once the pin is low: its event may be under way still."""
    with suppress(TimeoutError):
        until(lambda: not board.level(pin), _UNDER_WAY_SECONDS)
    return board.pulses(pin)[since:]


def judge_command(command: Any) -> list[str]:
    """What is wrong with one command by itself: open, or with a history that can't be."""
    name = f"{command['id']} ({command['status']}, {command['error']})"
    out = [] if has_ended(command) else [f"{name} has not ended"]
    steps = [(START, "create", START)]
    steps += [(one["from"], one["event"], one["to"]) for one in command["history"][1:]]
    out += [f"{name}: {step} is no legal step" for step in steps[1:] if not _legal(*step)]
    out += [f"{name}: {b} does not follow {a}" for a, b in pairwise(steps) if a[2] != b[0]]
    if steps[-1][2] != command["status"]:
        out.append(f"{name} is not what its history says: {steps[-1]}")
    return out


def judge_count(commands: Sequence[Any], pulses: Sequence[Pulse]) -> list[str]:
    """What is wrong with commands that each switch an output on once, and with its pulses."""
    out = [line for command in commands for line in judge_command(command)]
    done = sum(command["status"] == COMPLETED for command in commands)
    unknown = sum(
        command["status"] == UNKNOWN or command["error"] == "stopped" for command in commands
    )
    if not done <= len(pulses) <= done + unknown:
        what = f"{done} COMPLETED, {unknown} UNKNOWN or stopped, {len(pulses)} pulses"
        out.append(f"the output did not do what the history says: {what}")
    return out


def judge_feeder(
    commands: Sequence[Any], pulses: Sequence[Pulse], tolerance_ms: float = ALIKE_MS
) -> list[str]:
    """What is wrong with one feeder's commands (oldest first) and the pulses at its pin."""
    wrong = judge_count(commands, pulses)
    if wrong:
        return wrong
    done = [command for command in commands if command["status"] == COMPLETED]
    unknown = len(done) < len(pulses)
    out = []
    if not unknown:
        out += [
            f"{command['id']}: the pin was on as {pulse}, not for {ordered_ms(command):.0f} ms"
            for command, pulse in zip(done, pulses, strict=True)
            if off_by(command, pulse) > tolerance_ms
        ]
    return out


def judge_feed(command: Any, pulses: Sequence[Pulse]) -> list[str]:
    """What is wrong with one feed and all the pulses at its pin since it was posted."""
    if command["status"] == UNKNOWN and command["error"] != "interrupted":
        return [f"{command['id']} is UNKNOWN by {command['error']}"]
    return judge_feeder([command], pulses)


def _legal(old: str, event: str, new: str) -> bool:
    return TABLE.get((old, event)) == new
