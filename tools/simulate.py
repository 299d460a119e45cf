"""The long deterministic simulation: both real cores in virtual time, under faults.

    python -m tools.simulate                 10,000 seeds of 100 commands, with two processes
    python -m tools.simulate --seed 42 -v    one seed again, with all that happened

Ends with 1 where a rule was broken, and a line for each such seed that repeats it.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware"), str(ROOT / "firmware" / "lib")]

from tests.simulation.run import Report, simulate  # noqa: E402 (the paths come first)

FAULTS = ("link", "partition", "broker", "power", "backend", "database", "flash", "hostile")


def main() -> int:
    """Run it; 1 where something is broken."""
    options = _options()
    if options.seed is not None:
        return _one(options.seed, options.commands, options.verbose)
    began, total, bad = time.monotonic(), Report(0), 0
    seeds = range(options.first, options.first + options.seeds)
    with tqdm(total=len(seeds), unit="seed") as bar:
        for report in _reports(seeds, options.commands, options.jobs):
            _add(total, report)
            bar.update()
            if report.broken:
                bad += 1
                bar.write(_replay(report, options.commands))
    _summary(total, len(seeds), bad, time.monotonic() - began)
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.simulate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--commands", type=int, default=100, help="commands a seed (100)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("-v", "--verbose", action="store_true", help="print all that happens")
    return parser.parse_args()


def _one(seed: int, commands: int, verbose: bool) -> int:
    report = simulate(seed, commands, verbose)
    for line in report.lines:
        print(line)
    for text in report.broken:
        print("BROKEN", text)
    _print_counts("outcomes", report.outcomes)
    _print_counts("faults", report.counts)
    return 1 if report.broken else 0


def _reports(seeds: range, commands: int, jobs: int) -> Iterator[Report]:
    run = partial(simulate, commands=commands)
    if jobs == 1:
        yield from map(run, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(run, seeds, chunksize=8)


def _add(total: Report, report: Report) -> None:
    total.outcomes.update(report.outcomes)
    total.counts.update(report.counts)
    total.commands += report.commands
    total.pulses += report.pulses
    total.seconds += report.seconds


def _replay(report: Report, commands: int) -> str:
    more = f" --commands {commands}" if commands != 100 else ""
    replay = f"python -m tools.simulate --seed {report.seed}{more} -v"
    return f"BROKEN {len(report.broken)}: {report.broken[0]}\n  repeat it: {replay}"


def _summary(total: Report, seeds: int, bad: int, seconds: float) -> None:
    faults = sum(n for name, n in total.counts.items() if name.startswith(FAULTS))
    print(
        f"{total.commands:,} commands over {seeds:,} seeds, {faults:,} faults,"
        f" {total.pulses:,} pulses, {total.seconds / 86_400:,.1f} days of virtual time,"
        f" in {seconds:,.0f} s ({total.commands / seconds:,.0f} commands/s)"
    )
    _print_counts("outcomes", total.outcomes)
    _print_counts("faults and the like", total.counts)
    print(f"{bad} seeds broke a rule" if bad else "no rule was broken")


def _print_counts(title: str, counts: Counter[str] | dict[str, Any]) -> None:
    print(title + ":")
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"  {count:>11,}  {name}")


if __name__ == "__main__":
    sys.exit(main())
