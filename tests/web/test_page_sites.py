"""The page's part about sites, in a real browser: from an unknown board to a retired one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from backend.brokers.broker import BACKEND_USER
from backend.fleet import boards
from tests.backend.running import PASSWORD
from tests.support.mqtt import Client
from tests.web.site import Site


@pytest.fixture
def stranger(site: Site) -> Iterator[None]:
    """A board that the broker lets in and the backend does not know."""
    known = {**boards.passwords(), BACKEND_USER: PASSWORD}
    site.station.broker.set_users({**known, "new-1": "let me in"})
    client = Client(site.station.broker, "new-1", "let me in")
    client.connect()
    client.publish("devices/new-1/data/startup", b'{"board": "<b>ESP32</b>", "firmware": "9"}')
    yield
    client.close()


def place(view: Page, site_id: str) -> Locator:
    return view.locator(f"#view-sites [data-site='{site_id}']")


def add_site(view: Page, site_id: str, name: str, **more: str) -> None:
    view.get_by_role("button", name="Add a site").click()
    dialog = view.get_by_role("dialog")
    dialog.get_by_label("Id").fill(site_id)
    dialog.get_by_label("Name").fill(name)
    for label, text in more.items():
        dialog.get_by_label(label).fill(text)
    dialog.get_by_role("button", name="Save").click()


def test_from_an_unknown_board_to_a_retired_one(view: Page, site: Site, stranger: None) -> None:
    view.get_by_role("link", name="Sites").click()
    pending = place(view, "pending")
    expect(pending).to_contain_text("says: board <b>ESP32</b>, firmware 9")
    add_site(view, "lake", "The lake", **{"Time zone": "UTC", "Wake": "nonsense"})
    expect(view.get_by_role("dialog")).to_contain_text("must have five fields")
    view.get_by_role("dialog").get_by_label("Wake").fill("0 8 * * *")
    view.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(place(view, "lake")).to_contain_text("wakes 0 8 * * * (UTC)")
    pending.get_by_role("button", name="Map").click()
    dialog = view.get_by_role("dialog")
    dialog.get_by_label("Name").fill("North pond")
    dialog.get_by_label("It sleeps").check()
    dialog.get_by_role("button", name="Map").click()
    row = place(view, "lake").locator("[data-board-row=new-1]")
    expect(row).to_contain_text("North pond")
    expect(row).to_contain_text(re.compile("next wake|Due at"))  # once, whether it is heard or not
    expect(pending).to_have_count(0)
    assert site.program().call("GET", "commands?board_id=new-1").json["commands"]

    add_site(view, "river", "The river")
    row.get_by_role("button", name="Move").click()
    view.get_by_role("dialog").get_by_role("combobox").select_option("river")
    view.get_by_role("dialog").get_by_role("button", name="Move").click()
    expect(place(view, "river").locator("[data-board-row=new-1]")).to_be_visible()

    view.goto(f"{site.url}#board/new-1")
    expect(view.locator(".site-name")).to_have_text(["The river", "Without a site"])
    expect(view.locator("[data-board=new-1]")).to_be_in_viewport()

    view.goto(f"{site.url}#sites")
    place(view, "river").get_by_role("button", name="Retire").click()
    view.get_by_role("dialog").get_by_role("button", name="Retire").click()
    expect(place(view, "retired")).to_contain_text("North pond")
    place(view, "river").get_by_role("button", name="Delete").click()
    view.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(place(view, "river")).to_have_count(0)
    view.goto(f"{site.url}#")
    expect(view.locator("[data-board=pond]")).to_be_visible()
    expect(view.locator("[data-board=new-1]")).to_have_count(0)


def test_labels_are_printed_from_a_sheet(view: Page, site: Site) -> None:
    program = site.program()
    program.call("POST", "sites", {"id": "shore"})
    for board_id in ("s-1", "s-2"):
        program.call("POST", "boards", {"board_id": board_id, "site": "shore"})
    view.goto(f"{site.url}api/v1/sites/shore/labels")
    labels = view.locator("img")
    expect(labels).to_have_count(2)
    for label in labels.all():
        assert label.evaluate("image => image.complete && image.naturalWidth > 100")


def test_a_board_that_did_not_wake_is_missing(view: Page, site: Site) -> None:
    program = site.program()
    program.call("POST", "sites", {"id": "marsh", "wake_cron": "* * * * *"})
    program.call("POST", "boards", {"board_id": "m-1", "site": "marsh", "sleeps": True})
    shown = {**program.call("GET", "boards/m-1").json, "online": False}
    words = view.evaluate(
        "async (board) => (await import('/page/presence.js')).state(board)[1]",
        {**shown, "next_wake_at": "2026-01-01T08:00:00Z"},
    )
    assert words.startswith(("Missing since 1 Jan", "Missing since Jan 1"))
    due = view.evaluate(
        "async (board) => (await import('/page/presence.js')).state(board)[1]", shown
    )
    assert due.startswith("Due at")
