"""A site's connection over HTTP: the wish is answered at once, and what is so comes by itself."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from backend.brokers import connections
from backend.brokers.broker import BACKEND_USER
from backend.database.models import Site as SiteRow
from backend.people.credentials import Membership, User
from tests.backend.running import PASSWORD, eventually
from tests.web.site import Client, Site
from tests.web.test_openapi import validator

GARDA = "sites/garda/connection"


@pytest.fixture
def garda(site: Site) -> Iterator[dict[str, Any]]:
    """A site; what its connection is to be, to the broker of the tests."""
    SiteRow.insert(id="garda", name="Garda", created_at=1).execute()
    broker = site.station.broker
    yield {"host": broker.host, "port": broker.port, "username": BACKEND_USER}
    SiteRow.delete().where(SiteRow.id == "garda").execute()
    site.station.backend.connections_changed()
    eventually(lambda: "garda" not in site.station.backend._links.names())


def becomes(client: Client, status: str) -> Any:
    eventually(lambda: client.call("GET", GARDA).json["status"] == status)
    return client.call("GET", GARDA).json


def test_start_and_stop_answer_at_once_and_are_done_soon(
    site: Site, program: Client, garda: dict[str, Any]
) -> None:
    made = program.call("PUT", GARDA, {**garda, "password": PASSWORD})
    assert (made.status, made.json["status"]) == (201, "disconnected")
    assert (made.json["is_active"], made.json["has_password"]) == (False, True)
    with site.station.backend.events.subscribe(None) as events:
        started = program.call("POST", f"{GARDA}/start")
        assert (started.status, started.json["is_active"]) == (202, True)
        assert started.json["status"] == "disconnected"  # as it still is
        told = (one for _, kind, one in itertools.chain.from_iterable(events)
                if kind == "connection")  # fmt: skip
        assert [next(told)["status"] for _ in range(2)] == ["connecting", "connected"]
        assert program.call("POST", f"{GARDA}/start", {}).status == 200
        stopped = program.call("POST", f"{GARDA}/stop")
        assert (stopped.status, stopped.json["is_active"]) == (202, False)
        assert stopped.json["status"] == "connected"
        assert next(told)["status"] == "disconnected"
    assert program.call("POST", f"{GARDA}/stop").status == 200
    validator("Connection").validate(program.call("GET", GARDA).json)
    validator("Connections").validate(program.call("GET", "connections").json)


def test_the_log_tells_it_page_by_page(program: Client, garda: dict[str, Any]) -> None:
    program.call("PUT", GARDA, {**garda, "password": PASSWORD, "is_active": True})
    becomes(program, "connected")
    program.call("POST", f"{GARDA}/stop")
    becomes(program, "disconnected")
    page = program.call("GET", f"{GARDA}/log?limit=2").json
    validator("ConnectionLog").validate(page)
    older = program.call("GET", page["next"]).json
    said = [entry["message"].split(" to ")[0] for entry in older["entries"] + page["entries"]]
    assert len(said) == 4 and set(said) == {
        "connecting", "connected", "admin has asked", "disconnected from " + where(garda),
    }  # fmt: skip
    assert program.call("GET", f"{GARDA}/log?limit=0").status == 400


def where(garda: dict[str, Any]) -> str:
    return f"{garda['host']}:{garda['port']}"


def test_changing_an_active_one_connects_anew(
    site: Site, program: Client, garda: dict[str, Any]
) -> None:
    body = {**garda, "password": "wrong", "is_active": True}
    program.call("PUT", GARDA, body)
    failed = becomes(program, "error")
    assert "correct user and password in the connection of the site garda" in failed["error"]
    assert failed["retries"] == 1 and failed["retry_at"] > failed["changed_at"]
    assert site.station.backend.health()["connections"]["garda"]["status"] == "error"
    changed = program.call("PUT", GARDA, {**garda, "password": PASSWORD})
    assert changed.status == 200 and changed.json["is_active"] is True
    right = becomes(program, "connected")
    assert (right["error"], right["retries"], right["retry_at"]) == (None, 0, None)
    assert program.call("PUT", GARDA, garda).json["status"] == "connected"  # nothing changes


@pytest.mark.parametrize(
    ("field", "value"),
    [("host", "a b"), ("host", ""), ("port", 0), ("port", "1"), ("port", None), ("tls", 1),
     ("ca", "x"), ("password", 5), ("colour", "red")],
)  # fmt: skip
def test_what_is_wrong_is_named_and_changes_nothing(
    program: Client, garda: dict[str, Any], field: str, value: Any
) -> None:
    reply = program.call("PUT", GARDA, {**garda, "tls": True, field: value})
    assert (reply.status, reply.json["field"]) == (400, field)
    assert program.call("GET", GARDA).status == 404


def test_what_is_not_there_is_404(program: Client, garda: dict[str, Any]) -> None:
    for method, path in (("GET", ""), ("GET", "/log"), ("DELETE", ""), ("POST", "/start")):
        assert program.call(method, GARDA + path).json["error"] == "unknown_connection"
        unknown = program.call(method, f"sites/none/connection{path}")
        assert (unknown.status, unknown.json["error"]) == (404, "unknown_site")
    assert program.call("GET", "connections").json["without"] == ["garda"]


@pytest.mark.parametrize(("role", "private", "status"), [
    ("admin", False, 201), ("operator", False, 403), (None, False, 403), (None, True, 404),
])  # fmt: skip
def test_it_is_for_administrators_of_the_site(
    site: Site, garda: dict[str, Any], role: str | None, private: bool, status: int
) -> None:
    SiteRow.update(private=private).execute()
    User.delete().where(User.name == "ben").execute()
    User.insert(name="ben", password="", role="viewer", created_at=1).execute()
    if role:
        Membership.insert(user="ben", site="garda", role=role).execute()
    ben = site.client()
    ben.headers["Authorization"] = f"Bearer {site.accounts.create_token('ben', 'tests')}"
    assert ben.call("PUT", GARDA, garda).status == status
    also = 200 if status == 201 else status
    assert ben.call("GET", GARDA).status == ben.call("GET", f"{GARDA}/log").status == also
    assert ben.call("POST", f"{GARDA}/stop").status == also
    connections.save("garda", {"host": "h", "port": 1}, 1)
    shown = ben.call("GET", "connections").json["connections"]
    assert len(shown) == len(ben.call("GET", "health").json["connections"]) == (also == 200)
    assert site.client().call("POST", f"{GARDA}/start").status == 401
    SiteRow.update(private=False).execute()


def test_deleting_it_is_not_stopping_it(program: Client, garda: dict[str, Any]) -> None:
    program.call("PUT", GARDA, {**garda, "password": PASSWORD, "is_active": True})
    becomes(program, "connected")
    assert program.call("DELETE", GARDA).status == 204
    assert program.call("GET", GARDA).status == 404
    eventually(lambda: program.call("GET", "health").json["connections"] == {})
