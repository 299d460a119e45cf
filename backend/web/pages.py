"""The page's files, read once and served as they are; they hold nothing secret."""

import hashlib
import mimetypes
from pathlib import Path

from backend.web import charting
from backend.web.http import Answer, Call, Problem
from backend.web.lifecycle import document
from backend.web.routes import Route

FOLDER = Path(__file__).parent / "page"
# Nothing from elsewhere, nothing inline, no framing.
POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


class PageRoutes:
    """`/`, `/page/<file>` and `/lifecycle`: what is not API."""

    def __init__(self) -> None:
        found = {path.name: path.read_bytes() for path in _paths()} | charting.files()
        self._files = {name: _File(name, content) for name, content in found.items()}
        self._lifecycle = _File("lifecycle.html", document().encode())

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("GET", "/", self.index, public=True, query=None),
            Route("GET", "/page/<name>", self.file, public=True, query=None),
            Route("GET", "/lifecycle", self.lifecycle, public=True, query=None),
        ]

    def index(self, call: Call) -> Answer:
        """The page itself."""
        return self._files["index.html"].answer(call)

    def lifecycle(self, call: Call) -> Answer:
        """The lifecycle of a command as a diagram."""
        return self._lifecycle.answer(call)

    def file(self, call: Call, name: str) -> Answer:
        """One of the page's files."""
        if name not in self._files:
            raise Problem(404, "not_found", "the page has no such file")
        return self._files[name].answer(call)


class _File:
    """A file in memory; browsers keep it, and ask each time whether it has changed."""

    def __init__(self, name: str, content: bytes) -> None:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._content = content
        self._etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        self._headers = {
            "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
            "Cache-Control": "no-cache",
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
            "ETag": self._etag,
        }

    def answer(self, call: Call) -> Answer:
        if call.header("IF_NONE_MATCH") == self._etag:
            return Answer(None, 304, self._headers)
        return Answer(self._content, 200, self._headers)


def _paths() -> list[Path]:
    return sorted(path for path in FOLDER.iterdir() if path.is_file())
