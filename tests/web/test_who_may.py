"""Who may do what: one table of every route there is. A route that is not in it fails the test.

Each row says who may at the least, and what a token must be good for; the rest follows: 401 for
nobody, 403 for whoever is less, and 404 for what belongs to a private site.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from backend.credentials import ADMINISTER, COMMAND, READ, SCOPES
from tests.backend.running import eventually
from tests.web.site import FEED, Client, Reply, Site
from tests.web.village import Village

# Who may at the least, each may what those before may: see village.PEOPLE.
ANYBODY, SIGNED_IN, VIEWER, OPERATOR, SITE_ADMIN, ADMIN = range(6)
USERS = {"eve": SIGNED_IN, "vic": VIEWER, "oda": OPERATOR, "sam": SITE_ADMIN, "admin": ADMIN}


class Row(NamedTuple):
    """`answer`: what it answers to whoever may; chosen so that nothing is lost by asking."""

    least: int
    scope: str
    answer: int
    body: Any = None


A = "/api/v1"
TABLE = {
    ("GET", "/"): Row(ANYBODY, "", 200),
    ("GET", "/page/<name>"): Row(ANYBODY, "", 404),
    ("GET", "/lifecycle"): Row(ANYBODY, "", 200),
    ("GET", "/health"): Row(ANYBODY, "", 200),
    ("GET", f"{A}/openapi.json"): Row(ANYBODY, "", 200),
    ("POST", f"{A}/session"): Row(ANYBODY, "", 400, {}),
    ("POST", f"{A}/token"): Row(ANYBODY, "", 400, {}),
    ("GET", f"{A}/session"): Row(SIGNED_IN, "", 200),
    ("DELETE", f"{A}/session"): Row(SIGNED_IN, "", 400),
    ("DELETE", f"{A}/token"): Row(SIGNED_IN, "", 400),
    ("POST", f"{A}/password"): Row(SIGNED_IN, ADMINISTER, 400, {}),
    ("POST", f"{A}/tokens"): Row(SIGNED_IN, ADMINISTER, 400, {}),
    ("GET", f"{A}/tokens"): Row(SIGNED_IN, ADMINISTER, 200),
    ("DELETE", f"{A}/tokens/<token_id>"): Row(SIGNED_IN, ADMINISTER, 404),
    ("GET", f"{A}/users"): Row(SITE_ADMIN, ADMINISTER, 200),
    ("POST", f"{A}/users"): Row(ADMIN, ADMINISTER, 400, {}),
    ("GET", f"{A}/users/<name>"): Row(ADMIN, ADMINISTER, 404),
    ("PATCH", f"{A}/users/<name>"): Row(ADMIN, ADMINISTER, 404, {"disabled": True}),
    ("DELETE", f"{A}/users/<name>"): Row(ADMIN, ADMINISTER, 404),
    ("DELETE", f"{A}/users/<name>/sessions"): Row(ADMIN, ADMINISTER, 404),
    ("PUT", f"{A}/users/<name>/sites/<site>"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("DELETE", f"{A}/users/<name>/sites/<site>"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("GET", f"{A}/audit"): Row(ADMIN, ADMINISTER, 200),
    ("GET", f"{A}/boards"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/boards/<board_id>"): Row(VIEWER, READ, 200),
    ("POST", f"{A}/boards"): Row(ADMIN, ADMINISTER, 400, {"board_id": "no id"}),
    ("POST", f"{A}/boards/<board_id>/credentials"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("POST", f"{A}/boards/<board_id>/map"): Row(SITE_ADMIN, ADMINISTER, 400, {}),
    ("POST", f"{A}/boards/<board_id>/retire"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("POST", f"{A}/boards/<board_id>/restore"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("GET", f"{A}/boards/<board_id>/moves"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/boards/<board_id>/label.svg"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/sites"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/sites"): Row(ADMIN, ADMINISTER, 400, {}),
    ("GET", f"{A}/sites/<site_id>"): Row(VIEWER, READ, 200),
    ("PATCH", f"{A}/sites/<site_id>"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("DELETE", f"{A}/sites/<site_id>"): Row(ADMIN, ADMINISTER, 409),
    ("GET", f"{A}/sites/<site_id>/labels"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/connections"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/sites/<site>/connection"): Row(SITE_ADMIN, READ, 404),
    ("PUT", f"{A}/sites/<site>/connection"): Row(SITE_ADMIN, ADMINISTER, 400, {}),
    ("DELETE", f"{A}/sites/<site>/connection"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("POST", f"{A}/sites/<site>/connection/start"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("POST", f"{A}/sites/<site>/connection/stop"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("GET", f"{A}/sites/<site>/connection/log"): Row(SITE_ADMIN, READ, 404),
    ("GET", f"{A}/topics"): Row(ADMIN, READ, 200),
    ("PATCH", f"{A}/topics"): Row(ADMIN, ADMINISTER, 400, {}),
    ("GET", f"{A}/parsing-log"): Row(ADMIN, READ, 200),
    ("GET", f"{A}/verbs"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/health"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/events"): Row(SIGNED_IN, READ, 400),
    ("POST", f"{A}/commands"): Row(OPERATOR, COMMAND, 400, FEED),  # without its amount
    ("GET", f"{A}/commands"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/commands/<command_id>"): Row(VIEWER, READ, 200),
    ("POST", f"{A}/commands/<command_id>/cancel"): Row(OPERATOR, COMMAND, 409),
}
TABLE |= {
    ("GET", "/metrics"): Row(ANYBODY, "", 200),
    ("GET", f"{A}/stats"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/health/summary"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/alerts"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/boards/<board_id>/downtimes"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/boards/<board_id>/messages"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/commands/<command_id>/messages"): Row(VIEWER, READ, 200),
}
TABLE |= {
    ("GET", f"{A}/boards/<board_id>/sensors"): Row(VIEWER, READ, 200),
    ("PUT", f"{A}/boards/<board_id>/sensors/<sensor>"): Row(SITE_ADMIN, ADMINISTER, 404, {}),
    ("GET", f"{A}/boards/<board_id>/readings"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/boards/<board_id>/readings.csv"): Row(VIEWER, READ, 200),
}
QUERY = {f"{A}/events": "?last_event_id=wrong"}  # else it would not end
NAMES = {
    "board_id": "pond",
    "site": "north",
    "site_id": "north",
    "name": "stranger",
    "token_id": "999999",
    "sensor": "moon1",
}


@pytest.fixture(scope="module")
def names(site: Site, village: Village) -> dict[str, str]:
    """What stands in the paths; the command is one of `pond` that has ended."""
    posted = site.program().feed().json["id"]
    site.station.answer(site.station.next_command(), "completed")
    eventually(lambda: site.station.backend.command(posted)["status"] == "COMPLETED")
    return {**NAMES, "command_id": posted}


def ask(client: Client, route: tuple[str, str], row: Row, names: dict[str, str]) -> Reply:
    """One request to a route."""
    path = re.sub(r"<(\w+)>", lambda found: names[found[1]], route[1])
    return client.call(route[0], path + QUERY.get(path, ""), row.body)


def guarded() -> Iterator[tuple[tuple[str, str], Row]]:
    yield from ((route, row) for route, row in TABLE.items() if row.least > ANYBODY)


def test_every_route_is_in_the_table(site: Site) -> None:
    assert {(route.method, route.rule) for route in site.app.routes} == set(TABLE)


def test_every_role_on_every_route(site: Site, village: Village, names: dict[str, str]) -> None:
    nobody = site.client()
    for route, row in TABLE.items():
        reply = ask(nobody, route, row, names)
        assert reply.status == (row.answer if row.least == ANYBODY else 401), route
        assert reply.headers["WWW-Authenticate"] == ("Bearer" if row.least else None), route
    for user, role in USERS.items():
        client = village.client(user)
        for route, row in guarded():
            reply = ask(client, route, row, names)
            assert reply.status == (row.answer if role >= row.least else 403), (user, route)
            if role < row.least:
                assert reply.json["error"] == "forbidden", (user, route)


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_on_every_route(
    site: Site, village: Village, names: dict[str, str], scope: str
) -> None:
    client = village.client("admin", scope)
    for route, row in guarded():
        reply = ask(client, route, row, names)
        good = row.scope in ("", scope)
        assert reply.status == (row.answer if good else 403), route
        if not good:
            assert reply.json["error"] == "missing_scope" and row.scope in reply.json["message"]


def test_every_cookie_needs_its_csrf_token(
    site: Site, village: Village, names: dict[str, str]
) -> None:
    client = village.browser("admin", site.password)
    del client.headers["X-CSRF-Token"]
    for route, row in guarded():
        reply = ask(client, route, row, names)
        if route[0] != "GET":
            assert (reply.status, reply.json["error"]) == (403, "csrf"), route
        else:
            assert reply.status == row.answer, route


def test_what_is_private_looks_as_if_it_were_not_there(site: Site, village: Village) -> None:
    admin, eve = village.client("admin"), village.client("eve")
    there = {"board_id": "well", "site": "hidden", "site_id": "hidden", "name": "stranger",
             "command_id": village.ping("well", admin)["id"], "sensor": "moon1"}  # fmt: skip
    gone = {**there, "board_id": "moon", "site": "moon", "site_id": "moon", "command_id": "moon"}
    asked = 0
    for route, row in guarded():
        if not re.search("<(site|site_id|board_id|command_id)>", route[1]):
            continue
        private, absent = (ask(eve, route, row, names) for names in (there, gone))
        assert private.status == absent.status == 404, route
        said = [reply.raw.decode() for reply in (private, absent)]
        for name, other in (("well", "moon"), ("hidden", "moon"), (there["command_id"], "moon")):
            said[0] = said[0].replace(name, other)
        assert said[0] == said[1], route
        assert ask(admin, route, row, there).status in (200, 202, 404, row.answer), route
        asked += 1
    assert asked == 28
    posts = [eve.call("POST", "commands", {**FEED, "board_id": one}) for one in ("well", "moon")]
    assert [reply.status for reply in posts] == [404, 404]
    assert posts[0].raw.replace(b"well", b"moon") == posts[1].raw
