"""Waits until something is so, or until nobody has anything to do that could make it so.

Time that is skipped must not run ahead of who has to live through it, and on a busy machine they
wait for their turn. So nothing is given up before this program and all it has started have come
to rest: nobody runs, wants to, or waits for the disk. Where the system does not tell (it is no
Linux), they are taken to rest.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_LOOK_S = 0.01
_RESTS = 2  # looks at which all rested, one after another
_LONGEST_S = 60.0  # it may be that something never rests
_AT_WORK = "RD"  # running or ready to; waiting for the disk

_PROC = Path("/proc")


def soon(what: Callable[[], Any], seconds: float) -> Any:
    """`what()`, as soon as it is true, or after so many seconds, once nobody has work any more."""
    began, rests = time.monotonic(), 0
    while not (found := what()) and rests < _RESTS:
        time.sleep(_LOOK_S)
        passed = time.monotonic() - began
        if passed >= seconds:
            rests = rests + 1 if passed > _LONGEST_S or not at_work() else 0
    return found


def at_work() -> bool:
    """Whether a thread of this program (but this one) or of a child of it has something to do."""
    return any(state in _AT_WORK for state in _states("self", but="thread-self"))


def _states(process: str, but: str = "") -> Iterator[str]:
    """A letter for each thread of a process and of those it has started."""
    mine = str((_PROC / but).resolve()) if but else ""
    for thread in _listed(_PROC / process / "task"):
        if str(thread.resolve()) != mine:
            yield _read(thread / "stat").rpartition(")")[2][1:2]
        for child in _read(thread / "children").split():
            yield from _states(child)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it has ended, or there is none
        return []


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
