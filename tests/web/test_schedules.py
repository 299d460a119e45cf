"""Schedules and commands to many boards over HTTP."""

from collections.abc import Iterator

import pytest

from tests.backend.running import eventually
from tests.web.site import Client, Site
from tests.web.test_openapi import validator
from tests.web.village import Village

DAILY = {"cron": "0 8 * * *", "command_type": "feed", "target": "feeder1",
         "parameters": {"amount": 5}, "boards": ["pond"]}  # fmt: skip
MANY = {name: DAILY[name] for name in ("command_type", "target", "parameters", "boards")}


@pytest.fixture
def sam(village: Village) -> Iterator[Client]:
    """The administrator of the north, where `pond` is."""
    yield village.client("sam")


def test_from_a_schedule_to_what_it_did(sam: Client, site: Site) -> None:
    reply = sam.call("POST", "schedules", {**DAILY, "timezone": "Europe/Rome", "name": "Morning"})
    made = reply.json
    assert reply.status == 201 and reply.headers["Location"].endswith(f"/schedules/{made['id']}")
    validator("Schedule").validate(made)
    assert (made["site"], made["zone"], made["words"]) == (
        "north",
        "Europe/Rome",
        "At 08:00 every day",
    )
    assert made["next_at"].endswith("Z") and made["next_local"][11:16] == "08:00"
    path = f"schedules/{made['id']}"
    changed = sam.call("PATCH", path, {"cron": "30 9 * * *", "catch_up": "once"}).json
    assert (changed["next_local"][11:16], changed["catch_up"]) == ("09:30", "once")
    assert sam.call("POST", f"{path}/pause").json["next_at"] is None
    assert sam.call("POST", f"{path}/resume").json["next_at"] == changed["next_at"]

    run = sam.call("POST", f"{path}/run").json
    validator("Run").validate(run)
    site.station.answer(site.station.new_command(), "accepted", "completed")
    eventually(lambda: sam.call("GET", f"bulk/{run['id']}").json["state"] == "done")
    last = sam.call("GET", path).json["last_run"]
    assert (last["counts"], last["how"], last["user"]) == ({"COMPLETED": 1}, "by_hand", "sam")
    validator("Runs").validate(sam.call("GET", f"{path}/runs").json)
    boards = sam.call("GET", f"bulk/{run['id']}/boards?status=COMPLETED").json
    validator("RunBoards").validate(boards)
    command = sam.call("GET", f"commands/{boards['boards'][0]['command_id']}").json
    assert command["cause"] == f"schedule/{made['id']}/{run['id']}"
    audit = site.program().call("GET", f"audit?subject={made['id']}").json["entries"]
    assert {one["action"] for one in audit} == {
        "schedule.change",
        "schedule.pause",
        "schedule.resume",
    }

    validator("Schedules").validate(sam.call("GET", "schedules").json)
    assert sam.call("DELETE", path).status == 204
    assert sam.call("GET", path).status == 404


def test_a_bulk_is_one_for_its_key_and_can_be_steered(sam: Client) -> None:
    asked = {**MANY, "per_minute": 1}
    first, again = (sam.call("POST", "bulk", asked, Idempotency_Key="many-1") for _ in range(2))
    assert (first.status, first.json["id"]) == (202, again.json["id"])
    assert first.json["total"] == 1
    other = sam.call("POST", "bulk", {**asked, "per_minute": 2}, Idempotency_Key="many-1")
    assert (other.status, other.json["error"]) == (409, "key_reused")
    path = f"bulk/{first.json['id']}"
    assert sam.call("POST", f"{path}/pause").json["error"] == "nothing_waits"
    assert sam.call("POST", f"{path}/cancel").json["state"] == "cancelled"
    assert first.json["id"] in [one["id"] for one in sam.call("GET", "bulk").json["runs"]]


def test_the_next_times_are_shown_or_what_is_wrong(sam: Client) -> None:
    asked = {
        "cron": "30 2 * * *",
        "timezone": "Europe/Rome",
        "window": {"first_date": "2027-03-28"},
    }
    shown = sam.call("POST", "schedules/preview", {**asked, "count": 2}).json
    validator("Preview").validate(shown)
    assert [one["local"] for one in shown["times"]] == [
        "2027-03-28T03:00:00+02:00",
        "2027-03-29T02:30:00+02:00",
    ]
    wrong = sam.call("POST", "schedules/preview", {"cron": "0 25 * * *"})
    assert (wrong.status, wrong.json["error"], wrong.json["field"]) == (400, "bad_cron", "cron")
    assert "cron has a wrong hour, '25'" in wrong.json["message"]


def test_nobody_reaches_beyond_their_site(sam: Client, village: Village) -> None:
    for path in ("schedules", "bulk"):
        asked = {**DAILY} if path == "schedules" else {**MANY}
        for more in (
            {"boards": ["lake"]},
            {"boards": ["pond", "lake"]},
            {"boards": None, "site": "south"},
            {"boards": None, "label": "all"},
        ):
            assert sam.call("POST", path, {**asked, **more}).status == 403, more
        assert sam.call("POST", path, {**asked, "boards": ["well"]}).status == 404
        inside = sam.call("POST", path, {**asked, "site": "north", "boards": ["lake"]})
        assert (inside.status, inside.json["error"]) == (400, "unknown_board")
    admin = village.client("admin")
    both = admin.call("POST", "bulk", {"boards": ["pond", "lake"], "command_type": "ping"})
    assert both.status == 202 and both.json["site"] is None
    assert sam.call("GET", f"bulk/{both.json['id']}").status == 403


def test_labels_are_for_administrators_of_the_site(sam: Client, village: Village) -> None:
    assert sam.call("PATCH", "boards/pond", {"labels": ["pump", "old"]}).json["labels"] == [
        "old",
        "pump",
    ]
    assert sam.call("GET", "boards/pond").json["labels"] == ["old", "pump"]
    wrong = sam.call("PATCH", "boards/pond", {"labels": ["two words"]})
    assert (wrong.status, wrong.json["field"]) == (400, "labels")
    asked = {"site": "north", "label": "pump", "command_type": "ping"}
    assert village.client("oda").call("POST", "bulk", asked).json["total"] == 1
