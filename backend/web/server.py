"""The HTTP server: waitress, with a thread for each request and each open event stream.

It listens, and takes nothing before `start`. Waitress writes the head of an answer and its body
apart; here the head waits for the body, so that an answer costs one system call and one packet.
What waitress refuses by itself has the same body as every other refusal.
"""

import copy
import logging
import threading
from typing import Any

import bottle
import waitress.server
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask

from backend.web.http import BODY_MAX, JSON_UTF8, problem_body, write_json
from backend.web.releases import UPLOAD, ZIP_MAX
from backend.web.stream import STREAMS_MAX

CONNECTIONS_MAX = 1_000
STOP_SECONDS = 1.5
# What waitress refuses by itself, by status: our code for it, and what to do.
_REFUSED = {
    400: ("malformed", "the request could not be read"),
    413: ("too_large", "the body has more bytes than may be sent here"),
    431: ("too_large", f"the head of the request may have at most {BODY_MAX} bytes"),
    501: ("malformed", "send the body as it is, or in chunks; no other encoding is known"),
}
_FAULT = ("internal", "this is a fault of the backend; its log says more")


class _Head(bytes):
    """The head of an answer."""


class _Task(WSGITask):  # type: ignore[misc]  # waitress comes without types
    def build_response_header(self) -> bytes:
        return _Head(super().build_response_header())

    def finish(self) -> None:
        super().finish()
        self.channel.write_soon(b"")  # an answer without a body


class _Refused:
    """An error of waitress, told as a problem."""

    def __init__(self, error: Any) -> None:
        self._status = f"{error.code} {error.reason}"
        code, message = _REFUSED.get(error.code, _FAULT)
        self._body = write_json(problem_body(code, None, message)).encode()

    def to_response(self, ident: str) -> tuple[str, list[tuple[str, str]], bytes]:
        headers = {"Content-Type": JSON_UTF8, "Cache-Control": "no-store"}
        return self._status, list(headers.items()), self._body


class _ErrorTask(ErrorTask):  # type: ignore[misc]
    def execute(self) -> None:
        self.request.error = _Refused(self.request.error)
        super().execute()


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Bodies may be long where a release is uploaded, and nowhere else."""

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if (self.command, self.path) == ("POST", UPLOAD):
            longer: Any = copy.copy(self.adj)
            longer.max_request_body_size = ZIP_MAX + BODY_MAX
            self.adj = longer


class _Channel(HTTPChannel):  # type: ignore[misc]
    """While a thread writes an answer, waitress' loop would wake for it again and again, find its
    lock taken, and fight for the interpreter with the very thread it waits for; here it sleeps.
    """

    task_class = _Task
    error_task_class = _ErrorTask
    parser_class = _Parser
    _head = b""
    _writing = False

    def write_soon(self, data: Any) -> int:
        if isinstance(data, _Head):
            self._head = data
            return len(data)
        head, self._head = self._head, b""
        self._writing = True
        try:
            return int(super().write_soon(head + data if head else data))
        finally:
            self._writing = False
            if self.total_outbufs_len:
                self.server.pull_trigger()

    def writable(self) -> bool:
        full = self.total_outbufs_len > self.adj.outbuf_high_watermark  # the thread waits for us
        return bool(super().writable()) and (full or not self._writing)


def _close_connections(server: Any) -> None:
    """End the server's loop. What wakes it stays open: whoever pulls it may still be at it."""
    for channel in list(server._map.values()):
        if channel is not server.trigger:
            channel.close()
    server._map.clear()


class Server:
    """Serves `app` at `host`:`port` (0: any free one) with `threads` for requests.

    `trusted_proxy` is the address of the proxy in front, or None: what this one says of a client
    (X-Forwarded-For, X-Forwarded-Proto) is believed, what others say is taken out.
    """

    def __init__(
        self,
        app: bottle.Bottle,
        host: str,
        port: int,
        threads: int = 8,
        *,
        trusted_proxy: str | None = None,
    ) -> None:
        self._app, self.host, self.port, self._threads = app, host, port, threads
        self._trusted_proxy = trusted_proxy
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen and serve. Raises OSError, in a line that says what to do, for a taken port."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # full is 429's business
        try:
            self._server = self._create()
        except OSError as why:
            raise OSError(
                f"port {self.port} on {self.host} can't be used ({why.strerror}): "
                "end the program that uses it, or set HTTP_PORT to another one"
            ) from why
        self.port = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End within two seconds: no new connections, then whatever is under way, then all."""
        if self._thread is None:
            return
        server = self._server
        server.trigger.pull_trigger(lambda: wasyncore.dispatcher.close(server))
        server.task_dispatcher.shutdown(timeout=STOP_SECONDS)
        server.trigger.pull_trigger(lambda: _close_connections(server))
        self._thread.join(STOP_SECONDS)
        self._thread = None
        if not server.task_dispatcher.threads:  # a late one would write to whatever has its number
            server.trigger.close()

    def _create(self) -> Any:
        server = waitress.server.create_server(
            self._app,
            host=self.host,
            port=self.port,
            threads=self._threads + STREAMS_MAX,
            ident="",
            connection_limit=CONNECTIONS_MAX,
            channel_request_lookahead=1,  # without it a client that leaves is not noticed
            asyncore_use_poll=True,
            max_request_body_size=4 * BODY_MAX,
            max_request_header_size=BODY_MAX,
            clear_untrusted_proxy_headers=True,
            **self._proxy(),
        )
        server.channel_class = _Channel
        return server

    def _proxy(self) -> dict[str, Any]:
        if self._trusted_proxy is None:
            return {}
        headers = {"x-forwarded-for", "x-forwarded-proto"}
        return {"trusted_proxy": self._trusted_proxy, "trusted_proxy_headers": headers}
