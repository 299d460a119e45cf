"""Files over HTTP/1.1, from any byte on, by a server that can be told to do badly."""

import contextlib
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class RangeServer:
    """Serves {path: content} at 127.0.0.1:`port`; `asked` are (path, first byte) in order.

    `budget`: bytes of content after which it breaks off, connections too; None for no limit.
    `ranges`: whether it knows what a range is. `broken`: {path: content} in place of the true one.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.asked: list[tuple[str, int]] = []
        self.budget: int | None = None
        self.ranges = True
        self.broken: dict[str, bytes] = {}
        self.sent = 0
        self._news = threading.Condition()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> "RangeServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, path: str) -> str:
        """Of one file."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def wait_until_asked(self, path: str, first: int, seconds: float = 10) -> None:
        """Returns when somebody has asked for that file from that byte on."""
        with self._news:
            assert self._news.wait_for(lambda: (path, first) in self.asked, seconds), self.asked

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        path = request.path.lstrip("/")
        content = self.broken.get(path, self.files.get(path))
        if content is None:
            request.send_error(404)
            return
        asked = request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-")
        first = int(asked) if self.ranges else 0
        with self._news:
            self.asked.append((path, int(asked)))
            self._news.notify_all()
        request.send_response(206 if self.ranges else 200)
        if self.ranges:
            whole = f"bytes {first}-{len(content) - 1}/{len(content)}"
            request.send_header("Content-Range", whole)
        request.send_header("Content-Length", str(len(content) - first))
        request.end_headers()
        self._send(request, content[first:])

    def _send(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        allowed = content if self.budget is None else content[: self.budget]
        with contextlib.suppress(OSError):
            request.wfile.write(allowed)
        self.sent += len(allowed)
        if self.budget is not None:
            self.budget -= len(allowed)
        if len(allowed) < len(content):
            request.close_connection = True
