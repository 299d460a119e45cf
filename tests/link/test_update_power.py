"""Power is cut at some flash writes of an update and of the trial; see update_cuts for all."""

import random
from pathlib import Path

from tests.link.update_cuts import WRITES, run

CUTS = 2


def test_power_cut_at_some_flash_writes(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    writes = chance.sample(range(1, WRITES), CUTS)
    print("power is cut at the writes", writes)
    assert run(tmp_path, writes, [chance.randint(1, 4)]) == (CUTS, 1)
