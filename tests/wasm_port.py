"""Runs files under a MicroPython of 32 bits: ticks that wrap at 2^30, small integers of 31 bits.

It is the port to WebAssembly, from npm, and runs under Node. Where there is no Node, a test that
asks for it is skipped, which is a failure where CI=true.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unix_port import ROOT, RUNNERS, SECONDS, Results, results_of

FOLDERS = {
    "/runner": RUNNERS,
    "/lib/protocol": ROOT / "firmware" / "lib" / "protocol",
    "/firmware/app": ROOT / "firmware" / "app",
}
_PACKAGE = "@micropython/micropython-webassembly-pyscript"
_VERSION = "1.27.0"
_FILES = {
    "micropython.mjs": "c2be87e7ba24e3b47d133022b009a66bff07f4720aa23d816d216ef8cc47014c",
    "micropython.wasm": "06338c955b03c5700aa0069015d3e392d76836ef8e2ce25bedbe59b88ccd373c",
}
_FOLDER = ROOT / "var" / "cache" / f"wasm-{_VERSION}"


def run_tests(path: Path, functions: list[str]) -> Results:
    """{function: traceback or None}, from one process unless a test kills it."""
    module = installed()
    folders = {**FOLDERS, "/tests": path.parent}
    there = f"/tests/{path.name}"

    def run(todo: list[str]) -> tuple[str, str]:
        command = ["node", str(RUNNERS / "wasm.mjs"), str(module)]
        names = json.dumps({name: str(folder) for name, folder in folders.items()})
        return _run([*command, names, there, *todo])

    return results_of(run, functions)


def installed() -> Path:
    """The path of its JavaScript module, fetched by npm the first time and checked each time."""
    folder = _FOLDER / "node_modules" / _PACKAGE
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node here: apt install nodejs npm, or brew install node")
    if not folder.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        options = ["--prefix", str(_FOLDER), "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(
            ["npm", "install", *options, f"{_PACKAGE}@{_VERSION}"], check=True, capture_output=True
        )
    for name, digest in _FILES.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert found == digest, f"{folder / name} is not what it was when it was chosen"
    return folder / "micropython.mjs"


def _run(command: list[str]) -> tuple[str, str]:
    """(all output, how the process ended)."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        return str(late.stdout), f"was still busy after {SECONDS} s"
    return done.stdout + done.stderr, f"ended with {done.returncode}"
