"""Waiting for a process that is not our child (Linux)."""

import os
import select


class Ended:
    """Made while the process lives, so that its number cannot be another's later."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    def within(self, seconds: float) -> bool:
        """Whether it ended in that time; ask once."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        os.close(self._fd)
        return bool(ready)
