"""One running site for the tests of a file, one browser for all."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser import PATIENCE_MS, launched
from tests.web.pond import Pond, sign_in
from tests.web.site import Client, Site
from tests.web.village import Village


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The web side over a real backend, broker and database, with one board, `pond`."""
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.close()


@pytest.fixture(scope="module")
def village(site: Site) -> Village:
    """The site with people and boards of three sites."""
    return Village(site)


@pytest.fixture
def program(site: Site) -> Client:
    """A client with a bearer token."""
    return site.program()


@pytest.fixture
def page(site: Site) -> Client:
    """A client that has signed in as a page does."""
    client = site.client()
    assert client.sign_in(site.password).status == 200
    return client


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all files of this folder that one process runs."""
    with sync_playwright() as playwright:
        yield launched(playwright)


@pytest.fixture
def pond(site: Site) -> Pond:
    return Pond(site)


@pytest.fixture
def view(site: Site, pond: Pond, browser: Browser) -> Iterator[Page]:
    """The page, signed in; a script error or a refused file fails the test."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sign_in(page, site, site.password)
    expect(page.locator("#live")).to_have_text("Live")
    yield page
    page.close()
    assert not faults
