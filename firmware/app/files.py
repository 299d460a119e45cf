"""What a release is on flash: its files, and its release.json (see tools/manifest.py for that).

Nothing here computes for long at a time. Raises OSError where the flash can't be written.
"""

import asyncio
import binascii
import hashlib
import json
import os

from micropython import const
from protocol import signature

_PIECE = const(512)
_FOLDER = const(0x4000)


def size(path):
    """Bytes of a file, or None where there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return None


def free(block):
    """Bytes of flash nobody uses. `block`: where the port can't tell how large one is."""
    facts = os.statvfs("/")
    return (facts[0] or block) * facts[3]


def remove(path):
    """Where there is such a file."""
    if size(path) is not None:
        os.remove(path)


def sizes(folder):
    """Bytes of each file in it, below it too."""
    return [size(path) for path in _walk(folder)]


def _walk(folder):
    """The paths of all files; a list, for they may be removed on the way."""
    found: list = []
    try:
        for entry in os.ilistdir(folder):
            path = folder + "/" + entry[0]
            found += _walk(path) if entry[1] == _FOLDER else [path]
    except OSError:
        pass  # no such folder
    return found


def remove_others(folder, manifest):
    """All that does not belong to the release, or was not begun for it."""
    for path in _walk(folder):
        name = path[len(folder) + 1 :]
        if not any(name in (one, "part." + sha[:16]) for one, _, sha in entries(manifest)):
            os.remove(path)


def make_folder(path):
    """The folders a file is to be in."""
    at = path.find("/", 1)
    while at > 0:
        if size(path[:at]) is None:
            os.mkdir(path[:at])
        at = path.find("/", at + 1)


async def digest(path):
    """SHA-256 of a file in hex, or None where there is none."""
    sha, buffer = hashlib.sha256(), memoryview(bytearray(_PIECE))
    if size(path) is None:
        return None
    with open(path, "rb") as file:
        count = file.readinto(buffer)
        while count:
            sha.update(buffer[:count])
            await asyncio.sleep_ms(0)
            count = file.readinto(buffer)
    return binascii.hexlify(sha.digest()).decode()


async def copy(source, target):
    """Piece by piece."""
    buffer = memoryview(bytearray(_PIECE))
    with open(source, "rb") as old, open(target, "wb") as new:
        count = old.readinto(buffer)
        while count:
            new.write(buffer[:count])
            await asyncio.sleep_ms(0)
            count = old.readinto(buffer)


def signed_parts(path):
    """(pieces of what was signed, the signature's bytes at the end) of a manifest."""
    with open(path, "rb") as file:
        file.seek(max(0, size(path) - signature.TAIL))
        return _pieces(path, size(path) - signature.TAIL), file.read()


def _pieces(path, left):
    with open(path, "rb") as file:
        while left > 0:
            piece = file.read(min(left, _PIECE))
            left -= len(piece)
            yield piece
    yield b"}"


def version(manifest):
    """What it says. Raises ValueError."""
    with open(manifest, "rb") as file:
        return json.loads(file.readline().rstrip(b",\n") + b"}").get("version")


def entries(manifest):
    """(path, bytes, SHA-256) of each file, read anew each time. Raises ValueError."""
    with open(manifest, "rb") as file:
        for line in file:
            if line.startswith(b'["'):
                name, count, sha = json.loads(line.rstrip(b",\n"))
                if ".." in name or name[0] == "/" or len(name) > 64 or count < 0:
                    raise ValueError
                yield name, count, sha
