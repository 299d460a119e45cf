"""In how small a heap each kind of work is done, the journal full: see works.py.

To seek the smallest, lower what is allowed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.link.test_heap import PATIENCE
from tests.link.works import KINDS
from tools.brokers import Broker

# KiB, the emulated hardware included.
ALLOWED = {"sensors": 156, "camera": 144, "TLS": 140, "update": 140, "config": 132, "sleep": 132}


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_into_a_small_heap(
    kind: str,
    tmp_path: Path,
    embedded_broker: Broker,
    record_property: Callable[[str, object], None],
) -> None:
    allowed = ALLOWED[kind]
    assert KINDS[kind](tmp_path / "site", embedded_broker, allowed, PATIENCE)
    record_property(f"heap, {kind}", f"fits in {allowed}K, of 128K wanted")
