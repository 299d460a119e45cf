"""Runs files under the real MicroPython, with the heap of a small board.

Where there is none, a test that asks for it is skipped, which is a failure where CI=true.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.emulator_process import EmulatorError, interpreter

ROOT = Path(__file__).resolve().parents[1]
RUNNERS = ROOT / "tests" / "mp_runner"
HEAP = "128K"
Results = dict[str, str | None]
SECONDS = 280  # for one file, below the time limit of one test


def binary() -> str | None:
    """The MicroPython to test with, or None."""
    try:
        return interpreter()
    except EmulatorError:
        return None


def command(runner: str, *args: str) -> list[str]:
    """The command that runs one of tests/mp_runner."""
    path = binary()
    if path is None:
        pytest.skip("there is no MicroPython here: set MICROPYTHON to the path of its executable")
    return [path, "-X", f"heapsize={HEAP}", str(RUNNERS / runner), *args]


def environment() -> dict[str, str]:
    """The environment in which firmware modules import as on the board."""
    path = [str(ROOT / "firmware" / "lib"), str(ROOT / "firmware"), ".frozen"]
    return {**os.environ, "MICROPYPATH": ":".join(path)}


def run_tests(path: Path, functions: list[str]) -> Results:
    """{function: traceback or None}, from one process unless a test kills it."""
    return results_of(lambda todo: _run(path, todo), functions)


def results_of(run: Callable[[list[str]], tuple[str, str]], functions: list[str]) -> Results:
    """The results of these tests; `run` returns (output, how it ended) of mp_runner/run.py."""
    results: Results = {}
    while todo := [name for name in functions if name not in results]:
        output, ending = run(todo)
        lines = [json.loads(line[3:]) for line in output.splitlines() if line.startswith("@@ ")]
        results.update({line["test"]: line["traceback"] for line in lines if "traceback" in line})
        unanswered = [name for name in todo if name not in results]
        if unanswered:
            results[unanswered[0]] = f"MicroPython {ending} in {unanswered[0]}\n{output}"
    return results


def _run(path: Path, functions: list[str]) -> tuple[str, str]:
    """(all output, how the process ended)."""
    process = subprocess.Popen(
        command("run.py", str(path), *functions),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
        text=True,
        errors="replace",
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0], f"was still busy after {SECONDS} s"
    return output, f"ended with {process.returncode}"
