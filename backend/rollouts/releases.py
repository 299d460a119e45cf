"""Releases: what boards may be updated to, and the files as each board gets them.

Rules of this file:
- a release is never changed: its id comes of all it holds, its files lie in a folder of that
  name in `DATA_DIR/releases`, which is whole from the moment it is there;
- there is one release of a version for a kind of board: who says it runs it, runs just that;
- files are no secret, but nobody else's business: their address holds a seal made with the key of
  the board that is to fetch them, and is good while a rollout is bringing them to it;
- `release.json` is signed for that board when it is asked for.
"""

import base64
import hashlib
import hmac
import logging
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peewee import BigIntegerField, IntegerField, TextField
from protocol.signature import key_from_hex

from backend import manifest
from backend.database.models import RETIRED, Base, Board
from backend.delivery.work import Work
from backend.errors import Conflict, Invalid, NotFound
from backend.people.audit import Actor, noted
from backend.rollouts import rows
from backend.rollouts.archive import Checked

log = logging.getLogger(__name__)

FOLDER = "releases"  # in the data folder
NOTES_MAX = 1000
_SEAL_BYTES = 16

Values = dict[str, Any]


class Release(Base):
    """`board`: a folder of boards/; `build`: what such a board says it is. `manifest`: its
    release.json, unsigned; `size` of all files in bytes.
    """

    id = TextField(primary_key=True)
    board = TextField()
    build = TextField()
    version = TextField()
    manifest = TextField()
    files = IntegerField()
    size = IntegerField()
    notes = TextField(default="")
    user = TextField()
    created_at = BigIntegerField()

    class Meta:
        indexes = ((("build", "version"), True),)


def add(folder: Path, found: Checked, notes: str, who: Actor, now: int) -> tuple[Values, bool]:
    """(the release, whether it is new). `folder`: of all releases. Raises Conflict, Invalid."""
    if len(notes) > NOTES_MAX or "\0" in notes:
        raise Invalid("bad_parameter", "notes", f"must be text of at most {NOTES_MAX} characters")
    release_id = _id(found)
    place = folder / release_id
    if _known(found, release_id) and place.exists():
        return public(get(release_id)), False
    fresh = _written(folder, found.files)
    try:
        with noted(who, "release.add", release_id, {"version": found.version}):
            known = _known(found, release_id)
            if place.exists() and not known:  # of one that was deleted, or never came to be known
                shutil.rmtree(place)
            if not place.exists():
                fresh.rename(place)
            if not known:
                Release.insert(_columns(found, release_id, notes, who, now)).execute()
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return public(get(release_id)), not known


def _columns(found: Checked, release_id: str, notes: str, who: Actor, now: int) -> Values:
    return {
        "id": release_id,
        "board": found.board,
        "build": found.build,
        "version": found.version,
        "manifest": found.said.decode(),
        "files": len(found.files),
        "size": sum(map(len, found.files.values())),
        "notes": notes,
        "user": who.user,
        "created_at": now,
    }


def _id(found: Checked) -> str:
    whole = f"{found.board} {found.build}\n".encode() + found.said
    return hashlib.sha256(whole).hexdigest()[:16]


def _known(found: Checked, release_id: str) -> Release | None:
    """The same release. Raises Conflict where another one has its version."""
    wanted = (Release.build == found.build) & (Release.version == found.version)
    row = Release.get_or_none(wanted)
    if row is not None and row.id != release_id:
        reason = (
            f"is {found.version}, and so is the release {row.id}, which holds something else:"
            " make it with a --version of its own"
        )
        raise Conflict("exists", "release", reason)
    return row if isinstance(row, Release) else None


def _written(folder: Path, files: dict[str, bytes]) -> Path:
    """A fresh folder beside the others with these files, on disk for good."""
    fresh = folder / f".{secrets.token_hex(8)}"
    for name, content in files.items():
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        with open(fresh / name, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return fresh


@dataclass(frozen=True, slots=True)
class Delete:
    """The wish that a release be gone."""

    folder: Path
    release_id: str

    def __call__(self, work: Work) -> None:
        """Raises NotFound; Conflict where a rollout is bringing it to boards."""
        row = get(self.release_id)
        if (rollout := rows.of_release(row.id)) is not None:
            reason = f"is what rollout {rollout} brings to boards; abort that, or wait for its end"
            raise Conflict("in_use", "release", reason)
        row.delete_instance()
        gone = self.folder / f".{secrets.token_hex(8)}"
        try:
            (self.folder / row.id).rename(gone)  # at once, so that it is never there in part
        except OSError as why:  # nobody fetches what has no row
            log.warning("the files of release %s stay: %s", row.id, why)
        shutil.rmtree(gone, ignore_errors=True)


def get(release_id: str) -> Release:
    """A release's row. Raises NotFound."""
    found = Release.get_or_none(Release.id == release_id)
    if not isinstance(found, Release):
        raise NotFound("unknown_release", "release", f"there is no release {release_id!r:.80}")
    return found


def everything() -> list[Values]:
    """All releases, newest first."""
    return [public(row) for row in Release.select().order_by(Release.created_at.desc())]


def public(row: Release) -> Values:
    """A release as the API shows it; `created_at` is ms, `size` bytes."""
    names = ("id", "board", "build", "version", "files", "size", "notes", "user", "created_at")
    return {name: getattr(row, name) for name in names}


def address(base: str, release_id: str, board_id: str, key: bytes) -> str:
    """Where a board fetches its release.json."""
    seal = _seal(release_id, board_id, key)
    return f"{base}/firmware/{board_id}/{release_id}/{seal}/{manifest.NAME}"


def digest(row: Release, key: bytes) -> str:
    """SHA-256 of the release.json of the board with this key."""
    return manifest.sha256(manifest.signed(row.manifest.encode(), key))


def served(folder: Path, board_id: str, release_id: str, seal: str, name: str) -> bytes:
    """A file as a board gets it. Raises NotFound, always the same."""
    nothing = NotFound("not_found", "", "there is nothing here")
    board = Board.get_or_none((Board.id == board_id) & (Board.state != RETIRED))
    release = Release.get_or_none(Release.id == release_id)
    if board is None or release is None:
        raise nothing
    key = key_from_hex(board.key)
    right = hmac.compare_digest(seal.encode(), _seal(release_id, board_id, key).encode())
    if not right or not rows.is_fetching(board_id, release_id):
        raise nothing
    if name == manifest.NAME:
        return manifest.signed(release.manifest.encode(), key)
    if name not in manifest.read(release.manifest.encode())[1]:
        raise nothing
    try:
        return (folder / release_id / name).read_bytes()
    except FileNotFoundError:
        raise nothing from None


def _seal(release_id: str, board_id: str, key: bytes) -> str:
    said = f"firmware {board_id} {release_id}".encode()
    mac = hmac.digest(key, said, "sha256")[:_SEAL_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
