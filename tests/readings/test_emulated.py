"""A board with the real firmware measures while its backend is killed and its link is cut."""

import itertools
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tools.chaos_http import until
from tools.chaos_site import Site

# Says how often it was read: so nothing can be missing, or be there twice, without being seen.
COUNTER = "n = [0]\ndef read(config):\n    n[0] += 1\n    return n[0]\n"
MEASURES = {"count1": {"kind": "module", "module": "counter", "unit": "times", "decimals": 0}}
FILES = {
    "sensors.json": json.dumps({"every_s": 1, "keep": 64, "sensors": MEASURES}),
    "counter.py": COUNTER,
}


def stored(folder: Path) -> list[tuple[int, float]]:
    """[(ms since 1970, count)] in order of time."""
    with closing(sqlite3.connect(f"file:{folder / 'chaos.db'}?mode=ro", uri=True)) as db:
        return db.execute("SELECT at, value FROM reading ORDER BY at").fetchall()


def test_every_reading_is_stored_once_over_a_kill_and_a_cut(tmp_path: Path) -> None:
    with Site(tmp_path, {"pond-1": {}}, files=FILES, heap="224K") as site:

        def at_least(count: float) -> Any:
            return until(lambda: max((row[1] for row in stored(tmp_path)), default=0) >= count)

        at_least(2)
        site.backend.kill()
        site.proxy.drop()
        assert site.start_backend()
        at_least(stored(tmp_path)[-1][1] + 3)
        rows = stored(tmp_path)
        (shown,) = site.api.get("boards/pond-1/sensors")["sensors"]
        (series,) = site.api.get("boards/pond-1/readings?points=2000")["series"]
    rows.sort(key=lambda row: row[1])
    counts = [count for _, count in rows]
    assert counts == list(range(int(counts[0]), int(counts[-1]) + 1)) and counts[0] <= 2
    timed = [at for at, _ in rows[2:]]  # the first may have come before the board knew the time
    assert all(0 < later - at <= 3_000 for at, later in itertools.pairwise(timed)), timed
    assert shown["unit"] == series["unit"] == "times" and shown["value"] >= counts[-1]
    assert sum(bucket["count"] for bucket in series["buckets"]) >= len(counts)
