"""Releases and rollouts over HTTP: brought, begun, fetched in ranges by a board, and ended."""

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from backend import manifest
from backend.rollouts import archive
from backend.settings import Settings
from backend.web.app import make_app
from backend.web.server import Server
from tests.backend.running import eventually
from tests.rollouts.squad import NEW, content, zipped
from tests.web.pond import Pond
from tests.web.site import Client, Site
from tests.web.test_openapi import validator
from tests.web.village import Village

ZIP = {"Content_Type": "application/zip"}


@pytest.fixture
def release(program: Client, pond: Pond) -> Any:
    """A release for the board of the site, which is online and runs an earlier one."""
    reply = program.call("POST", "releases?notes=a%20test", zipped(content()), **ZIP)
    assert reply.status in (200, 201), reply.raw
    pond.arrive()
    return reply.json


def begin(client: Client, release: Any, **more: Any) -> Any:
    """A rollout to the one board."""
    asked = {"release": release["id"], "selection": {"boards": ["pond"]}, **more}
    reply = client.call("POST", "rollouts", asked)
    assert reply.status == 201, reply.raw
    return reply.json


def test_a_release_is_brought_once_and_deleted(program: Client, release: Any) -> None:
    validator("Release").validate(release)
    assert (release["version"], release["notes"], release["files"]) == (NEW, "a test", 2)
    again = program.call("POST", "releases", zipped(content(), "made/"), **ZIP)
    assert (again.status, again.json) == (200, release)
    other = program.call("POST", "releases", zipped(content(more="?")), **ZIP)
    assert (other.status, other.json["error"]) == (409, "exists")
    assert program.call("GET", "releases").json == {"releases": [release]}
    assert program.call("DELETE", f"releases/{release['id']}").status == 204
    assert program.call("GET", "releases").json == {"releases": []}
    actions = [row["action"] for row in program.call("GET", "audit").json["entries"]]
    assert actions[0] == "release.delete" and "release.add" in actions


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [(b"no zip", 400, "bad_release"), (bytes(archive.BYTES_MAX + 1), 413, "too_large")],
)  # fmt: skip
def test_what_is_no_release_is_refused(site: Site, body: bytes, status: int, error: str) -> None:
    reply = site.program().call("POST", "releases", body, **ZIP)
    assert (reply.status, reply.json["error"]) == (status, error)


def test_a_board_fetches_its_files_in_ranges(
    site: Site, program: Client, pond: Pond, release: Any
) -> None:
    rollout = begin(program, release)
    command = pond.next_command()
    wanted = command["parameters"]
    assert (command["command_type"], wanted["version"]) == ("update_firmware", NEW)
    path = urlsplit(wanted["url"]).path
    board = site.client()
    said = board.call("GET", path)
    assert (said.status, manifest.sha256(said.raw)) == (200, wanted["sha256"])
    file = path.replace(manifest.NAME, "app/node.mpy")
    ranges = (
        ("bytes=1-", b"ode", "1-3"),
        ("bytes=0-1", b"no", "0-1"),
        ("bytes=3-99", b"e", "3-3"),
    )
    for asked, expected, told in ranges:
        part = board.call("GET", file, Range=asked)
        assert (part.status, part.raw) == (206, expected)
        assert part.headers["Content-Range"] == f"bytes {told}/4"
    for asked in ("bytes=0-1,3-3", "bytes=-2", "pages=1-"):
        assert board.call("GET", file, Range=asked).status == 200
    beyond = board.call("GET", file, Range="bytes=4-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, "bytes */4")
    assert board.call("GET", path.replace("/pond/", "/lake/")).status == 404
    assert program.call("DELETE", f"releases/{release['id']}").status == 409
    aborted = program.call("POST", f"rollouts/{rollout['id']}/abort")
    assert aborted.json["state"] == "aborted"
    assert board.call("GET", path).status == 404
    pond.say(command, "failed", "download")
    eventually(lambda: shown(program, rollout)["ended_at"])
    assert shown(program, rollout)["boards"][0]["state"] == "cancelled"


def shown(client: Client, rollout: Any) -> Any:
    """The rollout with its boards, as it is described."""
    found = client.call("GET", f"rollouts/{rollout['id']}").json
    validator("RolloutWithBoards").validate(found)
    return found


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"canary": -1}, "canary"), ({"error_share": 101}, "error_share"), ({"rate": 1}, "rate"),
     ({"board_s": True}, "board_s"), ({"selection": {}}, "selection"), ({"release": 7}, "release"),
     ({"allow_downgrade": 1}, "allow_downgrade")],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused_by_name(
    program: Client, release: Any, asked: dict[str, Any], field: str
) -> None:
    wanted = {"release": release["id"], "selection": {"boards": ["pond"]}, **asked}
    reply = program.call("POST", "rollouts", wanted)
    assert (reply.status, reply.json["field"]) == (400, field)


def test_no_board_is_sent_where_it_can_not_fetch(site: Site, release: Any) -> None:
    for address in ("https://ponds.example.org", "http://0.0.0.0:8080"):
        settings = Settings(data_dir=site.folder, firmware_url=address)
        server = Server(make_app(site.station.backend, site.accounts, settings), "127.0.0.1", 0)
        server.start()
        client = Client(server.port)
        client.headers["Authorization"] = f"Bearer {site.token}"
        wanted = {"release": release["id"], "selection": {"boards": ["pond"]}}
        reply = client.call("POST", "rollouts", wanted)
        assert (reply.status, reply.json["error"]) == (409, "address")
        assert "FIRMWARE_URL" in reply.json["message"]
        server.stop()


def test_a_rollout_belongs_to_the_site_it_names(
    site: Site, program: Client, pond: Pond, release: Any, village: Village
) -> None:
    asked = {"release": release["id"], "selection": {"boards": ["pond"]}}
    assert village.client("sam").call("POST", "rollouts", asked).status == 403
    asked["selection"]["site"] = "north"
    assert village.client("oda").call("POST", "rollouts", asked).status == 403
    made = village.client("sam").call("POST", "rollouts", asked).json
    pond.next_command()
    assert made["id"] in ids(village.client("vic"))
    assert made["id"] not in ids(village.client("eve"))
    path = f"rollouts/{made['id']}"
    assert village.client("vic").call("POST", f"{path}/abort").status == 403
    assert village.client("oda").call("POST", f"{path}/abort").status == 200
    for number in ("x", "0", "9" * 30, "²"):
        assert program.call("GET", f"rollouts/{quote(number)}").status == 404


def ids(client: Client) -> list[int]:
    return [row["id"] for row in client.call("GET", "rollouts").json["rollouts"]]
