"""`make day`: 24 hours of one board, its quiet hours skipped, a fault each minute.

    python -m tools.day --hours 24 --seed 1

The whole installation runs: broker, backend, a bad network, and the real firmware with sensors and
a camera. In the first third power fails, too; after that the board runs through, so that what
grows would show. The exit code is 1 where a promise was broken.
"""

import argparse
import contextlib
import itertools
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tools.chaos_report import Report
from tools.chaos_site import Site
from tools.day_clock import Clock
from tools.day_faults import LASTING, RESTARTING
from tools.day_world import ACTUATORS, ANY_TIME, BOARD, World

HOURS = 24.0
HEAP = "192K"
_BAR = "{percentage:3.0f}% |{bar}| {n:.1f} of {total:g} h, {elapsed}, {remaining} left"
HALTS = 0.05  # of the minutes have an emergency stop
HEAP_HOURS = 1.0  # a life that is shorter says nothing about growth
HEAP_SLACK = 8192  # bytes: the journal gets its size, and the collector keeps a message or two
LOGS = {"errors.log": 8192, "errors.log.old": 8192}  # bytes, at most
JOURNAL_LINES = 64 + 8 * (16 + 2)  # what is remembered, and of each file what was not cleared yet

_SENSOR = {"kind": "analog", "pin": 34, "unit": "mg/l", "points": [[0, 0], [65535, 20]]}
_LIMIT = {"name": "low_oxygen", "below": 4.0, "hysteresis": 0.5, "for_s": 10}
FILES = {
    "sensors.json": json.dumps(
        {"every_s": 20, "keep": 64, "sensors": {"oxygen1": {**_SENSOR, "limits": [_LIMIT]}}}
    ),
    "camera.json": json.dumps({"model": "built_in", "frame_size": "QQVGA"}),
}


def run(folder: Path, hours: float, seed: int, tick: Callable[[float], object]) -> Report:
    """A day of so many hours; `tick` is called with each that has passed, or a part of it."""
    report = Report(f"{hours:g} hours of a board")
    with begun(folder, seed, report) as world:
        while (before := world.hours) < hours:
            faults = {**LASTING, **(RESTARTING if before < hours / 3 else {})}
            weights = [often for _, often in faults.values()]
            (name,) = world.random.choices(list(faults), weights)
            minute(world, name, faults[name][0])
            tick(min(world.hours, hours) - before)
        judge_heap(world)
        judge_flash(world)
    return report


def run_each(folder: Path, count: int, seed: int, tick: Callable[[], object]) -> Report:
    """`count` minutes, each kind of fault in turn; `tick` is called after each."""
    report, faults = Report("minutes of a day"), {**LASTING, **RESTARTING}
    with begun(folder, seed, report) as world:
        for _, name in zip(range(count), itertools.cycle(faults), strict=False):
            minute(world, name, faults[name][0])
            tick()
        judge_flash(world)
    return report


@contextlib.contextmanager
def begun(folder: Path, seed: int, report: Report) -> Iterator[World]:
    """The installation, its board's journal full."""
    made: Any = {"heap": HEAP, "skips": True, "backend": ("tools.day_clock",)}
    clock = Clock(folder)
    with Site(folder, {BOARD: ACTUATORS}, seed=seed, files=FILES, **made) as site:
        world = World(site, clock, seed, report)
        world.fill_journal()
        yield world


def minute(world: World, name: str, fault: Callable[[World], None]) -> None:
    """Commands, a fault, commands; then a minute in which nothing is wrong."""
    world.board.set_adc(34, world.random.randrange(65536))
    world.post(*world.random.choice((("water", "ping"), ("motor",), ("feed", "dark"))))
    try:
        fault(world)
        world.post(*world.random.choices(ANY_TIME, k=2))
        world.settle()
        halt(world)
        world.report.count(name)
    except TimeoutError as why:
        world.report.blame([f"{name}: {why}"])
        return
    world.judge()
    world.beats(name)
    world.note_heap()


def halt(world: World) -> None:
    """Now and then everything is stopped, and released."""
    if world.random.random() < HALTS:
        for name in ("halt", "clear"):
            world.post(name)
            world.settle()


def judge_heap(world: World) -> None:
    """The longest life: what was free at the end of its minutes must not become less."""
    boot = world.heaps[-1][0]
    world.report.count("boots", len({of for of, _, _ in world.heaps}))
    mine = [(hour, heap) for of, hour, heap in world.heaps if of == boot]
    if mine[-1][0] - mine[0][0] < HEAP_HOURS:
        world.report.say(f"free heap: not judged, of less than {HEAP_HOURS:g} h")
        return
    mine = mine[len(mine) // 10 :]  # it has done everything once
    tenth = max(1, len(mine) // 10)
    first, last = (
        sorted(heap for _, heap in some)[tenth // 2] for some in (mine[:tenth], mine[-tenth:])
    )
    lasted = mine[-1][0] - mine[0][0]
    world.report.say(
        f"free heap over {lasted:.1f} h of the last boot: {first:,} to {last:,} bytes, "
        f"slope {slope(mine):+.0f} bytes/h"
    )
    if first - last > HEAP_SLACK:
        world.report.blame([f"the heap went from {first} to {last} bytes"])


def slope(points: list[tuple[float, int]]) -> float:
    """Of the straight line nearest to them."""
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    square = sum((one - x) ** 2 for one, _ in points)
    return float(sum((one - x) * (other - y) for one, other in points) / (square or 1))


def judge_flash(world: World) -> None:
    """Journal and logs are no larger than they may be."""
    world.board.power_cut()
    files = world.board.flash.files()
    lines = sum(data.count(b"\n") for name, data in files.items() if name.startswith("journal"))
    sizes = {name: len(files.get(name, b"")) for name in LOGS}
    kept = sum(name.startswith("images/") for name in files)
    world.report.say(f"on flash: {lines} lines of journal, logs {sizes}, {kept} files of pictures")
    if lines > JOURNAL_LINES:
        world.report.blame([f"the journal has {lines} lines, more than {JOURNAL_LINES}"])
    for name, size in sizes.items():
        if size > LOGS[name]:
            world.report.blame([f"{name} has {size} bytes, more than {LOGS[name]}"])


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, or 1 where anything was violated or did not come to its end."""
    parser = argparse.ArgumentParser(prog="python -m tools.day", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--hours", type=float, default=HOURS, help=f"of the board ({HOURS:g})")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    arguments = parser.parse_args(argv)
    print(f"seed {arguments.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="day-") as folder,
        tqdm(total=arguments.hours, bar_format=_BAR, leave=False) as bar,
    ):
        report = run(Path(folder), arguments.hours, arguments.seed, bar.update)
    print("\n".join(report.lines()))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
