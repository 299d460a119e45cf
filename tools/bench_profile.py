"""The backend with its threads watched: `python -m tools.bench_profile OUT [--functions]`.

What each kind of thread costs in CPU time is always noted (Linux); with `--functions` also in
which function, by cProfile in every thread. That makes it several times slower, so the shares are
what counts, not the times. `make bench ARGS=--profile` runs it both ways and prints what OUT got.
"""

import cProfile
import json
import pstats
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend import __main__ as backend
from tools import bench_site
from tools.bench_parts import Size
from tools.bench_report import Report

_SAMPLE_SECONDS = 0.25
_TICKS = 100.0  # of /proc, in a second
_TOP = 40

Row = tuple[str, int, float, float]  # function, calls, CPU seconds in itself, with its calls


def kind_of(name: str) -> str:
    """The kind of a thread: waitress numbers its own."""
    return re.sub(r"[-_ ]?\(?\d.*$", "", name)


class Clocks(threading.Thread):
    """CPU seconds of every thread of this process, by name, for as long as they live."""

    def __init__(self) -> None:
        super().__init__(name="clocks", daemon=True)
        self.seconds: dict[str, float] = {}

    def run(self) -> None:
        """The thread."""
        while True:
            self.note()
            time.sleep(_SAMPLE_SECONDS)

    def note(self) -> None:
        """Read them all now."""
        for thread in threading.enumerate():
            path = Path(f"/proc/self/task/{thread.native_id}/stat")
            if path.exists():
                fields = path.read_text().rpartition(")")[2].split()
                self.seconds[thread.name] = (int(fields[11]) + int(fields[12])) / _TICKS


class Functions:
    """A profile for every thread that begins after `install`, by kind of thread."""

    def __init__(self) -> None:
        self._profiles: list[tuple[str, cProfile.Profile]] = []

    def install(self) -> None:
        """Profile every new thread from its first call on."""
        threading.setprofile(self._begin)

    def _begin(self, frame: Any, event: str, arg: Any) -> None:
        profile = cProfile.Profile(time.thread_time)
        self._profiles.append((threading.current_thread().name, profile))
        profile.enable()

    def top(self) -> dict[str, list[Row]]:
        """{kind of thread: its functions}, the dearest with all they call first."""
        merged: dict[str, pstats.Stats] = {}
        for name, profile in self._profiles:
            profile.create_stats()
            if not profile.stats:
                continue
            kind = kind_of(name)
            if kind in merged:
                merged[kind].add(profile)
            else:
                merged[kind] = pstats.Stats(profile)
        return {kind: _rows(stats) for kind, stats in merged.items()}


def _rows(stats: pstats.Stats) -> list[Row]:
    found: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]
    rows = [(_label(*where), *values[1:4]) for where, values in found.items()]
    return sorted(rows, key=lambda row: -row[3])


def _label(file: str, line: int, name: str) -> str:
    return name if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{line} {name}"


def main(out: str, functions: bool) -> int:
    """Serve as `python -m backend` does; write what was seen when it ends. Its exit code."""
    clocks, profiles = Clocks(), Functions()
    clocks.start()
    if functions:
        profiles.install()
    code = backend.main([])
    seen = {"threads": clocks.seconds, "functions": profiles.top() if functions else {}}
    Path(out).write_text(json.dumps(seen))
    return code


def report_threads(report: Report, seen: dict[str, Any], commands: int) -> None:
    """What each kind of thread costs for each command."""
    kinds: dict[str, float] = {}
    for name, seconds in seen["threads"].items():
        kinds[kind_of(name)] = kinds.get(kind_of(name), 0.0) + seconds
    for kind, seconds in sorted(kinds.items(), key=lambda one: -one[1]):
        what = f"thread {kind}: CPU for each command"
        report.add("The backend's threads", what, seconds / commands * 1e6, "us")


def measured(size: Size, broker: str, *options: str) -> tuple[dict[str, Any], int]:
    """(what OUT got, how many commands there were) of a run with the threads watched."""
    with bench_site.running(broker) as site:
        out = site.folder / "profile.json"
        with site.serving("tools.bench_profile", str(out), *options):
            times = site.load(2 * size.load, outstanding=max(size.outstanding))
        return json.loads(out.read_text()), len(times.due)


def profile_steps(size: Size) -> int:
    """How often `profile` yields."""
    return 2


def profile(size: Size, report: Report, broker: str) -> Iterator[None]:
    """Where the time of the backend goes, for each command."""
    seen, commands = measured(size, broker)
    report_threads(report, seen, commands)
    yield
    report.notes += lines(*measured(size, broker, "--functions"))
    yield


def lines(seen: dict[str, Any], commands: int) -> list[str]:
    """The dearest functions of each kind of thread, for people."""
    out = []
    for kind, rows in seen["functions"].items():
        whole = sum(row[2] for row in rows) or 1e-9
        spent = f"{whole / commands * 1e6:.0f} us for each command, under the profile"
        out += ["", f"{kind}: {spent}", "  with its calls    in itself  calls/command"]
        for name, calls, own, total in rows[:_TOP]:
            shares = f"{total / whole * 100:8.1f} %      {own / whole * 100:8.1f} %"
            out.append(f"  {shares}  {calls / commands:9.1f}     {name}")
    return out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--functions" in sys.argv))
