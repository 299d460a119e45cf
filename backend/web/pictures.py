"""Pictures over HTTP: lists, the files themselves, small ones of them, and some in one ZIP.

Who may look at a board's site sees its pictures; site admins delete them. A picture's address with
`v`, a part of its SHA-256, never shows another one, so browsers may keep it.
"""

import io
import logging
import re
import zipfile
from pathlib import Path
from typing import Any

from backend.database.store import Row
from backend.errors import Busy, Invalid, NotFound, no_board
from backend.gallery import jpeg, rows
from backend.gallery.album import Album, write
from backend.gallery.keeping import Remove
from backend.people.access import ADMIN, VIEWER, may, require
from backend.people.audit import Noted
from backend.service import Backend
from backend.web import render
from backend.web.http import NO_MEMBERS, Answer, Call, Reader, read_number, read_text, refuse
from backend.web.routes import API, Route

log = logging.getLogger(__name__)

PAGE, PAGE_MAX = 50, 200
ZIP_BYTES, ZIP_MAX = 16_000_000, 100
_LONG = "private, max-age=31536000, immutable"
_BEFORE = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})")


def _cursor(name: str, value: str) -> tuple[int, int]:
    found = _BEFORE.fullmatch(value)
    if not found:
        refuse(name, "must be what `next` said")
    return int(found[1]), int(found[2])


def _ids(name: str, value: str) -> list[str]:
    ids = list(dict.fromkeys(value.split(",")))
    if not 1 <= len(ids) <= ZIP_MAX or len(value) > ZIP_MAX * 80:
        refuse(name, f"must be 1 to {ZIP_MAX} ids of pictures, with commas between")
    return ids


_PAGES: dict[str, Reader] = {"before": _cursor, "limit": read_number(1, PAGE_MAX)}
_ONE: dict[str, Reader] = {"v": read_text}


class PictureRoutes:
    """`/pictures`, and those of a board. `folder`: where they are."""

    def __init__(self, backend: Backend, folder: Path) -> None:
        self._backend, self._album = backend, Album(folder)

    def routes(self) -> list[Route]:
        """What is served."""
        board = f"{API}/boards/<board_id>"
        one = f"{board}/pictures/<image_id>"
        return [
            Route("GET", f"{API}/pictures", self.newest),
            Route("GET", f"{board}/pictures", self.list, query=_PAGES),
            Route("GET", f"{board}/pictures.zip", self.zip, query={"ids": _ids}),
            Route("GET", f"{one}.jpg", self.file, query=_ONE),
            Route("GET", f"{one}/thumbnail.jpg", self.thumbnail, query=_ONE),
            Route("GET", one, self.show),
            Route("DELETE", one, self.delete),
        ]

    def newest(self, call: Call) -> Answer:
        """The newest picture of each board that one may look at."""
        found = []
        for row in rows.newest():
            try:
                site = self._backend.site_of(row["board_id"])
            except NotFound:  # the board is gone
                site = None
            if may(call.who, VIEWER, site):
                found.append(render.picture(rows.public(row)))
        return Answer({"pictures": found})

    def list(self, call: Call, board_id: str) -> Answer:
        """A board's pictures, newest first; `next` is the address of the page after this one."""
        self._require(call, VIEWER, board_id)
        limit = call.query.get("limit", PAGE)
        found = rows.find(board_id, call.query.get("before"), limit + 1)
        following = None
        if len(found) > limit:
            last = found[limit - 1]
            before = f"{last['at']}.{last['id']}"
            following = f"{API}/boards/{board_id}/pictures?before={before}&limit={limit}"
        shown = [render.picture(rows.public(row)) for row in found[:limit]]
        return Answer({"pictures": shown, "next": following})

    def show(self, call: Call, board_id: str, image_id: str) -> Answer:
        """What is known of one."""
        return Answer(render.picture(rows.public(self._row(call, board_id, image_id))))

    def file(self, call: Call, board_id: str, image_id: str) -> Answer:
        """The picture as its board has taken it."""
        row = self._row(call, board_id, image_id)
        return self._answer(call, row, lambda: self._read(row))

    def thumbnail(self, call: Call, board_id: str, image_id: str) -> Answer:
        """A small one of it, made when it is first asked for. 404 where there can't be one."""
        row = self._row(call, board_id, image_id)
        return self._answer(call, row, lambda: self._small(row))

    def zip(self, call: Call, board_id: str) -> Answer:
        """Some pictures as one file."""
        self._require(call, VIEWER, board_id)
        if "ids" not in call.query:
            refuse("ids", "is missing")
        chosen = [rows.get(board_id, image_id) for image_id in call.query["ids"]]
        if sum(row["size"] for row in chosen) > ZIP_BYTES:
            reason = f"must be of {ZIP_BYTES // 1_000_000} MB at most in all; choose fewer"
            raise Invalid("too_large", "ids", reason)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for row in chosen:
                at = render.rfc3339(row["at"])[:19].replace(":", "-")
                archive.writestr(f"{board_id}/{at}_{row['image_id']}.jpg", self._read(row))
        name = f'attachment; filename="{board_id}.zip"'
        return Answer(
            out.getvalue(), 200, {"Content-Type": "application/zip", "Content-Disposition": name}
        )

    def delete(self, call: Call, board_id: str, image_id: str) -> Answer:
        """204; the file goes with it."""
        self._require(call, ADMIN, board_id)
        call.body(NO_MEMBERS, empty=True)
        about = {"board": board_id, "image": image_id[:80]}
        wish = Noted(Remove(board_id, image_id), call.actor, "picture.delete", board_id, about)
        self._backend.perform(wish)
        return Answer(None, 204)

    def _require(self, call: Call, role: str, board_id: str) -> None:
        require(call.who, role, self._backend.site_of(board_id), no_board(board_id))

    def _row(self, call: Call, board_id: str, image_id: str) -> Row:
        self._require(call, VIEWER, board_id)
        return rows.get(board_id, image_id)

    @staticmethod
    def _answer(call: Call, row: Row, content: Any) -> Answer:
        version = render.version(row)
        headers = {
            "Content-Type": "image/jpeg",
            "Cache-Control": _LONG if call.query.get("v") == version else "private, no-cache",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "ETag": f'"{version}"',
        }
        if call.header("IF_NONE_MATCH") == headers["ETag"]:
            return Answer(None, 304, headers)
        return Answer(content(), 200, headers)

    def _read(self, row: Row) -> bytes:
        try:
            return self._album.path(row["board_id"], row["image_id"]).read_bytes()
        except FileNotFoundError:
            reason = "the file of this picture is not there any more"
            raise NotFound("unknown_picture", "image_id", reason) from None

    def _small(self, row: Row) -> bytes:
        path = self._album.thumbnail(row["board_id"], row["image_id"])
        try:
            small = path.read_bytes()
        except OSError:
            small = self._made(row, path)
        if not small:
            reason = "there is no thumbnail of this picture: it can't be read, or is too large"
            raise NotFound("no_thumbnail", "image_id", reason)
        return small

    def _made(self, row: Row, path: Path) -> bytes:
        """A new thumbnail; b"" where there can't be one, which is noted too."""
        try:
            small = jpeg.thumbnail(self._read(row)) or b""
        except TimeoutError:
            reason = "too many thumbnails are being made just now; try again"
            raise Busy("busy", reason, 2) from None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write(path, small)
        except OSError as why:  # it is made anew each time, then
            log.warning("can't keep a thumbnail: %s", why)
        return small
