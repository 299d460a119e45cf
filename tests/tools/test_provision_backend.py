"""tools/provision_backend.py, straight into a database."""

from dataclasses import replace
from pathlib import Path

import pytest

from backend import schema
from backend.errors import NotFound
from backend.fleet import boards, sites
from backend.settings import Settings
from tools.provision_backend import Wish, by_database

WISH = Wish("pond-7", "lake", False, False, {})


def test_a_board_is_made_known_once_and_mapped_where_it_is_to_be(tmp_path: Path) -> None:
    options = Settings(data_dir=tmp_path)
    schema.open_database(options.database)
    for site in ("lake", "river"):
        sites.create(site, {}, 1)
    with pytest.raises(NotFound, match="there is no site 'sea'"):
        by_database(options, replace(WISH, site="sea"))
    first = by_database(options, WISH)
    assert boards.get("pond-7").site == "lake"
    assert by_database(options, replace(WISH, site="river")) == first
    assert boards.get("pond-7").site == "river"
    assert by_database(options, replace(WISH, site=None, new_key=True))["key"] != first["key"]
    by_database(options, Wish("pond-8", None, True, False, {}))
    assert boards.get("pond-8").state == "pending_mapping"
