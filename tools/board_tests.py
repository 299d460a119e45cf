"""Runs the firmware's own tests on a board that is plugged in, by way of the real mpremote.

    python -m tools.board_tests --port /dev/ttyUSB0 [-k WORD]

The `mp_*.py` of tests/firmware and tests/protocol and what they test come from this checkout,
over the serial line: nothing is written to the board but what a test writes and removes. The
program is stopped for that, and started anew at the end. Outputs stay as they are: the pins of
these tests are made up. They are compiled on the board, which takes some 100 KB of its memory.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools import remote, stage
from tools.remote import RemoteError

FOLDERS = ("firmware", "protocol")  # of tests/
SECONDS = 600.0  # for one file: 115,200 baud are slow

_RUN = """
import sys
sys.path[:] = ["", "/remote", ".frozen", "/lib"]
import run
run.main(*{argv!r})
"""


def tests_in(path: Path) -> list[str]:
    """The names of a file's tests."""
    return re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)


def files(folder: Path, word: str = "") -> list[Path]:
    """Those of a folder made by `lay_out` that have tests and whose name holds `word`.

    Those that bring a chip of their own are nothing for a board.
    """
    found = [path for path in folder.glob("tests/*/mp_*.py") if word in path.name]
    return sorted(p for p in found if tests_in(p) and "mp_machine" not in p.read_text())


def lay_out(folder: Path) -> None:
    """What the board sees as /remote: sources, tests, and what runs them."""
    firmware = stage.ROOT / "firmware"
    only_sources = shutil.ignore_patterns("__pycache__")
    shutil.copytree(firmware / "app", folder / "app", ignore=only_sources)
    shutil.copytree(firmware / "lib" / "protocol", folder / "protocol", ignore=only_sources)
    shutil.copy(stage.ROOT / "tests" / "mp_runner" / "run.py", folder)
    for name in FOLDERS:
        (folder / "tests" / name).mkdir(parents=True)
        for path in (stage.ROOT / "tests" / name).iterdir():
            if path.name.startswith("mp_") or path.suffix == ".json":
                shutil.copy(path, folder / "tests" / name)


def results(port: str, folder: Path, path: Path) -> Iterator[tuple[str, str | None]]:
    """(test, traceback or None) of one of `files(folder)`, in a fresh interpreter."""
    names = tests_in(path)
    place = f"/remote/{path.relative_to(folder)}"
    code = _RUN.format(argv=[place, *names])
    words = ("mount", str(folder), "exec", code)
    try:
        said = remote.mpremote(port, *words, seconds=SECONDS)
        ending = "it said nothing"
    except RemoteError as why:
        said, ending = "", str(why)
    lines = [json.loads(line[3:]) for line in said.splitlines() if line.startswith("@@ ")]
    done = {line["test"]: line["traceback"] for line in lines if "traceback" in line}
    for name in names:
        yield name, done.get(name, f"no result: {ending}")


def run(port: str, word: str) -> int:
    """How many failed."""
    failed = count = 0
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name))
        for path in files(Path(name), word):
            for test, traceback in results(port, Path(name), path):
                count += 1
                failed += traceback is not None
                print("FAILED" if traceback else "ok    ", f"{path.name}: {test}", flush=True)
                if traceback:
                    print(traceback, flush=True)
    print(f"{count - failed} passed, {failed} failed on the board at {port}")
    return failed if count else 1


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0 where all passed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tools.board_tests", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--port", default="", help="serial port; else the only board there is")
    parser.add_argument("-k", default="", dest="word", help="only files with this in their name")
    given = parser.parse_args(argv)
    try:
        failed = run(given.port, given.word)
        remote.mpremote(given.port, "resume", "reset")
    except (RemoteError, OSError, subprocess.SubprocessError) as why:
        print(why, file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
