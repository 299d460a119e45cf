"""Dry runs: a command on a twin of its board, the same firmware in an emulator.

Rules of this file:
- the real board is not touched: no row, no message; the twin has neither its key nor passwords;
- a twin of another release is none: where the board runs another one, that is refused;
- what the twin is equal in and what not is part of every answer;
- a twin is a process: AT_ONCE of them, for PATIENCE seconds each.
"""

import json
import logging
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from protocol.catalogue import VERBS

from backend.delivery import conditions
from backend.delivery.lifecycle import SENT, move
from backend.delivery.texts import TEXTS
from backend.delivery.wishes import NewCommand
from backend.dialects.answerback import ANSWERBACK
from backend.errors import Busy, Conflict, Invalid, Missing

log = logging.getLogger(__name__)

AT_ONCE = 2
PATIENCE = 12.0
OFF = "off"

_ROOT = Path(__file__).resolve().parents[2]
_MOVING = sorted(name for name, verb in VERBS.items() if verb.actuator)
_NOT_SAME = (
    "the chip, and the time its flash takes",
    "its settings.json, its journal, and what waits there",
    "the link: the twin's never fails",
)


class Twins:
    """`command` runs a twin: it reads a request and writes an answer, see tools/twin.py."""

    def __init__(self, command: str) -> None:
        self._command = [] if command == OFF else shlex.split(command) or _ours()
        self._places = threading.Semaphore(AT_ONCE)

    def try_out(self, new: NewCommand, board: dict[str, Any], now: int) -> dict[str, Any]:
        """What a twin of a board (as `Backend.board` shows it) makes of a command at `now` (ms).

        Raises Invalid, Conflict, Busy, Missing.
        """
        request = _request(new, board, now)
        if not self._places.acquire(blocking=False):
            raise Busy("busy", f"{AT_ONCE} twins run already; try again shortly", 2)
        try:
            said = self._run(request)
        finally:
            self._places.release()
        return _answer(new, board, request, said)

    def _run(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._command:
            raise _missing("run the backend from its source tree, or set TWIN_COMMAND")
        try:
            done = subprocess.run(
                self._command,
                input=json.dumps(request),
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                cwd=_ROOT,
            )
            said = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            reason = f"the twin took over {PATIENCE:.0f} s; try again later"
            raise Busy("busy", reason, 5) from None
        except OSError as why:
            raise _missing(f"TWIN_COMMAND can't be run: {why.strerror}") from None
        except ValueError:
            log.error("the twin failed: %s", done.stderr.strip()[-2000:])
            lines = done.stderr.strip().splitlines() or ["it said nothing"]
            raise _missing(f"it failed: {lines[-1][:200]}") from None
        if said.get("missing"):
            raise _missing(said["missing"])
        if said.get("refused"):
            raise Conflict("no_twin", "dry_run", said["refused"])
        answer: dict[str, Any] = said
        return answer


def _missing(reason: str) -> Missing:
    return Missing("no_twin", "dry_run", f"is not possible here: {reason}")


def _ours() -> list[str]:
    """The twin of this source tree, where there is one."""
    there = (_ROOT / "tools" / "twin.py").exists()
    return [sys.executable, "-m", "tools.twin", "-"] if there else []


def _request(new: NewCommand, board: dict[str, Any], now: int) -> dict[str, Any]:
    if board["dialect"] != ANSWERBACK.name:
        reason = f"is not possible: there are no twins of {board['dialect']} boards"
        raise Invalid("bad_parameter", "dry_run", reason)
    if new.command_type not in _MOVING:
        reason = "is for what moves an output: " + ", ".join(_MOVING)
        raise Invalid("bad_parameter", "dry_run", reason)
    known = board["actuators"].get(new.target, {})
    if not any(name.endswith("pin") for name in known):
        reason = "must wait: the board, or its older firmware, has not said which pins it has"
        raise Conflict("no_twin", "dry_run", reason)
    return {
        "firmware": board["firmware"],
        "actuators": board["actuators"],
        "sensors": {
            name: {"value": one["value"], "age_s": max(0, now - one["at"]) // 1000}
            for name, one in board["sensors"].items()
            if one["error"] is None and one["value"] is not None and one["at"] is not None
        },
        "running": sorted(board["running"]),
        "latched": board["latched"],
        "command": {
            "command_type": new.command_type,
            "target": new.target,
            "parameters": new.parameters,
            "conditions": list(new.conditions),
        },
    }


def _answer(
    new: NewCommand, board: dict[str, Any], request: dict[str, Any], said: dict[str, Any]
) -> dict[str, Any]:
    last = said["acks"][-1]
    message = TEXTS.get(last["message"], last["message"])
    if last["error"] == "condition":
        message = conditions.told(list(new.conditions), last["result"])
    return {
        "dry_run": True,
        "twin": {
            "firmware": said["firmware"],
            "same": _same(board, request),
            "not_same": [*_NOT_SAME, *_more(new, board)],
        },
        "status": move(SENT, last["state"]),
        "error": last["error"],
        "message": message,
        "result": last["result"],
        "steps": [{"ms": one["ms"], "state": one["state"]} for one in said["acks"]],
        "pins": said["pins"],
        "took_ms": said["took_ms"],
    }


def _same(board: dict[str, Any], request: dict[str, Any]) -> list[str]:
    """What the twin has of the board."""
    out = [
        f"firmware {board['firmware']}",
        "pins, rates and longest times of " + ", ".join(sorted(board["actuators"])),
    ]
    for name, one in sorted(request["sensors"].items()):
        out.append(f"{name} reads {one['value']}, {one['age_s']} s old")
    out += [f"{name} is running" for name in request["running"]]
    return out + ["an emergency stop holds"] * board["latched"]


def _more(new: NewCommand, board: dict[str, Any]) -> list[str]:
    """What else is not as on the board, just now."""
    out = []
    if board["online"] is not True:
        out.append("the board is not online: this is how it was when last heard")
    if new.target in board["running"]:
        out.append(f"what {new.target} does now: here it has no end")
    return out
