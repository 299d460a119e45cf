"""What scenes say to the host's own sound and picture: `PLAY:<file>:<volume>`, `STOP`, and so on.

A message that is only a file's name plays it. Files are named within one folder.
"""

import re
from typing import NamedTuple

PLAY, STOP, PAUSE, RESUME = VERBS = ("PLAY", "STOP", "PAUSE", "RESUME")
FULL = 100
UNKNOWN_MS = 1_000  # how long a file seems to last where there is no player, and nobody has said

_FILE = re.compile(r"[^/\\:\0-\x1f][^\\:\0-\x1f]*")


class Said(NamedTuple):
    """What a message asks for; `file` is "" for all that plays, `volume` in %."""

    verb: str
    file: str = ""
    volume: int = FULL


def said(message: str) -> Said:
    """What a message asks for. Raises ValueError that says what it must be."""
    verb, *more = message.split(":")
    if verb.upper() not in VERBS:
        if more or "." not in message or not _inside(message):
            raise ValueError(f"must be PLAY:<file>:<volume>, {', '.join(VERBS[1:])}, or a file")
        return Said(PLAY, message)
    verb, file = verb.upper(), more[0] if more else ""
    if (file and not _inside(file)) or (verb == PLAY and not file):
        raise ValueError("must name a file in the folder for scenes, without ..")
    volume = more[1] if len(more) > 1 else str(FULL)
    if len(more) > 2 or not volume.isdecimal() or int(volume) > FULL:
        raise ValueError(f"must have a volume from 0 to {FULL} at its end, or nothing")
    return Said(verb, file, int(volume))


def _inside(file: str) -> bool:
    return bool(_FILE.fullmatch(file)) and ".." not in file.split("/")


def why_not_media(message: str) -> str:
    """Why a message can't be understood, or ""."""
    try:
        said(message)
    except ValueError as why:
        return str(why)
    return ""
