"""The diagram tells the table: each status, each arrow, each event."""

import re

from backend.delivery.lifecycle import STATUSES, TABLE
from backend.web.lifecycle import arrows, document, ranks
from tests.web.site import Site


def test_every_status_has_a_box_and_every_step_an_arrow() -> None:
    shown = document()
    boxes = re.findall(r'class="status">(\w+)<', shown)
    assert sorted(boxes) == sorted(STATUSES)
    moves = {(old, new) for (old, _), new in TABLE.items() if old != new}
    assert shown.count("<path d=") == len(moves) + 1  # and the tip of the arrows


def test_every_transition_stands_in_the_table() -> None:
    listed = {(old, event): new for (old, new), names in arrows(TABLE).items() for event in names}
    assert listed == TABLE
    assert document().count("<tr><td>") == len(arrows(TABLE))


def test_open_statuses_come_before_the_ended_ones() -> None:
    rank = ranks(TABLE)
    assert rank["PENDING"] < rank["SENT"] < rank["ACKNOWLEDGED"] < rank["UNKNOWN"]
    assert rank["UNKNOWN"] < rank["COMPLETED"] == rank["EXPIRED"]


def test_anybody_may_see_it(site: Site) -> None:
    reply = site.client().call("GET", "/lifecycle")
    assert reply.status == 200 and b"<svg" in reply.raw
