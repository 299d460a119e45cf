"""The API as a persistent client uses it: the same request again until there is an answer."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")

API = "/api/v1"
PATIENCE = 60.0  # seconds until something has taken too long
_PAUSE, _PAUSE_MAX = 0.02, 0.1  # seconds between two questions, which are work for both


def until(what: Callable[[], T], seconds: float = PATIENCE) -> T:
    """The first true value of `what()`. Raises TimeoutError."""
    deadline, pause = time.monotonic() + seconds, _PAUSE
    while not (found := what()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s")
        threading.Event().wait(pause)
        pause = min(1.5 * pause, _PAUSE_MAX)
    return found


class Api:
    """A client with a bearer token. May be used from any thread."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(
        self, method: str, path: str, body: Any = None, raw: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """(status, JSON); `raw` is sent as it is. Raises OSError or HTTPException where the
        backend is not there.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        sent = {**self._headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        text = raw if body is None else json.dumps(body)
        try:
            connection.request(method, f"{API}/{path}", text, sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """What is there; asked again while the backend is away. Raises TimeoutError."""
        status, found = until(lambda: self._try("GET", path))
        if status != 200:
            raise ValueError(f"GET {path}: {status} {found}")
        return found

    def post(self, key: str, board_id: str, command_type: str, **more: Any) -> tuple[Any, int]:
        """(the command, how many requests it took): the same key again until there is a 202.

        Raises TimeoutError; ValueError where the command is refused.
        """
        body = {"board_id": board_id, "command_type": command_type, **more}
        tries = 0

        def once() -> Any:
            nonlocal tries
            tries += 1
            return self._try("POST", "commands", body, Idempotency_Key=key)

        status, found = until(once)
        if status != 202:
            raise ValueError(f"{body}: {status} {found}")
        return found, tries

    def command(self, command_id: str) -> Any:
        """A command with its history."""
        return self.get(f"commands/{quote(command_id)}")

    def commands(self, board_id: str) -> list[Any]:
        """All commands of a board, oldest first."""
        found: list[Any] = []
        path: str | None = f"{API}/commands?board_id={board_id}&limit=200"
        while path:
            page = self.get(path.removeprefix(f"{API}/"))
            found, path = found + page["commands"], page["next"]
        return found[::-1]

    def events(self) -> "Events":
        """The stream of what changes from now on; to be closed."""
        return Events(self._port, self._headers)

    def _try(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer, or None where the backend is away, failed, or asks to come again."""
        try:
            status, found = self.call(method, path, body, None, **headers)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return None if status == 429 or status >= 500 else (status, found)


class Events:
    """Server-Sent Events: iterate for (name, data)."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._connection.request("GET", f"{API}/events", headers=headers)
        self._answer = self._connection.getresponse()
        self._answer.readline()  # it has begun: nothing from here on is missed

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        name = ""
        while line := self._answer.readline().decode():
            if line.startswith("event: "):
                name = line[7:].strip()
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])

    def ended(self, command_id: str, status: str) -> Any:
        """The event with which a command reaches a status. Raises TimeoutError."""
        for name, data in self:
            if name == "command" and data["id"] == command_id and data["status"] == status:
                return data
        raise TimeoutError(f"the stream ended before {command_id} was {status}")
