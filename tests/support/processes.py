"""Processes that are not our children: finding them, and waiting for their end (Linux)."""

import contextlib
import os
import select
from pathlib import Path


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    return [
        int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _parent(stat) == pid
    ]


def _parent(stat: Path) -> int:
    with contextlib.suppress(OSError):  # it has ended meanwhile
        return int(stat.read_text().rpartition(")")[2].split()[1])
    return 0


class Ended:
    """Made while the process lives, so that its number cannot be another's later."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    def within(self, seconds: float) -> bool:
        """Whether it ended in that time; ask once."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        os.close(self._fd)
        return bool(ready)
