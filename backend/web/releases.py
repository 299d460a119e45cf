"""Releases over HTTP: people bring and delete them, and boards fetch their files.

A board has no session. What it fetches is under an address that only it and the backend can make,
see backend.rollouts.releases; files go out in ranges, so that a download goes on where it broke.
"""

import re
from pathlib import Path

from protocol.fields import text as check_text

from backend.delivery.writer import now_ms
from backend.people.access import require_admin
from backend.people.audit import Noted
from backend.rollouts import archive, releases
from backend.service import Backend
from backend.web import render
from backend.web.http import NO_MEMBERS, Answer, Call, Problem, refuse
from backend.web.routes import API, Route

UPLOAD = f"{API}/releases"
ZIP = "application/zip"
ZIP_MAX = archive.BYTES_MAX
_RANGE = re.compile(r"bytes=(\d{1,9})-(\d{1,9})?")


def _notes(name: str, value: str) -> str:
    if reason := check_text(value, limit=releases.NOTES_MAX):
        refuse(name, reason)
    return value


class ReleaseRoutes:
    """`/releases` and `/firmware`. `folder`: of all releases."""

    def __init__(self, backend: Backend, folder: Path) -> None:
        self._backend, self._folder = backend, folder

    def routes(self) -> list[Route]:
        """What is served."""
        file = "/firmware/<board_id>/<release_id>/<seal>/<name:path>"
        return [
            Route("GET", UPLOAD, self.list),
            Route("POST", UPLOAD, self.add, query={"notes": _notes}),
            Route("DELETE", f"{UPLOAD}/<release_id>", self.delete),
            Route("GET", file, self.file, public=True, query=None),
        ]

    def list(self, call: Call) -> Answer:
        """All releases, newest first."""
        rows = [render.times(row, "created_at") for row in releases.everything()]
        return Answer({"releases": rows})

    def add(self, call: Call) -> Answer:
        """201 with a new release, of the zip that is the body; 200 where it is there already."""
        require_admin(call.who)
        if call.environ.get("CONTENT_TYPE", "").split(";")[0].strip().lower() != ZIP:
            raise Problem(415, "not_zip", f"send a zip of the release, with Content-Type: {ZIP}")
        found = archive.checked(archive.of_zip(call.raw(ZIP_MAX)))
        notes = call.query.get("notes", "")
        made, new = releases.add(self._folder, found, notes, call.actor, now_ms())
        return Answer(render.times(made, "created_at"), 201 if new else 200)

    def delete(self, call: Call, release_id: str) -> Answer:
        """Delete a release that no rollout needs any more."""
        require_admin(call.who)
        call.body(NO_MEMBERS, empty=True)
        wish = releases.Delete(self._folder.absolute(), release_id)
        self._backend.perform(Noted(wish, call.actor, "release.delete", release_id))
        return Answer(None, 204)

    def file(self, call: Call, board_id: str, release_id: str, seal: str, name: str) -> Answer:
        """A file, or the part of it that is asked for, to the board whose address this is."""
        content = releases.served(self._folder, board_id, release_id, seal, name)
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        asked = _RANGE.fullmatch(call.header("RANGE") or "")
        if not asked:
            return Answer(content, 200, headers)
        first, size = int(asked[1]), len(content)
        last = min(int(asked[2]) if asked[2] else size, size - 1)
        if first > last:
            message = f"the file has {size} bytes"
            whole = {"Content-Range": f"bytes */{size}"}
            raise Problem(416, "bad_range", message, None, whole)
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return Answer(content[first : last + 1], 206, headers)
