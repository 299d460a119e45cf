"""The whole web side as it runs: HTTP server, backend, broker and database, and a client of it."""

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from backend.brokers.broker import EmbeddedBroker
from backend.people.accounts import Accounts
from backend.settings import Settings
from backend.web.app import make_app
from backend.web.server import Server
from tests.backend.running import PATIENCE, Station

API = "/api/v1"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
FEED = {"board_id": "pond", "command_type": "feed", "target": "feeder1"}


@dataclass
class Reply:
    """What came back; `json` is {} where the body is none."""

    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw or b"{}")


class Client:
    """One keep-alive connection, with the cookie and the tokens of whoever uses it."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.headers: dict[str, str] = {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request. `body`: bytes as they are, or what becomes JSON. `X_Y` is header X-Y."""
        sent = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        self.connection.request(method, path if path[:1] == "/" else f"{API}/{path}", body, sent)
        answer = self.connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())

    def sign_in(self, password: str) -> Reply:
        """Sign in as admin and keep the cookie and the CSRF token, as a page does."""
        reply = self.call("POST", "session", {"user": "admin", "password": password})
        if reply.status == 200:
            self.headers["Cookie"] = reply.headers["Set-Cookie"].split(";")[0]
            self.headers["X-CSRF-Token"] = reply.json["csrf_token"]
        return reply

    def feed(self, amount: float = 20, **headers: str) -> Reply:
        """Post a feed."""
        return self.call("POST", "commands", {**FEED, "parameters": {"amount": amount}}, **headers)


class Site:
    """A running web side over a `Station`. `password` is the administrator's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.station = Station(folder, EmbeddedBroker)
        self.accounts = Accounts(QUICK_HASHER)
        password = self.accounts.ensure_admin()
        assert password is not None
        self.password = password
        self.token = self.accounts.create_token("admin", "tests")
        self.serve(0)

    def serve(self, port: int) -> None:
        """Start the web side, for the first time or anew."""
        self.app = make_app(self.station.backend, self.accounts, Settings(data_dir=self.folder))
        self.server = Server(self.app, "127.0.0.1", port)
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.port}/"

    def client(self) -> Client:
        """A client nobody has signed in with yet."""
        return Client(self.server.port)

    def program(self) -> Client:
        """A client with a bearer token."""
        client = self.client()
        client.headers["Authorization"] = f"Bearer {self.token}"
        return client

    def close(self) -> None:
        """End everything."""
        self.station.backend.events.close()
        self.server.stop()
        self.station.close()
