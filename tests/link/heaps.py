"""In how small a heap a board does its work: sought by halves, for every kind of work.

A board that is short of memory is late or starts over, and so may one on a busy machine be. So
what has to work gets all the time it wants, and only what is below that has to be quick.
"""

import bisect
from collections.abc import Callable

STEP = 4  # KiB
PATIENCE, HASTE = 10.0, 2.0  # seconds for each answer

Works = Callable[[int, float], bool]  # (KiB, seconds for each answer)


def smallest(lowest: int, allowed: int, works: Works) -> int:
    """The smallest heap (KiB) from `lowest` on that is enough; `allowed` has to be."""
    assert works(allowed, PATIENCE), f"a heap of {allowed} KiB is too small"
    sizes = range(lowest, allowed, STEP)
    place = bisect.bisect_left(sizes, True, key=lambda kib: works(kib, HASTE))
    return sizes[place] if place < len(sizes) else allowed
