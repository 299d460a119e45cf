"""Three sites with a board each, and people who belong to them; every one has a client."""

import uuid
from typing import Any

from backend.database.models import Board, Site
from backend.people.access import ADMIN, OPERATOR, VIEWER
from backend.people.accounts import Accounts
from backend.people.audit import Actor
from backend.people.credentials import SCOPES
from backend.people.users import People
from backend.service import Backend
from tests.web.site import Client
from tests.web.site import Site as Running

TEST = Actor("tests")
PASSWORD = "correct horse"
NORTH, SOUTH, HIDDEN = "north", "south", "hidden"
BOARDS = {"pond": NORTH, "lake": SOUTH, "well": HIDDEN}
# user -> (their role at the site north; "": belongs to the south)
PEOPLE = {"vic": VIEWER, "oda": OPERATOR, "sam": ADMIN, "eve": ""}


def place(backend: Backend, board_id: str, site: str | None) -> None:
    """Have a board belong to a site."""
    Board.update(site=site).where(Board.id == board_id).execute()
    board = backend._core.roster.get(board_id)
    assert board is not None
    board.site = site


def add_site(site_id: str, private: bool = False) -> None:
    """A site in the database."""
    Site.insert(id=site_id, name=site_id.title(), private=private, created_at=1).execute()


def add_user(accounts: Accounts, name: str, **sites: str) -> None:
    """A user with a role at each of some sites."""
    people = People(accounts)
    people.add(TEST, name, VIEWER, PASSWORD)
    for site, role in sites.items():
        people.join(TEST, name, site, role)


class Village:
    """`pond` is in the north, `lake` in the south, `well` at a site that is private."""

    def __init__(self, running: Running) -> None:
        self.running, self.accounts = running, running.accounts
        self.people, self.backend = People(running.accounts), running.station.backend
        for site in (NORTH, SOUTH, HIDDEN):
            add_site(site, private=site == HIDDEN)
        for board_id, site in BOARDS.items():
            if board_id != "pond":
                self.backend.enroll(board_id)
            place(self.backend, board_id, site)
        for name, role in PEOPLE.items():
            add_user(self.accounts, name, **({NORTH: role} if role else {SOUTH: OPERATOR}))

    def client(self, user: str, *scopes: str) -> Client:
        """A client with a token of a user."""
        secret = self.accounts.create_token(user, f"test {uuid.uuid4()}", scopes or SCOPES)
        return self.bearing(secret)

    def bearing(self, secret: str) -> Client:
        """A client with this token."""
        client = self.running.client()
        client.headers["Authorization"] = f"Bearer {secret}"
        return client

    def browser(self, user: str, password: str = PASSWORD) -> Client:
        """A client that has signed in, as a page does."""
        client = self.running.client()
        reply = client.call("POST", "session", {"user": user, "password": password})
        assert reply.status == 200, reply.raw
        client.headers["Cookie"] = reply.headers["Set-Cookie"].split(";")[0]
        client.headers["X-CSRF-Token"] = reply.json["csrf_token"]
        return client

    def ping(self, board_id: str, who: Client) -> Any:
        """Post a ping; the command."""
        reply = who.call("POST", "commands", {"board_id": board_id, "command_type": "ping"})
        assert reply.status == 202, reply.raw
        return reply.json
