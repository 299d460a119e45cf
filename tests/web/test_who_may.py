"""Who may do what: one table of every route there is. A route that is not in it fails the test.

Each row says who may at the least, and what a token must be good for; the rest follows: 401 for
nobody, 403 for whoever is less, and 404 for what belongs to a private site.
"""

import re
from collections.abc import Iterator

import pytest

from backend.people.credentials import SCOPES
from tests.backend.running import eventually
from tests.web.rights import ANYBODY, NAMES, QUERY, TABLE, USERS, Row
from tests.web.site import FEED, Client, Reply, Site
from tests.web.things import NUMBERED, things
from tests.web.village import Village


@pytest.fixture(scope="module")
def names(site: Site, village: Village) -> dict[str, str]:
    """What stands in the paths; the command is one of `pond` that has ended."""
    posted = site.program().feed().json["id"]
    site.station.answer(site.station.next_command(), "completed")
    eventually(lambda: site.station.backend.command(posted)["status"] == "COMPLETED")
    return {**NAMES, "command_id": posted, **things(site.program(), "north", "pond")}


def ask(client: Client, route: tuple[str, str], row: Row, names: dict[str, str]) -> Reply:
    """One request to a route."""
    path = re.sub(r"<(\w+)>", lambda found: str(names[found[1]]), route[1])
    return client.call(route[0], path + QUERY.get(path, ""), row.body)


def without(text: str, names: dict[str, str]) -> str:
    """What was said, but for the names of what it is said of."""
    for name, value in sorted(names.items(), key=lambda one: -len(one[1])):
        pattern = rf"(?<=\w) {value}\b" if name in NUMBERED else value
        text = re.sub(pattern, "", text)
    return text


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
    there = {"board_id": "well", "site": "hidden", "site_id": "hidden",
             "command_id": village.ping("well", admin)["id"],
             **things(admin, "hidden", "well")}  # fmt: skip
    gone = {name: "999999" if name in NUMBERED else "moon" for name in there}
    asked = 0
    for route, row in guarded():
        if not any(f"<{name}>" in route[1] for name in gone):
            continue
        private, absent = (ask(eve, route, row, {**NAMES, **names}) for names in (there, gone))
        assert private.status == absent.status == 404, route
        said = [reply.raw.decode() for reply in (private, absent)]
        assert without(said[0], there) == without(said[1], gone), route
        assert ask(admin, route, row, {**NAMES, **there}).status in (200, 202, 404, row.answer), (
            route
        )
        asked += 1
    assert asked > 40
    posts = [eve.call("POST", "commands", {**FEED, "board_id": one}) for one in ("well", "moon")]
    assert [reply.status for reply in posts] == [404, 404]
    assert posts[0].raw.replace(b"well", b"moon") == posts[1].raw
