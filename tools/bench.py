"""`make bench`: what this machine can do, in one run, and whether that is what was aimed for.

    python -m tools.bench [--quick] [--only PART] [--profile] [--broker NAME] [--json FILE]

The exit code is 0 also where a target is missed; it is 1 where a command was lost or ran twice.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tqdm import tqdm

from tools import (
    bench_floor,
    bench_naive,
    bench_parts,
    bench_pins,
    bench_presence,
    bench_profile,
    bench_readings,
)
from tools.bench_parts import QUICK, WHOLE, Size
from tools.bench_report import Report

Part = Callable[[Size, Report, str], Iterator[None]]

# name -> (what runs it, how many steps it takes)
PARTS: dict[str, tuple[Part, Callable[[Size], int]]] = {
    "throughput": (bench_parts.throughput, bench_parts.throughput_steps),
    "latency": (bench_parts.latency, bench_parts.latency_steps),
    "floor": (bench_floor.floor, bench_floor.floor_steps),
    "pins": (bench_pins.pins, bench_pins.pins_steps),
    "naive": (bench_naive.naive, bench_naive.naive_steps),
    "presence": (bench_presence.presence, bench_presence.presence_steps),
    "readings": (bench_readings.readings, bench_readings.readings_steps),
    "profile": (bench_profile.profile, bench_profile.profile_steps),
}
PROFILE = "profile"


def run(names: list[str], size: Size, broker: str) -> Report:
    """Some parts, in order, with a progress bar."""
    machine = f"{os.cpu_count()} processors, {platform.machine()}, {platform.system()}"
    report = Report({"machine": machine, "Python": platform.python_version(), "broker": broker})
    total = sum(PARTS[name][1](size) for name in names)
    with tqdm(total=total, unit="step", leave=False) as bar:
        for name in names:
            bar.set_description(name)
            for _ in PARTS[name][0](size, report, broker):
                bar.update()
    return report


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, or 1 where something broke."""
    arguments = _arguments(argv)
    names = arguments.only or [name for name in PARTS if name != PROFILE]
    if arguments.profile:
        names = [PROFILE]
    report = run(names, QUICK if arguments.quick else WHOLE, arguments.broker)
    print("\n".join(report.lines()))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    return 1 if report.broken else 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="about 20 s; the figures are rough")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given again")
    parser.add_argument("--profile", action="store_true", help="where the backend's time goes")
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default="embedded")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
