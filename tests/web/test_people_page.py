"""People, tokens and roles on the page, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.people.access import OPERATOR, VIEWER
from tests.web.pond import Pond
from tests.web.site import Site
from tests.web.village import PASSWORD, TEST, Village, add_user


def enter(page: Page, site: Site, user: str, password: str = PASSWORD) -> None:
    """Sign in, and wait until the page is live."""
    page.goto(site.url)
    page.get_by_label("User", exact=True).fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#live")).to_have_text("Live")


@pytest.fixture
def page(browser: Browser, village: Village, pond: Pond) -> Iterator[Page]:
    """A page nobody has signed in on; a script error fails the test."""
    page = browser.new_page()
    page.set_default_timeout(10_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    page.close()
    assert not faults


def test_an_administrator_looks_after_people(page: Page, site: Site, village: Village) -> None:
    enter(page, site, "admin", site.password)
    page.get_by_role("link", name="People").click()
    new = page.get_by_role("form", name="A new user")
    new.get_by_label("Name").fill("uma")
    new.get_by_label("Password").fill(PASSWORD)
    new.get_by_role("button", name="Add user").click()
    row = page.locator("#users tr[data-user=uma]")
    expect(row).to_contain_text("uma")
    row.get_by_text("Add to a site").click()
    row.get_by_label("Site", exact=True).fill("moon")
    row.get_by_role("button", name="Give").click()
    expect(page.get_by_role("alert").filter(has_text="moon")).to_have_text(
        "there is no site 'moon'"
    )
    row.get_by_label("Site", exact=True).fill("north")
    row.get_by_label("Role there").select_option(OPERATOR)
    row.get_by_role("button", name="Give").click()
    expect(row).to_contain_text("north: operator")
    row.get_by_text("More").click()
    row.get_by_role("button", name="Disable").click()
    expect(row.locator(".chip")).to_have_text("disabled")
    done = page.locator("#audit tbody tr")
    expect(done.nth(0)).to_contain_text("changed the user uma")
    expect(done.nth(1)).to_contain_text("gave a role at a site to uma")
    row.get_by_text("More").click()
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    page.get_by_label("Role of admin").select_option(VIEWER)
    expect(page.get_by_role("alert").filter(has_text="nobody")).to_contain_text("would be left")
    expect(page.get_by_label("Role of admin")).to_have_value("admin")


def test_the_admin_of_a_site_adds_somebody_to_it(page: Page, site: Site, village: Village) -> None:
    enter(page, site, "sam")
    page.get_by_role("link", name="People").click()
    row = page.locator("#users tr[data-user=eve]")
    expect(page.locator("#users tr[data-user=oda]")).to_be_visible()
    expect(row).to_have_count(0)
    form = page.get_by_role("form", name="Somebody else at one of your sites")
    for where in ("south", "north"):
        form.get_by_label("Name").fill("eve")
        form.get_by_label("Site").fill(where)
        form.get_by_role("button", name="Add to the site").click()
        if where == "south":
            alert = page.get_by_role("alert").filter(has_text="at the site south")
            expect(alert).to_contain_text("you must be admin")
    expect(row).to_contain_text("north: viewer")
    row.get_by_role("button", name="Take eve out of north").click()
    expect(row).to_have_count(0)
    expect(page.locator("#users select[name=role]:visible, #audit")).to_have_count(0)


def test_a_token_is_made_shown_once_and_revoked(page: Page, site: Site, village: Village) -> None:
    enter(page, site, "oda")
    page.get_by_role("link", name="Account").click()
    form = page.get_by_role("form", name="A new token")
    form.get_by_label("What it is for").fill("feeding")
    form.get_by_label("For how long").select_option("for 30 days")
    form.get_by_role("button", name="Make token").click()
    secret = page.locator("#view-account code").inner_text()
    client = village.bearing(secret)
    assert client.call("GET", "session").json["scopes"] == ["read", "command"]
    row = page.locator("#tokens tr").filter(has_text="feeding")
    expect(row).to_contain_text("read, send commands")
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert client.call("GET", "session").status == 401
    page.reload()
    expect(page.locator("#tokens")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(secret)


def test_a_viewer_sees_no_button_for_what_they_may_not_do(
    page: Page, site: Site, village: Village, pond: Pond
) -> None:
    pond.leave()
    village.ping("pond", village.client("oda"))
    enter(page, site, "vic")
    card = page.locator("[data-board=pond]")
    expect(card).to_contain_text("feeder1")
    assert page.locator("[data-board]").count() == 1
    expect(card.locator("form, .board-buttons")).to_have_count(0)
    page.locator("#history tbody tr").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("by oda (token test")
    expect(page.get_by_role("button", name="Call it off")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="People")).to_have_count(0)


def test_a_role_that_is_taken_away_takes_the_buttons_with_it(
    page: Page, site: Site, village: Village, pond: Pond
) -> None:
    add_user(village.accounts, "wim", north=OPERATOR)
    enter(page, site, "wim")
    card = page.locator("[data-board=pond]")
    expect(card.get_by_role("button", name="Emergency stop")).to_be_visible()
    village.people.join(TEST, "wim", "north", VIEWER)
    pond.leave()  # something happens
    expect(card.get_by_role("button", name="Emergency stop")).to_have_count(0)
    expect(card).to_be_visible()
    village.people.leave(TEST, "wim", "north")
    pond.arrive()
    expect(card).to_have_count(0)
    expect(page.locator("#boards")).to_contain_text("no boards at your sites")
    expect(page.locator("#filters [name=board_id] option")).to_have_text(["All"])


def test_a_password_is_changed_and_asked_for(page: Page, site: Site, village: Village) -> None:
    add_user(village.accounts, "pat")
    enter(page, site, "pat")
    page.get_by_role("link", name="Account").click()
    for old, new in (("wrong", "another horse"), (PASSWORD, "another horse")):
        page.get_by_label("Old password").fill(old)
        page.get_by_label("New password").fill(new)
        page.get_by_role("button", name="Change password").click()
        if old == "wrong":
            expect(page.locator("#view-account .error").first).to_contain_text("old password")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    enter(page, site, "pat", "another horse")


def test_it_fits_a_phone(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    enter(page, site, "admin", site.password)
    for name in ("People", "Account"):
        page.get_by_role("link", name=name).click()
        expect(page.locator(f"#view-{name.lower()} tbody tr").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, name
