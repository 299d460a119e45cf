"""Writes the three lock files from pyproject.toml: exact versions, with hashes.

    python -m tools.lock [--upgrade]

Run by maintainers. pip-tools lives in a folder of its own, so that it is in no lock file.
"""

import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP_TOOLS = "pip-tools==7.6.2"
STUBS = ("micropython-esp32-stubs==1.29.0.post1", "micropython-stdlib-stubs==1.29.0.post2")
LOCKS = {
    "requirements.lock": ("--extra=boards", "pyproject.toml"),
    "requirements-test.lock": ("--extra=boards", "--extra=test", "pyproject.toml"),
    "requirements-stubs.lock": ("--no-header", "-"),
}
# No line of a lock file may say where it was made or which index was asked.
PLAIN = (
    "--generate-hashes",
    "--no-annotate",
    "--strip-extras",
    "--no-emit-find-links",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
)


def compiler() -> Path:
    """pip-compile, installed on first use."""
    home = ROOT / "build" / "lock"
    if not (home / "bin" / "pip-compile").exists():
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin" / "pip", "install", PIP_TOOLS], check=True)
    return home / "bin" / "pip-compile"


def markers() -> dict[str, str]:
    """{name==version: marker} of what only some platforms have; pip-compile forgets it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pairs = (line.split(";", 1) for line in project["optional-dependencies"]["boards"])
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}


def lock(name: str, arguments: tuple[str, ...], extra: list[str]) -> None:
    """Writes one lock file; versions it already has are kept unless `extra` says --upgrade."""
    command = [str(compiler()), *PLAIN, f"--output-file={name}", *extra, *arguments]
    subprocess.run(command, cwd=ROOT, check=True, input="\n".join(STUBS), text=True)
    text = (ROOT / name).read_text()
    for pinned, marker in markers().items():
        text = text.replace(f"\n{pinned} \\", f"\n{pinned} ; {marker} \\")
    (ROOT / name).write_text(text)


if __name__ == "__main__":
    for each, arguments in LOCKS.items():
        lock(each, arguments, sys.argv[1:])
