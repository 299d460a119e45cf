"""Which boards a site, a label or a list of ids means."""

from typing import Any

import pytest

from backend.fleet import boards
from backend.fleet.provisioning import Mapping, Retirement
from backend.fleet.selection import Labels, check, select
from tests.backend.conftest import START, Desk
from tests.backend.fleet import done, refusal, site


@pytest.fixture
def fleet(desk: Desk) -> Desk:
    """`a` and `b` at the lake, `c` at none; `a` and `c` are pumps; `d` is retired, `e` pending."""
    site()
    for board_id in "abcde":
        boards.enroll(board_id, START, pending=board_id == "e")
    for board_id in "abd":
        done(desk, Mapping(board_id, "lake", "ann"))
    for board_id in "acde":
        done(desk, Labels(board_id, ("pump", "old")))
    done(desk, Retirement("d", "ann"))
    return desk


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"site": "lake"}, "ab"),
        ({"label": "pump"}, "ac"),
        ({"label": "pump", "site": "lake"}, "a"),
        ({"boards": ["c", "a", "a", "d", "e", "nobody"]}, "ca"),
        ({"boards": ["c", "a"], "site": "lake"}, "a"),
        ({"label": "none"}, ""),
        ({"site": "moon"}, ""),
    ],
)
def test_what_fits_in_all_is_meant(fleet: Desk, wanted: dict[str, Any], found: str) -> None:
    assert select(fleet.core.roster, wanted) == list(found)
    fleet.restart()
    assert select(fleet.core.roster, wanted) == list(found)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "must be an object"),
        ([], "must be an object"),
        ({"all": True}, "must be an object"),
        ({"site": 1}, "site must be"),
        ({"label": ""}, "label must be"),
        ({"boards": []}, "boards must be a list of 1 to"),
        ({"boards": ["a b"]}, "boards holds one that must be"),
        ({"boards": ["a"] * 201}, "boards must be a list of 1 to 200"),
    ],
)
def test_what_can_be_no_selection_is_told_why(wanted: Any, said: str) -> None:
    assert said in str(check(wanted))


def test_labels_are_words_once_each_and_few(fleet: Desk) -> None:
    done(fleet, Labels("a", ("z", "b", "z")))
    board = fleet.core.roster.get("a")
    assert board and board.labels == ["b", "z"]
    assert refusal(fleet, Labels("a", ("two words",))) == ("bad_parameter", "labels")
    assert refusal(fleet, Labels("a", ("x",) * 17)) == ("bad_parameter", "labels")
    assert refusal(fleet, Labels("nobody", ())) == ("unknown_board", "board_id")
    assert board.labels == ["b", "z"]
