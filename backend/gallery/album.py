"""Pictures and their thumbnails as files: images/BOARD/ID.jpg and thumbnails/BOARD/ID.jpg.

What is given as a board's or a picture's name must be one that a row has, or that was checked.
"""

import contextlib
import os
from pathlib import Path

_NEW = ".new"


class Album:
    """Pictures in `folder`; thumbnails beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thumbnails = folder.with_name("thumbnails")

    def path(self, board_id: str, image_id: str) -> Path:
        """Where a picture is, if it is here."""
        return self._folder / board_id / f"{image_id}.jpg"

    def thumbnail(self, board_id: str, image_id: str) -> Path:
        """The same of its thumbnail. An empty file: there can't be one."""
        return self._thumbnails / board_id / f"{image_id}.jpg"

    def keep(self, board_id: str, image_id: str, picture: bytes) -> None:
        """Put it there, whole or not at all; durable when this returns. Raises OSError."""
        path = self.path(board_id, image_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(path, picture)
        _sync(path.parent)
        self._drop_thumbnail(board_id, image_id)

    def drop(self, board_id: str, image_id: str) -> None:
        """Neither it nor its thumbnail is here; durable when this returns. Raises OSError."""
        self._drop_thumbnail(board_id, image_id)
        path = self.path(board_id, image_id)
        if path.exists():
            path.unlink()
            _sync(path.parent)

    def _drop_thumbnail(self, board_id: str, image_id: str) -> None:
        with contextlib.suppress(OSError):  # what is left is removed at the next start
            self.thumbnail(board_id, image_id).unlink()

    def boards(self) -> list[str]:
        """The boards that have a folder."""
        return _names(self._folder)

    def found(self, board_id: str) -> dict[str, os.stat_result]:
        """The pictures of a board, by id. What was not finished is removed. Raises OSError."""
        out = {}
        for name in _names(self._folder / board_id):
            path = self._folder / board_id / name
            if name.endswith(_NEW):
                path.unlink()
            elif path.suffix == ".jpg" and len(path.stem) <= 80:
                out[path.stem] = path.stat()
        for name in _names(self._thumbnails / board_id):
            if name.removesuffix(".jpg") not in out:
                (self._thumbnails / board_id / name).unlink()
        return out


def write(path: Path, content: bytes) -> None:
    """A file, whole or not at all. Raises OSError, and has left nothing then."""
    new = path.with_suffix(_NEW)
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
