"""Topics and the parsing log over HTTP and on the page; a museum's board on its card."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.backend.running import eventually
from tests.web.site import Client, Site

STRANGE = "devices/pond/nonsense"
SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def site(site: Site) -> Iterator[Site]:
    site.station.backend.enroll("esp32_01", "", "museum", {"targets": {"light": "room1/light"}})
    yield site


def topic(program: Client, name: str) -> Any:
    rows = program.call("GET", "topics?limit=200").json["topics"]
    return next((row for row in rows if row["topic"] == name), None)


def test_a_topic_is_seen_counted_and_switched(site: Site, program: Client) -> None:
    status = "devices/esp32_01/status"
    site.station.say(status, b"online")
    eventually(lambda: site.station.backend.board("esp32_01")["online"])
    seen = eventually(lambda: topic(program, status))
    assert seen["is_processable"] and seen["is_active"] and seen["sample"] == "online"
    off = program.call("PATCH", "topics", {"topic": status, "is_active": False})
    assert (off.status, off.json["is_active"]) == (200, False)
    site.station.say(status, b"offline")
    eventually(lambda: site.station.backend.health()["refused"].get("switched_off"))
    assert site.station.backend.board("esp32_01")["online"] is True
    program.call("PATCH", "topics", {"topic": status, "is_active": True})
    site.station.say(status, b"offline")
    eventually(lambda: site.station.backend.board("esp32_01")["online"] is False)


def test_what_is_not_understood_is_logged_with_a_sample(site: Site, program: Client) -> None:
    site.station.say("devices/pond/ack", b"x" * 9000)
    site.station.say("devices/nobody/ack", b"{}")
    query = f"parsing-log?topic={quote('devices/pond/ack', safe='')}"
    (row,) = eventually(lambda: program.call("GET", query).json["failures"])
    assert (row["error_type"], row["parser"], row["count"]) == ("PARSE_ERROR", "answerback", 1)
    assert row["sample"] == "x" * 5000 and "ProtocolError" in row["traceback"]
    rows = program.call("GET", "parsing-log").json["failures"]
    assert rows[0]["error_type"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"topic": "none/such", "is_active": True}, 404, "topic"),
        ({"topic": "none/such"}, 400, "is_active"),
        ({"topic": "none/such", "is_active": 1}, 400, "is_active"),
    ],
)
def test_a_switch_that_is_wrong_says_why(
    program: Client, body: Any, status: int, field: str
) -> None:
    reply = program.call("PATCH", "topics", body)
    assert (reply.status, reply.json["field"]) == (status, field)


def test_a_board_is_told_only_what_it_understands(program: Client) -> None:
    said = {"board_id": "esp32_01", "command_type": "feed", "target": "light",
            "parameters": {"amount": 5}}  # fmt: skip
    reply = program.call("POST", "commands", said)
    assert (reply.status, reply.json["field"]) == (400, "command_type")
    assert "direction, emergency_stop, motor, switch" in reply.json["message"]
    said |= {"command_type": "switch", "parameters": {"state": "on"}}
    assert program.call("POST", "commands", said).status == 202


def test_the_page_shows_them_as_text(site: Site, view: Page) -> None:
    site.station.say("devices/pond/ack", SCRIPT.encode())
    eventually(lambda: topic(site.program(), "devices/pond/ack"))
    view.get_by_role("link", name="Topics").click()
    row = view.locator("#topics tr[data-topic='devices/pond/ack']")
    expect(row).to_be_visible()
    expect(view.locator("#failures")).to_contain_text(SCRIPT)
    expect(view.locator("#view-topics img")).to_have_count(0)
    row.get_by_role("checkbox").uncheck()
    eventually(lambda: topic(site.program(), "devices/pond/ack")["is_active"] is False)
    row.get_by_role("checkbox").check()
    eventually(lambda: topic(site.program(), "devices/pond/ack")["is_active"])


def test_a_card_says_what_a_board_cannot_promise(view: Page) -> None:
    card = view.locator("[data-board=esp32_01]")
    card.get_by_text("What this board can't promise").click()
    expect(card).to_contain_text("Commands carry no id")
    form = card.locator("[data-target=light]")
    expect(form.get_by_role("button", name="On").first).to_be_visible()
    expect(form.get_by_label("Time")).to_have_count(0)
