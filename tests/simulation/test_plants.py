"""The simulation can fail: it finds bugs that were planted, and none where there are none."""

import pytest

from tests.simulation.plants import PLANTS, Plant
from tests.simulation.run import simulate

SEEDS = 40


def caught(plant: Plant, seed: int) -> bool:
    """Whether this seed shows the harm the bug does."""
    with pytest.MonkeyPatch.context() as patch:
        plant.plant(patch)
        return any(plant.says in text for text in simulate(seed).broken)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_bug_is_caught(plant: Plant) -> None:
    seeds = range(plant.first, plant.first + SEEDS)
    seed = next((seed for seed in seeds if caught(plant, seed)), None)
    assert seed is not None, f"{plant.name} was not caught by any of {len(seeds)} seeds"
    assert simulate(seed).broken == []  # it is the bug that was caught
