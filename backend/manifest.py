"""`release.json`: what a release is made of, one file a line, so that a board can read it so.

    {"version":"0.2.0",
    "files":[
    ["app/__init__.mpy",154,"<SHA-256, 64 hex digits>"],
    ["app/talking.mpy",2480,"<...>"]
    ],"sig":"<64 hex digits>"}

`sig` is made with a board's own key (see protocol.signature); a release that came over the
serial cable has none. Beside it `about.json` says which boards it is for; boards do not fetch it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from protocol.signature import sign

NAME = "release.json"
ABOUT = "about.json"
VERSION = re.compile(r"[A-Za-z0-9._+-]{1,32}")


def manifest(version: str, files: Mapping[str, bytes]) -> bytes:
    """The bytes of release.json, unsigned, for {path in the release: content}."""
    rows = [
        json.dumps([name, len(content), sha256(content)], separators=(",", ":"))
        for name, content in sorted(files.items())
    ]
    lines = ['{"version":' + json.dumps(version) + ",", '"files":[', ",\n".join(rows), "]}"]
    return "\n".join(lines).encode()


def signed(unsigned: bytes, key: bytes) -> bytes:
    """The same for the one board that has this key (32 bytes)."""
    data: bytes = sign(unsigned[:-1], key)
    return data


def read(data: bytes) -> tuple[str, dict[str, tuple[int, str]]]:
    """(version, {path: (bytes, SHA-256)}). Raises ValueError."""
    said: dict[str, Any] = json.loads(data)
    return said["version"], {name: (size, digest) for name, size, digest in said["files"]}


def about(board: str, build: str) -> bytes:
    """The bytes of about.json: a folder of boards/, and what MicroPython there says it is."""
    return json.dumps({"board": board, "build": build}).encode()


def sha256(content: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(content).hexdigest()
