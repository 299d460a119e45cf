"""A board's way into the fleet, with the real firmware, a real broker, and a backend that dies."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.brokers.broker import BACKEND_USER
from backend.web.render import rfc3339
from tools.chaos_http import until
from tools.chaos_site import PASSWORD, Site
from tools.fleet import BoardSpec, Fleet

BOARD = "pond-1"
NOON = "0 12 * * *"
ACTUATORS = {"light1": {"kind": "switch", "pin": 21, "longest_s": 60}}


class Pending(Site):
    """Its boards have their keys, and wait to be mapped."""

    def _enroll(self, board_id: str, actuators: Any) -> BoardSpec:
        lines = self.backend.run("enroll", board_id, "--pending").split()
        return BoardSpec(**dict(line.split("=", 1) for line in lines), actuators=actuators)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Pending(tmp_path_factory.mktemp("fleet"), {BOARD: ACTUATORS}) as site:
        made = site.api.call("POST", "sites", {"id": "lake", "owner": "the town"})
        assert made[0] == 201
        yield site


def test_a_mapping_is_carried_out_though_the_backend_dies_at_its_commit(site: Site) -> None:
    ping = {"board_id": BOARD, "command_type": "ping"}
    refused = site.api.call("POST", "commands", ping)
    assert refused[0] == 409 and "is pending_mapping: map it" in refused[1]["message"]
    wanted = {"wake_cron": NOON, "settings": {"hold_s": 41}}
    assert site.api.call("PATCH", "sites/lake", wanted)[0] == 200
    site.backend.stop()
    site.backend.start("tools.chaos_crashing", "after_commit", "1")
    with contextlib.suppress(http.client.HTTPException, OSError):
        site.api.call("POST", f"boards/{BOARD}/map", {"site": "lake", "sleeps": True})
        pytest.fail("it should be dead by now")
    assert site.backend.wait() == -9
    site.backend.start()
    again = site.api.call("POST", f"boards/{BOARD}/map", {"site": "lake", "sleeps": True})
    assert again[0] == 200 and again[1]["queued"] == []  # it was done
    told = {one["command_type"]: one for one in site.settle(BOARD)}
    assert {one["status"] for one in told.values()} == {"COMPLETED"}
    assert set(told) == {"set_wake_schedule", "update_config"}
    shown = site.seen(BOARD)
    assert (shown["state"], shown["site"]) == ("active", "lake")
    wake_at = told["set_wake_schedule"]["result"]["wake_at"]
    assert shown["next_wake_at"] == rfc3339(wake_at * 1000)
    assert wake_at == told["set_wake_schedule"]["parameters"]["wake_at"]
    ping_id = site.api.post("ping-1", BOARD, "ping")[0]["id"]
    site.settle(BOARD)
    assert site.api.command(ping_id)["status"] == "COMPLETED"
    assert site.api.get("health")["status"] == "healthy"


def test_a_board_that_sleeps_is_told_when_it_wakes(site: Site) -> None:
    site.api.call("POST", "sites", {"id": "river", "wake_cron": "0 6 * * *"})
    site.api.call("POST", f"boards/{BOARD}/map", {"site": "lake", "sleeps": False})
    site.settle(BOARD)
    site.api.post("nap", BOARD, "set_wake_schedule", parameters={"seconds": 4, "quiet_s": 1})
    site.board(BOARD).wait_for("deepsleep", timeout=15)
    until(lambda: site.seen(BOARD)["asleep_until"])
    status, mapped = site.api.call(
        "POST", f"boards/{BOARD}/map", {"site": "river", "sleeps": True}
    )
    (queued,) = mapped["queued"]
    assert status == 200 and site.api.command(queued)["status"] == "PENDING"
    until(lambda: site.api.command(queued)["status"] == "COMPLETED")
    assert site.api.command(queued)["user"] == "system"


def test_a_retired_board_is_not_heard(site: Site) -> None:
    """The second document's test of a command for a board that is not active."""
    status, retired = site.api.call("POST", f"boards/{BOARD}/retire", {})
    assert status == 200 and retired["board"]["state"] == "retired"
    restart = {"board_id": BOARD, "command_type": "restart"}
    assert site.api.call("POST", "commands", restart)[0] == 409


def test_an_unknown_board_is_listed_given_a_key_and_welcomed(site: Site, tmp_path: Path) -> None:
    """The broker lets it in, and the backend has never heard of it."""
    site.broker.set_users({BACKEND_USER: PASSWORD, "new-1": "let me in"})
    spec = BoardSpec("new-1", "ab" * 32, "let me in", ACTUATORS)
    fleet = Fleet([spec], tmp_path, ("127.0.0.1", site.broker.port))
    with fleet:
        found = until(lambda: claiming(site, "new-1", actuators="light1"))
        assert found["state"] == "pending_mapping" and not found["online"]
        asked = {"board_id": "new-1", "site": "lake", "sleeps": True}
        status, told = site.api.call("POST", "boards", asked)
        assert status == 201
        board = fleet.boards["new-1"]
        board.power_cut()
        settings = json.loads(board.flash.read("settings.json"))
        board.flash.write({"settings.json": json.dumps({**settings, "key": told["key"]})})
        board.start()
        until(lambda: site.is_online("new-1"))
        welcome = {one["command_type"]: one["status"] for one in site.settle("new-1")}
        assert welcome == {"set_wake_schedule": "COMPLETED", "update_config": "COMPLETED"}


def claiming(site: Site, board_id: str, **claims: str) -> Any:
    """The board, once it is listed and says so of itself; else None."""
    listed = site.api.get("boards")["boards"]
    found = [one for one in listed if one["id"] == board_id]
    return found[0] if found and claims.items() <= found[0]["claims"].items() else None
