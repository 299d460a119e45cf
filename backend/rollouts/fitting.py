"""Whether a release fits a board: of its kind, and no step back that nobody has asked for."""

import re

from backend.dialects.answerback import ANSWERBACK
from backend.fleet.presence import Presence
from backend.rollouts.releases import Release

_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,9})*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")

Key = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


def unfit(release: Release, board: Presence) -> str:
    """Why a release is nothing for a board, or ""."""
    if board.dialect != ANSWERBACK.name:
        return "speaks another dialect"
    if not board.board:
        return "was never heard, so nobody knows what kind of board it is"
    if board.board != release.build:
        return f"says it is {board.board}, and the release is for {release.build}"
    return f"has {release.version} already" if board.firmware == release.version else ""


def is_step_back(release: Release, board: Presence) -> bool:
    """Whether a board runs a later version, or one that can't be compared."""
    return not is_later(release.version, board.firmware)


def is_later(new: str, old: str) -> bool:
    """Whether `new` is later than `old`, or as late; False where nobody can say.

    0.10 is later than 0.9, and 1.0 than 1.0-rc2; what stands after a + does not count.
    """
    one, other = _key(new), _key(old)
    return one is not None and other is not None and one >= other


def _key(version: str) -> Key | None:
    found = _FORM.fullmatch(version)
    if not found:
        return None
    numbers = [int(number) for number in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    before = tuple(_part(part) for part in found[2].split(".")) if found[2] else ()
    return tuple(numbers), 0 if before else 1, before


def _part(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isdigit() and len(part) < 10 else (1, 0, part)
