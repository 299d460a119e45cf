"""The world around the boards of `make run`, so that there is something to see and to automate.

A pond loses water all the time, its valve brings and takes some, and its temperature goes up and
down within ten minutes. A museum has a camera. What a board has for it is in boards/UNIX/demo.
"""

import math
import threading
import time
from collections.abc import Iterable

from tools import stage
from tools.emulator import Board

DEMO = stage.BOARDS / "UNIX" / "demo"

_FILL, _DRAIN, _LEVEL, _WATER = 17, 18, 34, 4  # pins
_ROM = "28ff641e8216c3a1"
_LEAK, _FLOW = 0.03, 3.0  # % of the pond in a second
_LOWEST = 5.0  # the leak is that high above the ground
_FULL_SCALE = 65535
_PERIOD_S = 600.0
_TICK_S = 1.0


class Pond:
    """The water around one board; `level` is in % of the full pond."""

    def __init__(self, board: Board, level: float = 50.0) -> None:
        self._board, self.level = board, level

    def tick(self, seconds: float, now: float) -> None:
        """Lets time pass; `now` is in seconds since any moment."""
        if self.level > _LOWEST:
            self.level = max(_LOWEST, self.level - _LEAK * seconds)
        flow = self._board.level(_FILL) - self._board.level(_DRAIN)
        self.level = min(100.0, max(0.0, self.level + flow * _FLOW * seconds))
        self._board.set_adc(_LEVEL, round(self.level / 100 * _FULL_SCALE))
        warmth = 18 + 3 * math.sin(now / _PERIOD_S * 2 * math.pi)
        self._board.set_temperatures(_WATER, {_ROM: round(warmth, 2)})


class World:
    """Gives boards what their kind has, [(kind, board)]; all of them are off.

    Time passes for them until the block is left.
    """

    def __init__(self, boards: Iterable[tuple[str, Board]]) -> None:
        self._ponds = []
        for kind, board in boards:
            board.flash.write(_files(kind))
            if kind == "pond":
                self._ponds.append(Pond(board))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._pass, name="world", daemon=True)

    def __enter__(self) -> "World":
        self._tick(0.0)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _pass(self) -> None:
        last = time.monotonic()
        while not self._ending.wait(_TICK_S):
            now = time.monotonic()
            self._tick(now - last)
            last = now

    def _tick(self, seconds: float) -> None:
        for pond in self._ponds:
            pond.tick(seconds, time.monotonic())


def _files(kind: str) -> dict[str, bytes | str]:
    """{name on the flash: content} of a kind of board."""
    return {path.name: path.read_text() for path in sorted((DEMO / kind).iterdir())}
