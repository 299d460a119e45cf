"""Rules, people and a bad link in virtual time: what must be true after every transaction is, and
every execution comes to its end. RUNS=n for more of it.
"""

import os
from collections import Counter
from pathlib import Path

from backend.automations.models import AutomationExecution
from tests.automations.world import World

RUNS, STEPS = 2, 100


def test_whatever_happens(tmp_path: Path, seed: int) -> None:
    counts: Counter[str] = Counter()
    for number in range(int(os.environ.get("RUNS", RUNS))):
        world = World(tmp_path, seed + number)
        try:
            for _ in range(3):
                world.rule()
            for _ in range(STEPS):
                world.anything()
                world.run(world.rng.choice((0, 1, 5, 20)))
            under_way = [one.id for one in AutomationExecution.select() if one.until_at is None]
            world.faults, world.there = 0.0, True
            world.run(600)
            left = AutomationExecution.select().where(AutomationExecution.id << under_way)
            assert all(one.until_at for one in left)
            counts.update(world.counts)
            counts.update(one.status for one in AutomationExecution.select())
            counts.update(one.error for one in AutomationExecution.select() if one.error)
        except AssertionError:
            print(f"SEED={seed + number}")
            raise
        finally:
            world.desk.database.close()
    print(dict(counts))
    for what in ("COMPLETED", "FAILED", "outranked"):
        assert counts[what], f"{what} was never met: the run says little"
