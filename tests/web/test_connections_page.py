"""Sites' connections on the page: made, started, followed live, and mended, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from backend.brokers import connections
from backend.brokers.broker import BACKEND_USER
from backend.database.models import Site as SiteRow
from tests.backend.running import PASSWORD, eventually
from tests.web.site import Site

HIDDEN = "hidden-in-the-form"


@pytest.fixture
def garda(site: Site, view: Page) -> Iterator[Page]:
    """A site without a connection; the page shows the view."""
    SiteRow.insert(id="garda", name="Garda", created_at=1).execute()
    view.get_by_role("link", name="Connections").click()
    yield view
    SiteRow.delete().where(SiteRow.id == "garda").execute()
    site.station.backend.connections_changed()


def fill_in(form: Locator, site: Site, password: str) -> None:
    form.get_by_label("Host").fill("127.0.0.1")
    form.get_by_label("Port").fill(str(site.station.broker.port))
    form.get_by_label("User").fill(BACKEND_USER)
    form.get_by_label("Password").fill(password)


def test_it_is_made_started_mended_and_stopped(site: Site, garda: Page) -> None:
    garda.get_by_role("button", name="Connect").click()
    form = garda.get_by_role("form", name="Connection of garda")
    fill_in(form, site, HIDDEN)
    form.get_by_label("Port").fill("70000")
    form.get_by_role("button", name="Save").click()
    expect(garda.get_by_role("alert").filter(has_text="port")).to_contain_text("1 to 65535")
    form.get_by_label("Port").fill(str(site.station.broker.port))
    form.get_by_role("button", name="Save").click()
    card = garda.locator("[data-site=garda]")
    expect(card.locator(".chip")).to_have_text("Stopped")
    card.get_by_role("button", name="Start").click()
    expect(card.locator(".chip")).to_have_text("Error")
    expect(card.locator(".dialog-head + p")).to_contain_text("correct user and password")
    expect(card.locator(".dialog-head + p")).to_contain_text("Next try in")
    assert HIDDEN not in garda.content()
    card.get_by_role("button", name="Edit").click()
    expect(card.get_by_label("Password")).to_have_attribute("placeholder", "unchanged")
    card.get_by_label("Password").fill(PASSWORD)
    card.get_by_role("button", name="Save").click()
    expect(card.locator(".chip")).to_have_text("Connected")
    expect(card.locator(".dialog-head + p")).to_contain_text("Since")
    card.get_by_role("button", name="Stop").click()
    expect(card.locator(".chip")).to_have_text("Stopped")
    card.get_by_role("button", name="Log").click()
    said = card.locator(".connection-log li")
    expect(said.first).to_contain_text("disconnected from")
    expect(card.locator(".connection-log li.error")).to_contain_text("refused the connection")


def test_a_new_site_is_offered_at_once(site: Site, view: Page) -> None:
    view.get_by_role("link", name="Connections").click()
    expect(view.locator("#view-connections")).to_contain_text("There are no sites yet")
    site.program().call("POST", "sites", {"id": "como", "name": "Como"})
    row = view.locator("#view-connections p").filter(has_text="Como")
    expect(row.get_by_role("button", name="Connect")).to_be_visible(timeout=5_000)
    site.program().call("DELETE", "sites/como")
    expect(row).to_have_count(0, timeout=5_000)


def test_what_changes_elsewhere_is_shown_at_once(site: Site, garda: Page) -> None:
    broker = site.station.broker
    asked = {"host": broker.host, "port": broker.port, "username": BACKEND_USER}
    connections.save("garda", {**asked, "password": PASSWORD}, 1)
    garda.reload()
    card = garda.locator("[data-site=garda]")
    expect(card.locator(".chip")).to_have_text("Stopped")
    connections.set_active("garda", True, "somebody", 1)
    site.station.backend.connections_changed()
    expect(card.locator(".chip")).to_have_text("Connected")
    garda.on("dialog", lambda dialog: dialog.accept())
    card.get_by_role("button", name="Edit").click()
    card.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    eventually(lambda: connections.sites() == frozenset())
