"""Behind a proxy: whose address counts, and that nobody else can claim one."""

from collections.abc import Iterator

import pytest

from backend.people.throttle import TRIES_PER_USER
from backend.web.server import Server
from tests.web.site import Client, Reply, Site


@pytest.fixture
def behind(site: Site) -> Iterator[Client]:
    """A client as the trusted proxy."""
    server = Server(site.app, "127.0.0.1", 0, trusted_proxy="127.0.0.1")
    server.start()
    yield Client(server.port)
    server.stop()


def guess(client: Client, address: str, password: str = "guess") -> Reply:
    asked = {"user": "admin", "password": password}
    return client.call("POST", "session", asked, X_Forwarded_For=address)


def test_the_address_a_trusted_proxy_names_counts(site: Site, behind: Client) -> None:
    behind.headers["Authorization"] = f"Bearer {site.token}"
    assert behind.feed(X_Forwarded_For="1.1.1.1, 192.0.2.7").json["source"] == "192.0.2.7"


def test_nobody_else_may_name_one(program: Client) -> None:
    assert program.feed(X_Forwarded_For="192.0.2.7").json["source"] == "127.0.0.1"


def test_a_guesser_locks_nobody_else_out(site: Site, behind: Client) -> None:
    answers = [guess(behind, "192.0.2.66").status for _ in range(TRIES_PER_USER + 1)]
    assert answers == [401] * TRIES_PER_USER + [429]
    assert guess(behind, "192.0.2.66", site.password).status == 429
    assert guess(behind, "192.0.2.7", site.password).status == 200
