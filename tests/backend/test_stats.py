"""Statistics are what one would count by hand; boards of other sites are not in them."""

import random
from typing import Any

import pytest

from backend.database.models import Command
from backend.delivery import commands
from backend.delivery.lifecycle import ENDED
from backend.fleet import boards, stats
from tests.backend.conftest import START, Desk

HOUR = 3_600_000
WAYS: dict[str, list[tuple[str, str | None, dict[str, Any]]]] = {
    "good": [("accepted", None, {"within": 60}), ("completed", None, {})],
    "bad": [("accepted", None, {"within": 60}), ("failed", "hardware", {})],
    "full": [("rejected", "busy", {})],
    "open": [],
}


def percentile(values: list[int], share: float) -> int | None:
    """The smallest value that so many % do not exceed."""
    ordered = sorted(values)
    fits = [v for i, v in enumerate(ordered, 1) if i >= len(ordered) * share]
    return fits[0] if fits else None


@pytest.fixture
def lived(desk: Desk, seed: int) -> Desk:
    """A desk on which some has happened; every second is another command."""
    rng = random.Random(seed)
    desk.startup()
    for second in range(0, 120, 2):
        target = rng.choice(["feeder1", "feeder2"])
        row = desk.at(second).post(target=target) if second else desk.post()
        if second % 30 == 0:
            row = desk.post("ping", "", parameters={})
        for state, error, result in WAYS[rng.choice(list(WAYS))]:
            desk.now += rng.randrange(1, 700)
            desk.ack(row, state, error, **result)
    desk.at(130).heartbeat()
    return desk


def by_hand(kind: str) -> dict[str, Any]:
    rows = [commands.get(one["id"]) for one in commands.find(limit=200, command_type=kind)]
    took: dict[str, list[int]] = {"accepted": [], "completed": []}
    for row in rows:
        for event, times in took.items():
            at = [step["at"] for step in row["history"] if step["event"] == event]
            times += [min(at) - row["created_at"]] if at else []
    statuses = [row["status"] for row in rows]
    errors = [row["error"] for row in rows if row["error"] and row["status"] != "CANCELLED"]
    ended = [s for s in statuses if s in ENDED and s != "CANCELLED"]
    return {
        "counts": {s: statuses.count(s) for s in set(statuses)},
        "errors": {e: errors.count(e) for e in set(errors)},
        "success_rate": ended.count("COMPLETED") / len(ended) if ended else None,
        **{e: {"p50": percentile(t, 0.5), "p95": percentile(t, 0.95)} for e, t in took.items()},
    }


def test_they_are_what_one_counts_by_hand(lived: Desk) -> None:
    rows = {row["name"]: row for row in stats.by("command_type", lived.now, HOUR, None)}
    assert set(rows) == {"feed", "ping"}
    for kind, row in rows.items():
        wanted = by_hand(kind)
        assert {name: row[name] for name in wanted} == wanted
    (board,) = stats.by("board", lived.now, HOUR, None)
    whole = stats.total(lived.now, HOUR, None)
    assert sum(board["counts"].values()) == sum(whole["counts"].values()) == 64
    assert board["name"] == "pond" and {**board, "name": ""} == whole


def test_bars_are_where_their_commands_are(lived: Desk) -> None:
    now = START + 120_000
    (row,) = stats.by("board", now, 120_000, None)
    assert len(row["bars"]) == stats.BARS
    good, bad = (sum(bar[i] for bar in row["bars"]) for i in (0, 1))
    counts = row["counts"]
    assert good == counts.get("COMPLETED", 0)
    assert bad == sum(counts.get(s, 0) for s in ("FAILED", "REJECTED", "EXPIRED"))
    assert all(sum(bar) <= 4 for bar in row["bars"])  # 5 s each


def test_a_window_leaves_out_what_was_before(lived: Desk) -> None:
    assert sum(stats.total(START + 119_000, 21_000, None)["counts"].values()) < 20
    assert stats.by("board", lived.now + 10 * HOUR, HOUR, None) == []


def test_time_away_is_counted_within_the_window(desk: Desk) -> None:
    desk.startup()
    desk.at(100).status("offline")
    desk.at(400).startup(session=2)
    desk.at(1_000).heartbeat(session=2)
    desk.status("offline", session=2)
    (row,) = stats.by("board", START + 1_060_000, HOUR, None)
    assert (row["downtimes"], row["downtime_s"]) == (2, 400 + 60)
    (row,) = stats.by("board", START + 300_000, 100_000, None)
    assert row["downtime_s"] == pytest.approx(100)


def test_worst_first_and_only_of_the_sites_asked_for(desk: Desk) -> None:
    for name, site in (("a", "north"), ("b", "south"), ("c", None)):
        boards.enroll(name, START)
        with desk.database.atomic():
            desk.database.execute_sql("UPDATE board SET site = ? WHERE id = ?", (site, name))
    desk.restart()
    common = {"command_type": "feed", "target": "x", "parameters": "{}", "user": "ann",
              "created_at": START, "updated_at": START, "expires_at": START}  # fmt: skip
    with desk.database.atomic():
        for name, status in (("a", "COMPLETED"), ("b", "FAILED"), ("c", "COMPLETED")):
            Command.insert(id=name, board_id=name, status=status, **common).execute()
            Command.insert(id=name * 2, board_id="a", status="COMPLETED", **common).execute()
        Command.insert(id="x", board_id="c", status="EXPIRED", **common).execute()
    now = desk.now + 1
    assert [row["name"] for row in stats.by("board", now, HOUR, None)] == ["b", "c", "a"]
    assert [row["name"] for row in stats.by("site", now, HOUR, None)] == ["south", "", "north"]
    assert [row["name"] for row in stats.by("board", now, HOUR, ["north"])] == ["a"]
    assert [row["name"] for row in stats.by("site", now, HOUR, [])] == []


def test_no_query_walks_the_whole_table(desk: Desk) -> None:
    args = {"seq": 1, "since": 0, "now": 1, "window": 1, "sites": None}
    for sql in (stats._COUNTS, stats._BARS, stats._TIMES):
        plan = desk.database.execute_sql("EXPLAIN QUERY PLAN " + sql.format(g="c.board_id"), args)
        told = " ".join(row[3] for row in plan.fetchall())
        assert "SEARCH c USING INTEGER PRIMARY KEY" in told
        assert "SCAN c" not in told and "SCAN h" not in told and "SCAN b" not in told
