"""The time of day of an installation whose quiet hours are skipped, shared by its processes.

A file of two numbers: by how many ms every clock is ahead of the host's, and by how many ms the
backend's time of day was set wrong on top of that.

    python -m tools.day_clock            as `python -m backend`, by the clock in DATA_DIR
"""

import mmap
import os
import struct
import sys
from pathlib import Path
from typing import Any

from backend.__main__ import main
from backend.brokers.linkstate import Tries
from backend.delivery.writer import Writer, monotonic_ms, now_ms

_NUMBERS = struct.Struct("<qq")
_LOOK_SECONDS = 0.005  # the longest the backend takes to see that time has passed
_AGAIN_SECONDS = 0.05  # until it looks for the broker again


class Clock:
    """Made where it is not there yet; every process that has it sees a change at once."""

    def __init__(self, folder: Path) -> None:
        path = folder / "clock"
        if not path.exists():
            path.write_bytes(bytes(_NUMBERS.size))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _NUMBERS.size)

    @property
    def ahead(self) -> int:
        """ms that were skipped."""
        return int(_NUMBERS.unpack(self._shared[:])[0])

    @property
    def wrong(self) -> int:
        """ms by which the time of day is wrong."""
        return int(_NUMBERS.unpack(self._shared[:])[1])

    def skip(self, ms: int) -> None:
        """So much time has passed."""
        self._shared[:] = _NUMBERS.pack(self.ahead + ms, self.wrong)

    def set_wrong(self, ms: int) -> None:
        """Somebody sets the time of day."""
        self._shared[:] = _NUMBERS.pack(self.ahead, ms)

    def now(self) -> int:
        """The time of day of the backend, ms since 1970."""
        return now_ms() + self.ahead + self.wrong

    def monotonic(self) -> int:
        """ms that nobody sets."""
        return monotonic_ms() + self.ahead

    def install(self) -> None:
        """The backend of this process goes by this clock, and looks at it often."""
        init, wait, begin = Writer.__init__, Writer._wait, Tries.__init__

        def made(writer: Writer, core: Any, hub: Any, show: Any, end: Any) -> None:
            init(writer, core, hub, show, end, self.now, self.monotonic)

        def begun(tries: Tries, cap: float) -> None:  # whose waiting is of the host's time
            begin(tries, min(cap, _AGAIN_SECONDS))

        for owner, name, method in (
            (Writer, "__init__", made),
            (Writer, "_wait", lambda writer: min(wait(writer), _LOOK_SECONDS)),
            (Tries, "__init__", begun),
        ):
            setattr(owner, name, method)


if __name__ == "__main__":
    Clock(Path(os.environ["DATA_DIR"])).install()
    sys.exit(main([]))
