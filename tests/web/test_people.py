"""Users, memberships and the audit over HTTP, and what somebody sees of the boards of others."""

import json
import logging
import re
import time
from typing import Any

import pytest

from backend.delivery.events import HEARTBEAT_SECONDS
from backend.people.access import ADMIN, OPERATOR, VIEWER
from backend.people.throttle import TRIES_PER_USER
from tests.backend.running import eventually
from tests.web.site import FEED, Client, Site
from tests.web.test_stream import Watcher
from tests.web.village import PASSWORD, Village, add_user

USERS = "users"


@pytest.fixture(scope="module")
def admin(village: Village) -> Client:
    return village.client("admin")


def refused(client: Client) -> bool:
    return client.call("GET", "session").status == 401


def test_a_user_is_made_changed_and_deleted(village: Village, admin: Client) -> None:
    new = {"name": "uma", "role": VIEWER, "password": PASSWORD}
    made = admin.call("POST", USERS, new)
    assert (made.status, made.headers["Location"]) == (201, "/api/v1/users/uma")
    assert PASSWORD not in made.raw.decode() and "argon2" not in made.raw.decode()
    assert admin.call("POST", USERS, new).status == 409
    assert admin.call("POST", USERS, {**new, "name": "UMA"}).status == 409
    browser, program = village.browser("uma"), village.client("uma")
    assert admin.call("PATCH", "users/uma", {"role": ADMIN}).json["role"] == ADMIN
    assert browser.call("GET", "users").status == 200  # from the very next request on
    assert admin.call("PATCH", "users/uma", {"role": VIEWER}).status == 200
    assert browser.call("GET", "users").status == 403
    assert admin.call("DELETE", "users/uma").status == 204
    assert refused(browser) and refused(program)
    assert "uma" not in [row["name"] for row in admin.call("GET", USERS).json["users"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": ""}, "name"),
        ({"role": "root"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": None}, "password"),
        ({"disabled": True}, "disabled"),
    ],
)
def test_a_wrong_user_is_refused_by_field(admin: Client, body: dict[str, Any], field: str) -> None:
    before = admin.call("GET", USERS).raw
    reply = admin.call("POST", USERS, {"name": "n", "role": VIEWER, "password": PASSWORD, **body})
    assert (reply.status, reply.json["field"]) == (400, field)
    assert admin.call("GET", USERS).raw == before


def test_who_is_disabled_is_let_in_nowhere_until_enabled(village: Village, admin: Client) -> None:
    add_user(village.accounts, "dora")
    browser, program = village.browser("dora"), village.client("dora")
    assert admin.call("PATCH", "users/dora", {"disabled": True}).json["disabled"] is True
    assert refused(browser) and refused(program)
    tried = [village.running.client().call("POST", path, {"user": "dora", "password": PASSWORD})
             for path in ("session", "token")]  # fmt: skip
    assert [reply.status for reply in tried] == [401, 401]
    admin.call("PATCH", "users/dora", {"disabled": False})
    assert not refused(program)
    assert refused(browser)  # it ended


def test_the_last_admin_stays(village: Village, admin: Client) -> None:
    changes: list[tuple[str, Any]] = [
        ("DELETE", None), ("PATCH", {"role": VIEWER}), ("PATCH", {"disabled": True})
    ]  # fmt: skip
    for method, body in changes:
        reply = admin.call(method, "users/admin", body)
        assert (reply.status, reply.json["error"]) == (409, "last_admin")
    assert admin.call("GET", "users/admin").json["role"] == ADMIN
    add_user(village.accounts, "second")
    admin.call("PATCH", "users/second", {"role": ADMIN})
    second = village.client("second")
    assert second.call("PATCH", "users/admin", {"disabled": True}).status == 200
    assert second.call("PATCH", "users/second", {"role": VIEWER}).status == 409
    assert second.call("PATCH", "users/admin", {"disabled": False}).status == 200
    assert second.call("PATCH", "users/second", {"role": VIEWER}).status == 200


def test_the_admin_of_a_site_looks_after_its_people_only(village: Village) -> None:
    sam = village.client("sam")
    listed = {row["name"]: row["sites"] for row in sam.call("GET", USERS).json["users"]}
    assert listed == {name: {"north": role} for name, role in
                      (("oda", OPERATOR), ("sam", ADMIN), ("vic", VIEWER))}  # fmt: skip
    put = sam.call("PUT", "users/eve/sites/north", {"role": VIEWER})
    assert (put.status, put.json["role"]) == (200, VIEWER)
    eve = village.client("eve")
    assert eve.call("GET", "boards/pond").status == 200
    assert sam.call("DELETE", "users/eve/sites/north").status == 204
    assert eve.call("GET", "boards/pond").status == 403
    assert sam.call("DELETE", "users/eve/sites/north").status == 404
    assert sam.call("PUT", "users/sam/sites/south", {"role": ADMIN}).status == 403
    assert sam.call("PUT", "users/sam/sites/hidden", {"role": ADMIN}).status == 404
    assert sam.call("PATCH", "users/sam", {"role": ADMIN}).status == 403
    assert sam.call("PUT", "users/eve/sites/north", {"role": "root"}).json["field"] == "role"


def test_ones_own_is_ones_own(village: Village) -> None:
    add_user(village.accounts, "ida")
    browser, token = village.browser("ida"), village.client("ida")
    assert token.call("GET", "users/ida").json["name"] == "ida"
    assert token.call("DELETE", "users/ida/sessions").status == 204
    assert refused(browser) and not refused(token)


def test_a_password_of_ones_own(village: Village, admin: Client) -> None:
    add_user(village.accounts, "pat")
    browser, token = village.browser("pat"), village.client("pat")
    wrong = browser.call("POST", "password", {"old": "wrong", "new": "another horse"})
    assert (wrong.status, wrong.json["field"]) == (403, "old")
    short = browser.call("POST", "password", {"old": PASSWORD, "new": "short"})
    assert (short.status, short.json["field"]) == (400, "password")
    assert not refused(browser)
    right = browser.call("POST", "password", {"old": PASSWORD, "new": "another horse"})
    assert right.status == 204 and "Max-Age=0" in right.headers["Set-Cookie"]
    assert refused(browser) and not refused(token)
    village.browser("pat", "another horse")
    guesses = [token.call("POST", "password", {"old": "guess", "new": "another horse"}).status
               for _ in range(TRIES_PER_USER + 1)]  # fmt: skip
    assert guesses == [403] * TRIES_PER_USER + [429]
    assert admin.call("PATCH", "users/pat", {"password": "a third horse"}).status == 200


def test_guessing_for_a_token_is_stopped_with_guessing_for_a_session(site: Site) -> None:
    client = site.client()
    guess = {"user": "gus", "password": "guess"}
    paths = ("token", "session") * 3
    answers = [client.call("POST", path, guess).status for path in paths]
    assert answers == [401] * TRIES_PER_USER + [429]


def test_tokens_are_ones_own(village: Village, admin: Client) -> None:
    oda, vic = village.client("oda"), village.client("vic")
    made = oda.call("POST", "tokens", {"name": "feeding", "expires_in": 60})
    assert (made.json["scopes"], made.json["expires_at"] is None) == (["read", "command"], False)
    assert vic.call("DELETE", f"tokens/{made.json['id']}").status == 404
    assert {row["user"] for row in vic.call("GET", "tokens").json["tokens"]} == {"vic"}
    feeding = village.bearing(made.json["token"])
    assert village.ping("pond", feeding)["via"] == "token feeding"
    reply = feeding.call("POST", "tokens", {"name": "more"})
    assert (reply.status, reply.json["error"]) == (403, "missing_scope")
    assert "'admin'" in reply.json["message"]
    assert admin.call("DELETE", f"tokens/{made.json['id']}").status == 204
    assert refused(feeding)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": ["read", "read"]}, "scopes"),
        ({"scopes": [{}]}, "scopes"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": 10**12}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
    ],
)
def test_a_wrong_token_is_refused_by_field(
    admin: Client, body: dict[str, Any], field: str
) -> None:
    reply = admin.call("POST", "tokens", {"name": "wrong", **body})
    assert (reply.status, reply.json["field"]) == (400, field)


def test_a_token_hands_on_no_more_than_it_has(village: Village) -> None:
    client = village.client("admin", "admin")
    reply = client.call("POST", "tokens", {"name": "more", "scopes": ["admin", "command"]})
    assert (reply.status, reply.json["field"]) == (400, "scopes")


def test_a_command_says_who_from_where_how_and_why(village: Village) -> None:
    oda = village.browser("oda")
    body = {**FEED, "parameters": {"amount": 1}, "reason": "they are hungry"}
    posted = oda.call("POST", "commands", body).json
    shown = [posted[name] for name in ("user", "via", "source", "reason")]
    assert shown == ["oda", "session", "127.0.0.1", "they are hungry"]
    path = f"commands/{posted['id']}"
    assert oda.call("POST", f"{path}/cancel", {"reason": "they are not"}).status == 202
    called_off = oda.call("GET", path).json["history"]
    step = next(step for step in called_off if step["event"] == "cancel")
    assert step["actor"] == "oda"
    assert step["detail"] == {"source": "127.0.0.1", "via": "session", "reason": "they are not"}


def test_lists_hold_what_one_may_see_and_pages_stay_full(village: Village, admin: Client) -> None:
    posted = [village.ping(board, admin)["id"] for board in ("pond", "lake", "well") * 4]
    eve = village.client("eve")
    assert [board["id"] for board in eve.call("GET", "boards").json["boards"]] == ["lake"]
    seen, address = [], "commands?limit=3&command_type=ping"
    while address:
        page = eve.call("GET", address).json
        seen.append([row["id"] for row in page["commands"]])
        address = page["next"]
    mine = posted[1::3][::-1]
    assert sum(seen, []) == mine
    assert [len(page) for page in seen[:-1]] == [3] * (len(seen) - 1)
    assert eve.call("GET", "commands?board_id=pond").json["commands"] == []
    assert village.browser("vic").call("GET", "commands?board_id=pond").json["commands"]


def test_another_sites_command_is_out_of_reach(village: Village, admin: Client) -> None:
    theirs, hidden = (village.ping(board, admin)["id"] for board in ("lake", "well"))
    oda = village.client("oda")
    for method, path in (("GET", ""), ("POST", "/cancel")):
        assert oda.call(method, f"commands/{theirs}{path}").status == 403
        assert oda.call(method, f"commands/{hidden}{path}").status == 404
    assert admin.call("GET", f"commands/{theirs}").json["cancelling"] is False


def test_a_click_costs_its_request_no_query(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    oda = village.bearing(village.accounts.grant("oda", PASSWORD, "::1") or "")
    caplog.set_level(logging.DEBUG, "peewee")  # it logs every query

    def free() -> bool:
        caplog.clear()
        village.ping("pond", oda)
        return all(record.threadName == "writer" for record in caplog.records)

    eventually(free)  # who it is was just read, but for once a second
    assert [record for record in caplog.records if record.threadName == "writer"]


def told(watcher: Watcher) -> tuple[str, str]:
    """(kind, board) of the next event that says anything."""
    while "event" not in (event := watcher.next_event()):
        assert event, "the stream has ended"
    data = json.loads(event["data"])
    return event["event"], data.get("board_id") or data.get("id", "")


def test_a_watcher_sees_their_own_site_and_loses_it_with_the_role(
    village: Village, admin: Client, site: Site
) -> None:
    add_user(village.accounts, "wim", north=VIEWER, south=VIEWER)
    secret = village.accounts.create_token("wim", "watcher")
    watcher = Watcher(site, Authorization=f"Bearer {secret}")
    eventually(lambda: site.station.backend.events.watched)
    for board in ("well", "pond", "lake"):
        village.ping(board, admin)
    seen = [told(watcher)]
    while seen[-1] != ("command", "lake"):
        seen.append(told(watcher))
    assert ("command", "pond") in seen and ("command", "well") not in seen
    began = time.monotonic()
    assert admin.call("DELETE", "users/wim/sites/north").status == 204
    assert told(watcher) == ("reset", "")
    assert time.monotonic() - began < HEARTBEAT_SECONDS / 2  # at once, though nothing else happens
    for board in ("pond", "lake"):
        village.ping(board, admin)
    seen = [told(watcher)]
    while seen[-1] != ("command", "lake"):
        seen.append(told(watcher))
    assert all(board != "pond" for _, board in seen)
    watcher.close()


def test_a_watcher_that_comes_back_is_replayed_their_own_only(
    village: Village, admin: Client, site: Site
) -> None:
    before = village.ping("lake", admin)
    first = admin.call("GET", f"commands/{before['id']}").json["history"][0]["id"]
    village.ping("well", admin)
    village.ping("lake", admin)
    village.ping("well", admin)
    secret = village.accounts.create_token("eve", "watcher")
    watcher = Watcher(site, Authorization=f"Bearer {secret}", Last_Event_ID=str(first))
    assert told(watcher) == ("command", "lake")
    last = watcher.next_event()
    assert "event" not in last and int(last["id"]) > first  # goes on after what is not theirs
    watcher.close()


def test_what_is_done_is_noted_without_secrets(village: Village, admin: Client) -> None:
    add_user(village.accounts, "ana")
    admin.call("PATCH", "users/ana", {"role": OPERATOR})
    admin.call("PUT", "users/ana/sites/south", {"role": VIEWER})
    admin.call("PATCH", "users/ana", {"password": "some new horse"})
    made = admin.call("POST", "tokens", {"name": "noted"}).json
    admin.call("DELETE", f"tokens/{made['id']}")
    admin.call("DELETE", "users/ana")
    page = admin.call("GET", "audit?limit=200")
    newest = [(row["action"], row["subject"]) for row in page.json["entries"]][:6][::-1]
    assert newest == [
        ("user.change", "ana"), ("member.put", "ana"), ("user.password", "ana"),
        ("token.make", "noted"), ("token.revoke", "noted"), ("user.remove", "ana"),
    ]  # fmt: skip
    entry = page.json["entries"][4]
    assert (entry["user"], entry["source"]) == ("admin", "127.0.0.1")
    assert re.fullmatch("token test .*", entry["via"])
    assert entry["detail"] == {"site": "south", "role": VIEWER}
    for hidden in ("some new horse", made["token"], PASSWORD, "argon2"):
        assert hidden not in page.raw.decode()
    pages, following = [], 1 << 50
    while following:
        rows = admin.call("GET", f"audit?limit=7&before={following}").json
        pages += [row["id"] for row in rows["entries"]]
        following = rows["next"]
    assert pages == sorted(set(pages), reverse=True) and pages == [
        row["id"] for row in page.json["entries"]
    ]
    only = admin.call("GET", "audit?subject=ana&action=user.add&user=tests").json["entries"]
    assert [row["detail"] for row in only] == [{"role": VIEWER}]


def test_what_is_refused_is_not_noted(admin: Client) -> None:
    before = admin.call("GET", "audit").json["entries"][0]["id"]
    assert admin.call("DELETE", "users/admin").status == 409
    assert admin.call("PATCH", "users/nobody", {"role": ADMIN}).status == 404
    assert admin.call("GET", "audit").json["entries"][0]["id"] == before
