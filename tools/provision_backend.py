"""What the backend is told of a board, and what it says the board must be told.

Two ways to the same tasks (backend/fleet/provisioning.py): straight into the database, on the
machine where it is, and over the API from anywhere. The API tells a key once, when it is made; so
there a board that is known keeps the key on its own flash, or gets a new one.
"""

import getpass
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from backend.delivery.writer import now_ms
from backend.errors import Conflict
from backend.fleet import boards, provisioning
from backend.fleet.provisioning import Enrolment, Mapping
from backend.schema import open_database
from backend.settings import Settings

TOKEN = "ANSWERBACK_TOKEN"
SECONDS = 15.0
USER = "provisioning"


class BackendError(RuntimeError):
    """The backend can't be reached, or refuses; one line that says what to do."""


@dataclass(frozen=True)
class Wish:
    """A board, and where it is to be. `held`: key and password that are on its flash, or {}."""

    board_id: str
    site: str | None
    pending: bool
    new_key: bool
    held: dict[str, str]


def by_database(options: Settings, wish: Wish) -> dict[str, str]:
    """{"key", "password"} of the board, made known where it was not.

    Raises Refusal, ValueError, store.Locked.
    """
    open_database(options.database)
    enrolment = Enrolment(wish.board_id, USER, site=wish.site, pending=wish.pending)
    try:
        told: dict[str, str] = provisioning.alone(enrolment, now_ms())
        return told
    except Conflict:
        if wish.site is not None:
            provisioning.alone(Mapping(wish.board_id, wish.site, USER), now_ms())
        return boards.renew(wish.board_id) if wish.new_key else boards.credentials(wish.board_id)


class Api:
    """The backend at `url`; the token is in the environment, or asked for. Raises BackendError."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise BackendError(f"--api {url!r} is no address: use one like http://10.0.0.5:8080")
        self._base = url.rstrip("/") + "/api/v1"
        self._token = os.environ.get(TOKEN) or _ask_token()

    def tell(self, wish: Wish) -> dict[str, str]:
        """{"key", "password"} of the board, made known where it was not. Raises BackendError."""
        about: dict[str, Any] = {"board_id": wish.board_id, "pending": wish.pending}
        status, answer = self._post("boards", about | ({"site": wish.site} if wish.site else {}))
        if status == 201:
            return {"key": answer["key"], "password": answer["password"]}
        if (status, answer.get("error")) != (409, "exists"):
            raise BackendError(f"{answer.get('message', status)}; nothing was written")
        told = self._known(wish)
        if wish.site:
            self._ask(f"boards/{wish.board_id}/map", {"site": wish.site})
        return told

    def _known(self, wish: Wish) -> dict[str, str]:
        if wish.new_key:
            return self._ask(f"boards/{wish.board_id}/credentials", {})
        if not wish.held:
            raise BackendError(
                f"the backend knows {wish.board_id}, this board does not hold its key, and a key "
                "is told only once: give --new-key to make another; nothing was written"
            )
        return wish.held

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        status, answer = self._post(path, body)
        if status != 200:
            raise BackendError(
                f"{answer.get('message', status)}; nothing was written on the board"
            )
        return answer

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        content = json.dumps(body).encode()
        request = urllib.request.Request(f"{self._base}/{path}", content, headers)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.status, _object(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, _object(refused.read())
        except (OSError, http.client.HTTPException) as why:
            raise BackendError(f"no backend at {self._base}: {why}; check --api") from None


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BackendError("what answers there is no Answerback; check --api")
    return found


def _ask_token() -> str:
    if not sys.stdin.isatty():
        raise BackendError(f"a token is missing: put it into {TOKEN} (make token NAME=provision)")
    return getpass.getpass("token of the backend: ")
