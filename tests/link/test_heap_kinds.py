"""In how small a heap each kind of work is done, the journal full: see works.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.link.heaps import smallest
from tests.link.works import KINDS
from tools.brokers import Broker

# KiB, the emulated hardware included: where it is sought from, and what is allowed.
BOUNDS = {
    "sensors": (152, 156),
    "camera": (136, 140),
    "TLS": (132, 136),
    "update": (132, 140),
    "config": (128, 132),
    "sleep": (128, 132),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_into_a_small_heap(
    kind: str,
    tmp_path: Path,
    embedded_broker: Broker,
    record_property: Callable[[str, object], None],
) -> None:
    def works(kib: int, seconds: float) -> bool:
        try:
            return KINDS[kind](tmp_path / str(kib), embedded_broker, kib, seconds)
        except TimeoutError:
            return False

    lowest, allowed = BOUNDS[kind]
    found = smallest(lowest, allowed, works)
    record_property(f"smallest heap, {kind}", f"{found}K of {allowed}K allowed, of 128K wanted")
