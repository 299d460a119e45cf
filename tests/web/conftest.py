"""One running site for the tests of a file."""

from collections.abc import Iterator

import pytest

from tests.web.site import Client, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The web side over a real backend, broker and database, with one board, `pond`."""
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.close()


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
