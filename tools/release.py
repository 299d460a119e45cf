"""Makes a release: the files of a board's firmware as a folder that boards can fetch by HTTP.

    python -m tools.release BOARD FOLDER [--version 0.2.0] [--key 64-HEX-DIGITS]

What boards fetch is `release.json` and the files it names, beside it. It has to be signed with
the key of the board that asks: without `--key` that is left to whoever serves it, as the backend
does (`python -m backend release add FOLDER`). A FOLDER that ends with .zip becomes a zip, which
the backend's page takes.
"""

import argparse
import io
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from protocol import ProtocolError
from protocol.signature import key_from_hex

from backend import manifest
from tools import stage, umqtt


def make(board: Path, version: str | None = None) -> dict[str, bytes]:
    """{path: content} of a release, its unsigned release.json included.

    Raises StageError, FetchError.
    """
    files = stage.release(board)
    version = version or stage.version(files)
    if stage.version(files) != version:
        files = {**files, "app/__init__.mpy": _with_version(version)}
    return with_manifest(version, files)


def _with_version(version: str) -> bytes:
    """app/__init__.py that says so."""
    text = (stage.ROOT / "firmware" / "app" / "__init__.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "__init__.py"
        source.write_text(re.sub("^VERSION = .*$", f'VERSION = "{version}"', text, flags=re.M))
        return stage.compiled(source, "app")


def with_manifest(version: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a release and its unsigned release.json."""
    return {**files, manifest.NAME: manifest.manifest(version, files)}


def about(board: Path) -> bytes:
    """about.json of a board's directory."""
    facts = json.loads((board / "board.json").read_text())
    build = re.sub("[^A-Za-z0-9]", "_", facts.get("build") or facts["image"])
    return manifest.about(board.name, build)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return data.getvalue()


def write(folder: Path, files: Mapping[str, bytes], key: bytes | None = None) -> str:
    """Puts them into an empty folder, signed if there is a key. The SHA-256 of release.json."""
    said = files[manifest.NAME]
    files = {**files, manifest.NAME: manifest.signed(said, key) if key else said}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return manifest.sha256(files[manifest.NAME])


def main(argv: list[str] | None = None) -> int:
    """The exit code: 1 where the release could not be made."""
    given = _arguments(argv)
    try:
        board = stage.BOARDS / given.board
        files = {**make(board, given.version), manifest.ABOUT: about(board)}
        key = key_from_hex(given.key) if given.key else None
        if given.folder.suffix == ".zip":
            given.folder.write_bytes(zipped(files))
            digest = manifest.sha256(files[manifest.NAME])
        else:
            digest = write(given.folder, files, key)
    except (stage.StageError, umqtt.FetchError, ProtocolError) as error:
        print(error, file=sys.stderr)
        return 1
    version, listed = manifest.read(files[manifest.NAME])
    size = sum(size for size, _ in listed.values())
    print(f"release {version}: {len(listed)} files, {size:,d} bytes, in {given.folder}")
    print(f"sha256 of its {'signed' if key else 'unsigned'} {manifest.NAME}: {digest}")
    return 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("board", help="a folder of boards/")
    about = "an empty one, or one that does not exist yet; or a .zip that does not"
    parser.add_argument("folder", type=Path, help=about)
    parser.add_argument("--version", help="else VERSION of firmware/app")
    parser.add_argument("--key", help="of the board it is for")
    given = parser.parse_args(argv)
    if not (stage.BOARDS / given.board / "manifest.py").exists():
        parser.error(f"there is no board {given.board}: see the folders of {stage.BOARDS}")
    if given.folder.is_file() or (given.folder.exists() and any(given.folder.iterdir())):
        parser.error(f"{given.folder} is not empty")
    if given.key and given.folder.suffix == ".zip":
        parser.error("a zip is for the backend, which signs for each board: leave --key out")
    if given.version and not manifest.VERSION.fullmatch(given.version):
        parser.error("a version is 1 to 32 of A-Z a-z 0-9 . _ + -")
    return given


if __name__ == "__main__":
    sys.exit(main())
