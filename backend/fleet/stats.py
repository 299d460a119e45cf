"""How commands have gone, by board, site or type: success, response times, errors, outages.

Rules of this file:
- everything is counted in SQL, over the commands of a window of time; where it begins is found by
  halving the range of `seq`, which grows with time, so that no insert pays for an index;
- success rate: COMPLETED of all that ended, without those that somebody called off; None where
  none has; UNKNOWN is an open question and counts as neither;
- percentiles are values that were measured: the smallest that so many % do not exceed;
- worst first: the lowest success rate, then the longest time away.
Times are ms.
"""

import json
from collections.abc import Mapping
from typing import Any

from backend.database.models import database
from backend.delivery.lifecycle import CANCELLED, COMPLETED, ENDED

BARS = 24
ROWS_MAX = 200
BY = {"board": "c.board_id", "site": "COALESCE(b.site, '')", "command_type": "c.command_type"}
ALL = "''"
_AWAY = {"board": "d.board_id", "site": BY["site"]}
_BAD = tuple(status for status in ENDED if status not in (COMPLETED, CANCELLED))

_SEEN = "(:sites IS NULL OR b.site IN (SELECT value FROM json_each(:sites)))"
# NOT INDEXED: by the range of seq alone, else the planner would walk all of a board's past.
_FROM = (
    "FROM command AS c NOT INDEXED LEFT JOIN board AS b ON b.id = c.board_id"
    f" WHERE c.seq >= :seq AND c.created_at >= :since AND {_SEEN}"
)
_COUNTS = f"SELECT {{g}}, c.status, COALESCE(c.error, ''), COUNT(*) {_FROM} GROUP BY 1, 2, 3"
_BARS = f"""
    SELECT {{g}}, MIN((c.created_at - :since) * {BARS} / :window, {BARS - 1}),
        SUM(c.status = '{COMPLETED}'), SUM(c.status IN {_BAD}) {_FROM} GROUP BY 1, 2
"""
_TIMES = f"""
    WITH began AS (SELECT {{g}} AS g, c.seq AS seq, c.created_at AS at {_FROM}),
    took AS (
        SELECT g, h.event AS event, MIN(h.at) - began.at AS ms FROM began
        JOIN history AS h ON h.command_seq = began.seq
        WHERE h.event IN ('accepted', 'completed') GROUP BY began.seq, h.event
    ), ranked AS (
        SELECT g, event, ms, ROW_NUMBER() OVER (PARTITION BY g, event ORDER BY ms) AS n,
            COUNT(*) OVER (PARTITION BY g, event) AS of FROM took
    )
    SELECT g, event, MIN(CASE WHEN n >= of * 0.5 THEN ms END),
        MIN(CASE WHEN n >= of * 0.95 THEN ms END) FROM ranked GROUP BY 1, 2
"""
_OUTAGES = f"""
    SELECT {{g}}, COUNT(*),
        SUM(MIN(COALESCE(until_at, :now), :now) - MAX(from_at, :since)) FROM downtime AS d
    LEFT JOIN board AS b ON b.id = d.board_id
    WHERE COALESCE(until_at, :now) > :since AND from_at < :now AND {_SEEN} GROUP BY 1
"""


def by(what: str, now: int, window: int, sites: list[str] | None) -> list[dict[str, Any]]:
    """The rows of one of BY over the last `window` ms, worst first, ROWS_MAX at most.

    `sites`: only of boards at these; None: of all.
    """
    found = _found(BY[what], _AWAY.get(what), now, window, sites)
    rows = [_row(name, one) for name, one in found.items()]
    return sorted(rows, key=_badness)[:ROWS_MAX]


def total(now: int, window: int, sites: list[str] | None) -> dict[str, Any]:
    """The same of everything at once."""
    found = _found(ALL, ALL, now, window, sites)
    return _row("", found.get("", _nothing()))


def _found(
    group: str, away: str | None, now: int, window: int, sites: list[str] | None
) -> dict[str, dict[str, Any]]:
    since = now - window
    args = {
        "seq": first_seq(since),
        "since": since,
        "now": now,
        "window": window,
        "sites": None if sites is None else json.dumps(sites),
    }
    out: dict[str, dict[str, Any]] = {}
    for name, status, error, count in _ask(_COUNTS, group, args):
        one = out.setdefault(name, _nothing())
        one["counts"][status] = one["counts"].get(status, 0) + count
        if error and status != CANCELLED:
            one["errors"][error] = one["errors"].get(error, 0) + count
    for name, bar, good, bad in _ask(_BARS, group, args):
        out[name]["bars"][bar] = [good, bad]
    for name, event, p50, p95 in _ask(_TIMES, group, args):
        out[name][event] = {"p50": p50, "p95": p95}
    for name, count, ms in _ask(_OUTAGES, away, args) if away else ():
        out.setdefault(name, _nothing()).update(downtimes=count, downtime_s=ms / 1000)
    return out


def _ask(sql: str, group: str, args: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = database.execute_sql(sql.format(g=group), args).fetchall()
    return found


def _nothing() -> dict[str, Any]:
    return {
        "counts": {},
        "errors": {},
        "bars": [[0, 0] for _ in range(BARS)],
        "accepted": {"p50": None, "p95": None},
        "completed": {"p50": None, "p95": None},
        "downtimes": 0,
        "downtime_s": 0.0,
    }


def _row(name: str, one: dict[str, Any]) -> dict[str, Any]:
    good = one["counts"].get(COMPLETED, 0)
    ended = good + sum(one["counts"].get(status, 0) for status in _BAD)
    return {"name": name, **one, "success_rate": good / ended if ended else None}


def _badness(row: dict[str, Any]) -> tuple[float, float, str]:
    rate = row["success_rate"]
    return (1.0 if rate is None else rate, -row["downtime_s"], row["name"])


def first_seq(since: int) -> int:
    """A `seq` before which nothing was created at `since` or later, but where a clock was set."""
    low, high = 1, 1 + (database.execute_sql("SELECT MAX(seq) FROM command").fetchone()[0] or 0)
    while low < high:
        middle = (low + high) // 2
        found = database.execute_sql(
            "SELECT seq, created_at FROM command WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
        ).fetchone()
        if found is None or found[1] >= since:
            high = middle
        else:
            low = found[0] + 1
    return low
