"""A release as it comes in, a folder or a zip of one: read within bounds, and checked whole.

What is taken is exactly what `release.json` says, byte for byte, as a board will check it again.
"""

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from protocol.topics import is_id

from backend import manifest
from backend.errors import Invalid

BYTES_MAX = 2 * 1024 * 1024
FILES_MAX = 400
# Signed, it is 75 bytes longer; a board reads no more than 16 KiB.
_MANIFEST_MAX = 16 * 1024 - 100
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_PATH_MAX = 64
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises for bytes that are damaged, or made so.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, OSError,
           RuntimeError, ValueError)  # fmt: skip

Content = Mapping[str, bytes]


class Checked(NamedTuple):
    """A release that is what it says. `said`: its release.json, `files`: those named there."""

    board: str
    build: str
    version: str
    said: bytes
    files: dict[str, bytes]


def of_folder(folder: Path) -> dict[str, bytes]:
    """{path: content} of a folder. Raises Invalid, OSError."""
    if not (folder / manifest.NAME).is_file():
        raise _bad(f"has no {manifest.NAME}: make it with make release", str(folder))
    paths = [path for path in folder.rglob("*") if path.is_file()]
    _check_size(len(paths), sum(path.stat().st_size for path in paths))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def of_zip(data: bytes) -> dict[str, bytes]:
    """The same of a zip of such a folder, with or without the folder itself. Raises Invalid."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = [one for one in file.infolist() if not one.is_dir()]
            _check_size(len(members), sum(one.file_size for one in members))
            if any(one.flag_bits & 1 or one.compress_type not in _METHODS for one in members):
                raise _bad("must be a plain zip: no password, deflated or stored")
            return _without_folder({one.filename: file.read(one) for one in members})
    except _BROKEN as why:
        raise _bad(f"is no zip that can be read: {why}"[:200]) from None


def _without_folder(content: dict[str, bytes]) -> dict[str, bytes]:
    ends = [name for name in content if name.rpartition("/")[2] == manifest.NAME]
    above = min(ends, key=len).removesuffix(manifest.NAME) if ends else ""
    return {name.removeprefix(above): data for name, data in content.items()}


def checked(content: Content) -> Checked:
    """A release, of all that stands in its folder. Raises Invalid, which says what is wrong."""
    files = dict(content)
    said, about = files.pop(manifest.NAME, None), files.pop(manifest.ABOUT, None)
    if said is None or about is None:
        missing = manifest.NAME if said is None else manifest.ABOUT
        raise _bad(f"has no {missing}: make it with make release, and give all of its folder")
    board, build = _read_about(about)
    _check_size(len(files), sum(map(len, files.values())))
    for name in files:
        if not _PATH.fullmatch(name) or len(name) > _PATH_MAX:
            raise _bad(f"holds a path no board takes: {name!r:.100}")
    return Checked(board, build, _check_said(said, files), said, files)


def _read_about(about: bytes) -> tuple[str, str]:
    try:
        read = json.loads(about)
        board, build = read["board"], read["build"]
        if not is_id(board) or not is_id(build):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _bad(f"has a damaged {manifest.ABOUT}: make it again with make release") from None
    return board, build


def _check_said(said: bytes, files: Content) -> str:
    """The version. Raises Invalid where release.json is not of just these files."""
    try:
        version, listed = manifest.read(said)
        if not isinstance(version, str) or not manifest.VERSION.fullmatch(version):
            raise ValueError
        for name, (size, digest) in listed.items():
            if files.get(name) is None:
                raise _bad(f"lacks {name!r:.100}")
            if (len(files[name]), manifest.sha256(files[name])) != (size, digest):
                raise _bad(f"is damaged: {name!r:.100} is not what release.json says")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _bad("has a damaged release.json: make it again with make release") from None
    if more := sorted(files.keys() - listed.keys()):
        raise _bad(f"holds {more[0]!r:.100}, which release.json does not name")
    if said != manifest.manifest(version, files) or len(said) > _MANIFEST_MAX:
        reason = "must have its release.json as make release writes it, and not signed (no --key)"
        raise _bad(reason)
    return version


def _check_size(count: int, size: int) -> None:
    if count > FILES_MAX + 2 or size > BYTES_MAX:
        raise _bad(f"must have at most {FILES_MAX} files of {BYTES_MAX} bytes together")


def _bad(reason: str, field: str = "release") -> Invalid:
    return Invalid("bad_release", field, reason)
