"""The database as a file: who uses it, and copies that are whole or not there at all.

Rules of this file:
- whoever has the database open holds a shared lock on the file beside it (`answerback.db.lock`);
  what changes the file itself (an upgrade, `restore`) holds it alone; it goes with the process;
- a copy is made under another name, brought to disk, then renamed: a power cut leaves none.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

LOCK_SECONDS = 5.0
PAGES = 500  # at once: between them others may have the processor

Progress = Callable[[int, int], object]  # (pages left, pages in all)


class InUse(Exception):
    """Another process has the database open, or changes the file."""


def path_of(url: str) -> Path | None:
    """Where the database of `sqlite:///path` is; None for one in memory. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise ValueError(f"DATABASE_URL: {parts.scheme!r} is not supported; use sqlite:///path")
    place = unquote(parts.path[1:])
    return Path(place) if place else None


def hold(path: Path) -> IO[str]:
    """Share the use of a database until this is closed. Raises InUse, OSError."""
    use = _lock_file(path)
    try:
        _lock(use, fcntl.LOCK_SH)
    except InUse:
        use.close()
        raise
    return use


@contextlib.contextmanager
def alone(path: Path, patience: float = LOCK_SECONDS) -> Iterator[None]:
    """Nobody else has the database open meanwhile. Raises InUse, OSError."""
    with _lock_file(path) as use:
        _lock(use, fcntl.LOCK_EX, patience)
        yield


def _lock_file(path: Path) -> IO[str]:
    return os.fdopen(os.open(lock_of(path), os.O_WRONLY | os.O_CREAT, 0o600), "w")


def _lock(use: IO[str], kind: int, patience: float = LOCK_SECONDS) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(use, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise InUse from None
            time.sleep(0.02)


def lock_of(path: Path) -> Path:
    """The file beside a database that is locked."""
    return path.with_name(path.name + ".lock")


def make_private(path: Path) -> None:
    """Every board's key and password are in it, so only its owner may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)  # SQLite gives the files beside it the same mode


def copy(source: Path, target: Path, progress: Progress | None = None) -> None:
    """Copy a database as it is now, also while others write to it; `target` is replaced.

    Raises sqlite3.Error, OSError; then there is no copy.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _fill(source, part, progress)
        _to_disk(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    _to_disk(target.parent)


def _fill(source: Path, part: Path, progress: Progress | None) -> None:
    def tell(status: int, left: int, total: int) -> None:
        if progress:
            progress(left, total)

    with opened(source) as old, contextlib.closing(sqlite3.connect(part)) as new:
        # Reading begins here and stays where it is; else each commit would begin the copy anew.
        old.execute("BEGIN")
        old.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=PAGES, progress=tell, sleep=0)
        new.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a database that is there already."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS)) as db:
        yield db


def examine(path: Path) -> int:
    """The version of a database of ours. Raises ValueError where it is none, or is damaged."""
    try:
        with opened(path) as db:
            problems = [str(row[0]) for row in db.execute("PRAGMA integrity_check(5)")]
            if problems != ["ok"]:
                raise ValueError(f"{path} is damaged: {problems[0]}")
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
            if not {"board", "command", "history"} <= tables:
                raise ValueError(f"{path} is a database, but none of this program")
            return int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as why:
        raise ValueError(f"{path} is no database that can be read: {why}") from why


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def explained(why: Exception) -> str:
    """What went wrong with the file, and what to do where that is known."""
    text = str(why)
    if "full" in text or getattr(why, "errno", 0) in (errno.ENOSPC, errno.EFBIG):
        return f"{text}: free space on its disk"
    if "I/O" in text:
        return f"{text}: its disk may be full, or failing"
    if "readonly" in text or "unable to open" in text or isinstance(why, PermissionError):
        return f"{text}: let this user write to the file and to its folder"
    return text
