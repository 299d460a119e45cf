"""Signing in, sessions, CSRF tokens and bearer tokens, over HTTP."""

import sqlite3
import time

import pytest

from tests.backend.running import PATIENCE, eventually
from tests.web.site import FEED, Client, Site


def test_the_cookie_is_for_this_site_and_not_for_scripts(site: Site) -> None:
    reply = site.client().sign_in(site.password)
    cookie = reply.headers["Set-Cookie"]
    assert "; HttpOnly" in cookie and "; SameSite=Strict" in cookie and "; Path=/" in cookie
    assert "Secure" not in cookie
    assert site.password not in reply.raw.decode()


def test_who_am_i(page: Client) -> None:
    shown = page.call("GET", "session").json
    assert (shown["user"], shown["role"], shown["kind"]) == ("admin", "admin", "session")
    assert shown["csrf_token"] == page.headers["X-CSRF-Token"]


@pytest.mark.parametrize("token", [None, "", "wrong", "ü"])
def test_a_cookie_alone_changes_nothing(page: Client, token: str | None) -> None:
    if token is None:
        del page.headers["X-CSRF-Token"]
    else:
        page.headers["X-CSRF-Token"] = token
    for method, path in (("POST", "commands"), ("DELETE", "session"), ("POST", "tokens")):
        reply = page.call(method, path, {})
        assert (reply.status, reply.json["error"]) == (403, "csrf")


def test_the_csrf_token_of_another_session_is_none(site: Site, page: Client) -> None:
    other = site.client()
    other.sign_in(site.password)
    page.headers["X-CSRF-Token"] = other.headers["X-CSRF-Token"]
    assert page.call("POST", "commands", FEED).status == 403


def test_signing_out_ends_the_session_at_once(page: Client) -> None:
    reply = page.call("DELETE", "session")
    assert (reply.status, reply.raw) == (204, b"")
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    assert page.call("GET", "boards").status == 401


def test_signing_in_again_ends_the_session_before(site: Site, page: Client) -> None:
    before = dict(page.headers)
    assert page.sign_in(site.password).status == 200
    page.headers = before
    assert page.call("GET", "boards").status == 401


def test_a_token_works_until_it_is_revoked(site: Site, page: Client) -> None:
    made = page.call("POST", "tokens", {"name": "robot"})
    assert made.status == 201 and made.json["token"].startswith("ab_")
    listed = page.call("GET", "tokens")
    assert "robot" in [row["name"] for row in listed.json["tokens"]]
    assert made.json["token"] not in listed.raw.decode()
    robot = site.client()
    robot.headers["Authorization"] = f"Bearer {made.json['token']}"
    assert robot.call("GET", "session").json["kind"] == "token"
    assert page.call("POST", "tokens", {"name": "robot"}).status == 409
    assert page.call("DELETE", f"tokens/{made.json['id']}").status == 204
    assert robot.call("GET", "session").status == 401
    assert page.call("DELETE", f"tokens/{made.json['id']}").status == 404


def test_a_token_revoked_by_another_process_ends_within_a_second_or_so(
    site: Site, page: Client
) -> None:
    made = page.call("POST", "tokens", {"name": "elsewhere"}).json
    robot = site.client()
    robot.headers["Authorization"] = f"Bearer {made['token']}"
    assert robot.call("GET", "session").status == 200
    other = sqlite3.connect(site.station.database.database, PATIENCE)
    other.execute("DELETE FROM credential WHERE id = ?", (made["id"],))
    other.commit()
    other.close()
    began = time.monotonic()
    eventually(lambda: robot.call("GET", "session").status == 401)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ab_no", "Basic YTpi", "Bearer \xfc"])
def test_a_wrong_token_is_refused_even_beside_a_good_cookie(page: Client, header: str) -> None:
    assert page.call("GET", "boards", Authorization=header).status == 401


def test_a_session_is_no_token_and_a_token_no_session(site: Site, page: Client) -> None:
    secret = page.headers["Cookie"].split("=", 1)[1]
    robot = site.client()
    assert robot.call("GET", "boards", Authorization=f"Bearer {secret}").status == 401
    assert robot.call("GET", "boards", Cookie=f"answerback_session={site.token}").status == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user": "admin"}, "password"),
        ({"user": 1, "password": "x"}, "user"),
        ({"user": "\ud800", "password": "x"}, "user"),
        ({"user": "admin", "password": "x", "role": "root"}, "role"),
    ],
)
def test_a_wrong_form_is_refused_by_field(site: Site, body: dict[str, object], field: str) -> None:
    reply = site.client().call("POST", "session", body)
    assert (reply.status, reply.json["field"]) == (400, field)


def test_guessing_is_stopped(site: Site) -> None:
    client = site.client()
    guess = {"user": "somebody", "password": "guess"}
    answers = [client.call("POST", "session", guess) for _ in range(6)]
    assert [reply.status for reply in answers] == [401] * 5 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 300
    assert (
        client.sign_in(site.password).status == 200
    )  # somebody else's tries don't lock admin out
