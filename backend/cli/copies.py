"""`backup` and `restore`: the database as one file, while everything runs, and back again.

A backup holds all that was answered before it began. Pictures, the files of releases and the media
of scenes, the broker's data and the settings are not in it: they are files, to be copied as such.
`restore` wants everything ended, and keeps what it replaces.
"""

import os
import sqlite3
import time
from pathlib import Path

from tqdm import tqdm

from backend.database import dbfile
from backend.schema import check_not_later
from backend.settings import Settings

INSIDE = """inside:  boards with their keys and broker passwords, users and tokens (as hashes),
         sites, commands with their history: who has this file can speak as every board"""


def backup(options: Settings, target: Path) -> int:
    """Copy the database to `target`, which must not be there yet. Raises ValueError, OSError."""
    source = _database(options)
    if not source.exists():
        raise ValueError(f"DATA_DIR: there is no database at {source} yet")
    if target.exists():
        raise ValueError(f"{target} is there already; choose another name, or remove it")
    if not target.parent.is_dir():
        raise ValueError(f"there is no folder {target.parent}; make it first")
    _copy(source, target, "backup")
    version = dbfile.examine(target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, version {version}, checked")
    print(INSIDE)
    print(
        f"outside: {_pictures(options.data_dir / 'images')};\n"
        "         the files of releases and of scenes, beside them; the settings"
    )
    return 0


def restore(options: Settings, source: Path) -> int:
    """Put a backup in the database's place and keep what was there. Raises ValueError, OSError."""
    if not source.is_file():
        raise ValueError(f"there is no file {source}")
    found = dbfile.examine(source)
    check_not_later(found)
    path = _database(options)
    dbfile.make_private(path)
    try:
        with dbfile.alone(path, 0.5):
            kept = _replace(path, source)
    except dbfile.InUse:
        reason = f"something uses {path}; end the backend (and web processes) first"
        raise ValueError(reason) from None
    print(f"restored {source} (version {found})")
    if kept:
        print(f"what was there before: {kept}")
    return 0


def _database(options: Settings) -> Path:
    path = dbfile.path_of(options.database)
    if path is None:
        raise ValueError("DATABASE_URL: it is in memory; there is nothing to copy")
    return path


def _copy(source: Path, target: Path, what: str) -> None:
    with tqdm(desc=what, unit=" pages", disable=None, leave=False) as bar:

        def tell(left: int, total: int) -> None:
            bar.total = total
            bar.update(total - left - bar.n)

        try:
            dbfile.copy(source, target, tell)
        except (OSError, sqlite3.Error) as why:
            raise ValueError(f"{target} can't be written: {dbfile.explained(why)}") from why


def _replace(path: Path, source: Path) -> Path | None:
    """Whatever dies in between: there is a whole database at `path`, the old or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    _copy(source, fresh, "restore")
    kept = None
    if path.stat().st_size:
        kept = path.with_name(f"{path.name}.replaced-{time.strftime('%Y%m%d-%H%M%S')}")
        _fold(path, kept)
        os.link(path, kept)
    fresh.replace(path)
    return kept


def _fold(path: Path, kept: Path) -> None:
    """Bring what stands in the log beside a database into it: it must not meet another one."""
    try:
        with dbfile.opened(path) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:  # it is damaged, which may be why it is replaced
        pass
    for ending in ("-wal", "-shm"):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + ending))


def _pictures(folder: Path) -> str:
    sizes = [one.stat().st_size for one in folder.rglob("*.jpg")] if folder.is_dir() else []
    return f"{len(sizes)} pictures, {sum(sizes) / 1e6:.1f} MB, in {folder}"
