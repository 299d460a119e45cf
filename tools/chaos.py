"""`make chaos`: the real system, treated badly on purpose, and whether it keeps its promises.

    python -m tools.chaos [PART, else all] --count 200

The exit code is 1 where a promise was broken; --seed repeats the random choices.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from tools import (
    chaos_aerator,
    chaos_cuts,
    chaos_fuzz,
    chaos_hostile,
    chaos_kills,
    chaos_late,
    chaos_network,
    chaos_pictures,
    chaos_rollout,
    chaos_scenes,
    chaos_schedules,
    chaos_stops,
    chaos_update,
    chaos_valve,
    day,
)
from tools.chaos_report import Report

Part = Callable[[Path, int, int, Callable[[], object]], Report]

# name -> (what runs it, its rounds for a count of 200)
PARTS: dict[str, tuple[Part, int]] = {
    "kills": (chaos_kills.run, 200),
    "cuts": (chaos_cuts.run, 200),
    "network": (chaos_network.run, 40),
    "late": (chaos_late.run, 30),
    "stops": (chaos_stops.run, 20),
    "fuzz": (chaos_fuzz.run, 10_000),
    "pictures": (chaos_pictures.run, 200),
    "update": (chaos_update.run, 40),
    "rollout": (chaos_rollout.run, 50),
    "schedules": (chaos_schedules.run, 60),
    "day": (day.run_each, 60),
    "scenes": (chaos_scenes.run, 10),
    "hostile": (chaos_hostile.run, 100_000),
    "aerator": (chaos_aerator.run, 20),
    "valve": (chaos_valve.run, 100),
}
COUNT = 200


def run(name: str, count: int, seed: int) -> Report:
    """One part with a progress bar, in a folder of its own that is gone afterwards."""
    part, rounds = PARTS[name]
    rounds = max(1, rounds * count // COUNT)
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        tqdm(total=rounds, desc=name, leave=False) as bar,
    ):
        return part(Path(folder), rounds, seed, bar.update)


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, or 1 where anything was violated or did not come to its end."""
    arguments = _arguments(argv)
    names = list(PARTS) if arguments.part == "all" else [arguments.part]
    print(f"seed {arguments.seed}", flush=True)
    broken = 0
    for name in names:
        report = run(name, arguments.count, arguments.seed)
        print("\n".join(report.lines()), flush=True)
        broken += len(report.violations)
    print(f"{broken} violations" if broken else "everything as promised")
    return 1 if broken else 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("part", nargs="?", default="all", choices=[*PARTS, "all"])
    parser.add_argument("--count", type=int, default=COUNT, help=f"of kills and cuts ({COUNT})")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
