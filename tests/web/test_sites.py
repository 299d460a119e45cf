"""Sites, and boards' ways to them, over HTTP."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import segno

from backend.people.credentials import Credential, Membership, User
from tests.backend.running import eventually
from tests.web.site import Client, Site
from tests.web.test_openapi import validator


@pytest.fixture
def lake(program: Client) -> Iterator[str]:
    """A site, which is as it was afterwards."""
    made = program.call("POST", "sites", {"id": "lake", "timezone": "Europe/Rome"})
    assert made.status == 201, made.raw
    validator("Site").validate(made.json)
    yield "lake"
    for board in program.call("GET", "boards").json["boards"]:
        if board["site"] == "lake":
            program.call("POST", f"boards/{board['id']}/retire", {})
    assert program.call("DELETE", "sites/lake").status == 204


@pytest.fixture
def member(site: Site, lake: str) -> Client:
    """Somebody who is operator at the site, and no administrator."""
    User.insert(
        name="olga", password="", role="viewer", created_at=1
    ).on_conflict_ignore().execute()
    Membership.insert(user="olga", site=lake, role="operator").on_conflict_ignore().execute()
    Credential.delete().where(Credential.name == "olga's").execute()
    client = site.client()
    client.headers["Authorization"] = (
        f"Bearer {site.accounts.create_token('olga', 'olga' + chr(39) + 's')}"
    )
    return client


def refused(reply: Any) -> tuple[int, str, str | None]:
    validator("Problem").validate(reply.json)
    return reply.status, reply.json["error"], reply.json["field"]


def test_a_site_is_made_changed_listed_and_deleted(program: Client) -> None:
    body = {"id": "river", "name": "River", "wake_cron": "0 8 * * *", "settings": {"hold_s": 9}}
    assert program.call("POST", "sites", body).json["settings"] == {"hold_s": 9}
    changed = program.call("PATCH", "sites/river", {"owner": "the town", "private": True}).json
    assert (changed["owner"], changed["private"], changed["name"]) == ("the town", True, "River")
    assert program.call("GET", "sites/river").json == changed
    listed = program.call("GET", "sites")
    validator("Sites").validate(listed.json)
    assert changed in listed.json["sites"]
    assert refused(program.call("POST", "sites", body)) == (409, "exists", "id")
    wrong = program.call("PATCH", "sites/river", {"timezone": "Mars/Base"})
    assert refused(wrong) == (400, "bad_parameter", "timezone")
    scene: Any = {
        "initialState": "A",
        "states": {"A": {"timeline": [{"at": 60, "action": "audio"}]}},
    }
    scene["states"]["A"]["timeline"][0]["message"] = "STOP"
    made = program.call("POST", "scenes", {"id": "flood", "site": "river", "scene": scene})
    assert made.status == 201, made.json
    run = program.call("POST", "scenes/flood/start").json["id"]
    assert refused(program.call("DELETE", "sites/river")) == (409, "in_use", "site")
    assert program.call("POST", f"scene-runs/{run}/stop").status == 202
    eventually(lambda: program.call("DELETE", "sites/river").status == 204)
    assert program.call("GET", "scenes/flood").status == 404
    assert program.call("GET", f"scene-runs/{run}").json["site"] is None
    assert refused(program.call("GET", "sites/river")) == (404, "unknown_site", "site")


def test_a_board_is_enrolled_mapped_retired_and_brought_back(program: Client, lake: str) -> None:
    told = program.call("POST", "boards", {"board_id": "b-1", "pending": True})
    validator("BoardWithSecrets").validate(told.json)
    assert told.status == 201 and told.json["password"]
    ping = {"board_id": "b-1", "command_type": "ping"}
    assert refused(program.call("POST", "commands", ping)) == (409, "not_active", "board_id")
    assert "map it to a site" in program.call("POST", "commands", ping).json["message"]
    mapped = program.call("POST", "boards/b-1/map", {"site": lake, "name": "First"})
    validator("Mapped").validate(mapped.json)
    assert (mapped.json["board"]["state"], mapped.json["board"]["site"]) == ("active", lake)
    assert refused(program.call("DELETE", f"sites/{lake}")) == (409, "not_empty", "site")
    assert program.call("POST", "commands", ping).status == 202
    retired = program.call("POST", "boards/b-1/retire", {})
    validator("Retired").validate(retired.json)
    assert len(retired.json["cancelled"]) == 1
    assert program.call("POST", "boards/b-1/restore", {}).json["board"]["state"] == "active"
    moves = program.call("GET", "boards/b-1/moves").json
    validator("Moves").validate(moves)
    assert [one["state"] for one in moves["moves"]] == ["active", "retired", "active"]
    renewed = program.call("POST", "boards/b-1/credentials", {}).json
    assert renewed["key"] != told.json["key"]
    assert "key" not in str(program.call("GET", "boards/b-1").json)


def test_the_stream_tells_of_it(site: Site, program: Client, lake: str) -> None:
    with site.station.backend.events.subscribe(None) as events:
        program.call("POST", "boards", {"board_id": "b-2", "site": lake})
        program.call("PATCH", f"sites/{lake}", {"owner": "me"})
        seen: list[tuple[str, Any]] = []
        for batch in events:
            seen += [(kind, data.get("id")) for _, kind, data in batch]
            if ("sites", None) in seen:
                break
    assert ("board", "b-2") in seen


def test_only_administrators_change_things(
    site: Site, program: Client, member: Client, lake: str
) -> None:
    assert [one["id"] for one in member.call("GET", "sites").json["sites"]] == [lake]
    program.call("POST", "boards", {"board_id": "b-3", "site": lake})
    assert member.call("GET", "boards/b-3/label.svg").status == 200
    for method, path, body in (
        ("POST", "sites", {"id": "x"}),
        ("PATCH", f"sites/{lake}", {}),
        ("DELETE", f"sites/{lake}", None),
        ("POST", "boards", {"board_id": "x"}),
        ("POST", "boards", {"board_id": "x", "site": lake}),
        ("POST", "boards/b-3/map", {"site": lake}),
        ("POST", "boards/b-3/retire", {}),
        ("POST", "boards/b-3/credentials", {}),
    ):
        assert refused(member.call(method, path, body))[:2] == (403, "forbidden"), path
        assert site.client().call(method, path, body).status == 401
    program.call("POST", "sites", {"id": "secret", "private": True})
    assert refused(member.call("GET", "sites/secret"))[0] == 404
    assert program.call("DELETE", "sites/secret").status == 204


def squares(path: str) -> set[tuple[int, int]]:
    return {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}


def test_a_label_leads_to_the_board(site: Site, program: Client, lake: str) -> None:
    name = '<Pond> & "co" of a very long name'
    program.call("POST", "boards", {"board_id": "b-4", "site": lake, "name": name})
    reply = program.call("GET", "boards/b-4/label.svg")
    svg = reply.raw.decode()
    assert reply.headers["Content-Type"] == "image/svg+xml"
    assert "&lt;Pond&gt; &amp;" in svg and "<Pond>" not in svg and ">lake<" in svg
    wanted = segno.make("http://127.0.0.1:8080/#board/b-4", error="m").matrix
    dark = {(x, y) for y, row in enumerate(wanted) for x, one in enumerate(row) if one}
    assert squares(svg) == dark
    sheet = program.call("GET", f"sites/{lake}/labels").raw.decode()
    assert "/api/v1/boards/b-4/label.svg" in sheet
    assert refused(program.call("GET", "boards/nobody/label.svg"))[0] == 404


def test_retiring_takes_the_board_off_the_broker_and_out_of_the_way(
    site: Site, program: Client, lake: str
) -> None:
    asked = []
    site.station.backend.on_boards = lambda: asked.append(1)
    program.call("POST", "boards", {"board_id": "b-5", "site": lake})
    program.call("POST", "boards/b-5/retire", {})
    assert eventually(lambda: len(asked) == 2)


def test_what_is_done_to_sites_and_boards_is_in_the_audit_log(program: Client, lake: str) -> None:
    program.call("PATCH", "sites/lake", {"owner": "Ada"})
    program.call("POST", "boards", {"board_id": "audited", "site": lake})
    program.call("POST", "boards/audited/retire", {})
    program.call("POST", "boards/audited/restore", {})
    address = {"host": "127.0.0.1", "port": 1, "username": "u", "password": "a secret"}
    made = program.call("PUT", "sites/lake/connection", address)
    assert made.status == 201, made.raw
    program.call("DELETE", "sites/lake/connection")
    program.call("PATCH", "sites/lake", {"timezone": "Nowhere"})  # refused: nothing was done
    rows = program.call("GET", "audit?limit=7").json["entries"][::-1]
    done = [
        ("site.add", "lake"),
        ("site.change", "lake"),
        ("board.enroll", "audited"),
        ("board.retire", "audited"),
        ("board.restore", "audited"),
        ("connection.put", "lake"),
        ("connection.delete", "lake"),
    ]
    assert [(row["action"], row["subject"]) for row in rows] == done
    assert rows[1]["detail"] == {"owner": "Ada"} and rows[1]["user"] == "admin"
    assert "a secret" not in program.call("GET", "audit").raw.decode()
