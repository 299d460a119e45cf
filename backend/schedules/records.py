"""Schedules and runs as the API shows them, read from the database alone; times are ms."""

import json
from zoneinfo import ZoneInfo

from backend.database.models import Site, as_rows, database
from backend.delivery.masking import masked
from backend.errors import NotFound
from backend.schedules.models import ACTION, POSTED, Run, Schedule
from backend.schedules.times import in_words
from backend.schedules.timetable import BAD_TIMES, Values, local_text

GONE = "GONE"  # the command's time to be kept has ended
_STATUS = f"CASE WHEN b.state != '{POSTED}' THEN b.state ELSE COALESCE(c.status, '{GONE}') END"
_COUNTS = f"""
    SELECT b.run_id, {_STATUS} AS status, COUNT(*) FROM runboard AS b
    LEFT JOIN command AS c ON c.id = b.command_id
    WHERE b.run_id IN (SELECT value FROM json_each(?)) GROUP BY b.run_id, status
"""
_BOARDS = f"""
    SELECT b.number, b.board_id, {_STATUS} AS status, b.command_id,
        CASE WHEN b.error != '' THEN b.error ELSE COALESCE(c.error, '') END
    FROM runboard AS b LEFT JOIN command AS c ON c.id = b.command_id
    WHERE b.run_id = ? AND b.number > ? AND (? = '' OR status = ?) ORDER BY b.number LIMIT ?
"""
_LATEST = """
    SELECT MAX(id) FROM run WHERE schedule IN (SELECT value FROM json_each(?)) GROUP BY schedule
"""


def row_of(schedule_id: int) -> Values:
    """The columns of a schedule. Raises NotFound."""
    found = as_rows(Schedule.select().where(Schedule.id == schedule_id))
    if not found:
        raise no_schedule(schedule_id)
    return found[0]


def no_schedule(schedule_id: object) -> NotFound:
    """What is said of a schedule that there is not, or that is none of somebody's business."""
    return NotFound("unknown_schedule", "schedule_id", f"there is no schedule {schedule_id}")


def no_run(run_id: object) -> NotFound:
    """The same of a run."""
    return NotFound("unknown_run", "run_id", f"there is no run {run_id}")


def schedule(schedule_id: int) -> Values:
    """A schedule with its last run, or None. Raises NotFound."""
    return _shown([row_of(schedule_id)])[0]


def schedules(sites: list[str] | None) -> list[Values]:
    """Those of these sites, or all; what is due first is first."""
    rows = Schedule.select().order_by(Schedule.next_at.is_null(), Schedule.next_at, Schedule.id)
    return _shown(as_rows(rows if sites is None else rows.where(Schedule.site << sites)))


def run(run_id: int) -> Values:
    """A run with `counts`: how many boards by status. Raises NotFound."""
    found = as_rows(Run.select().where(Run.id == run_id))
    if not found:
        raise no_run(run_id)
    return _with_counts(found)[0]


def runs(
    limit: int,
    before: int | None = None,
    schedule_id: int | None = None,
    sites: list[str] | None = None,
) -> list[Values]:
    """Runs of a schedule, or those that somebody asked for, newest first; `before`: an id."""
    rows = Run.select().where(
        Run.schedule.is_null() if schedule_id is None else Run.schedule == schedule_id
    )
    if before is not None:
        rows = rows.where(Run.id < before)
    if sites is not None:
        rows = rows.where(Run.site << sites)
    return _with_counts(as_rows(rows.order_by(Run.id.desc()).limit(limit)))


def boards_of(run_id: int, limit: int, after: int = -1, status: str = "") -> list[Values]:
    """The boards of a run in their order, after a `number`; those of one status, or all."""
    names = ("number", "board_id", "status", "command_id", "error")
    rows = database.execute_sql(_BOARDS, (run_id, after, status, status, limit)).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _with_counts(rows: list[Values]) -> list[Values]:
    counts: dict[int, dict[str, int]] = {row["id"]: {} for row in rows}
    for run_id, status, count in database.execute_sql(_COUNTS, (json.dumps(list(counts)),)):
        counts[run_id][status] = count
    hidden = ("key", "next_at", "selection")
    return [
        {
            **{name: value for name, value in row.items() if name not in hidden},
            **_action(row),
            "counts": counts[row["id"]],
            "total": sum(counts[row["id"]].values()),
        }
        for row in rows
    ]


def _action(row: Values) -> Values:
    """What is done, as the API takes it."""
    chosen = json.loads(row["selection"])
    return {
        **{name: row[name] for name in ACTION if name != "selection"},
        "label": chosen.get("label"),
        "boards": chosen.get("boards"),
        "parameters": masked(row["command_type"], json.loads(row["parameters"])),
    }


def _shown(rows: list[Values]) -> list[Values]:
    sites = as_rows(Site.select(Site.id, Site.timezone))
    zones = {site["id"]: site["timezone"] for site in sites}
    ids = database.execute_sql(_LATEST, (json.dumps([row["id"] for row in rows]),)).fetchall()
    last = _with_counts(as_rows(Run.select().where(Run.id << [one for (one,) in ids])))
    by_schedule = {one["schedule"]: one for one in last}
    return [
        {**_schedule(row, zones.get(row["site"], "UTC")), "last_run": by_schedule.get(row["id"])}
        for row in rows
    ]


def _schedule(row: Values, site_zone: str) -> Values:
    """A schedule; `zone` is the one that it goes by, `next_local` is in it."""
    zone, words, next_local = row["timezone"] or site_zone, "", None
    try:
        words = in_words(row["cron"]) if row["cron"] else "Once"
        next_local = row["next_at"] and local_text(row["next_at"], ZoneInfo(zone))
    except BAD_TIMES:  # shown as it is
        words = row["cron"]
    about = {"window": json.loads(row["window"]), "zone": zone, "words": words}
    kept = {name: value for name, value in row.items() if name != "selection"}
    return {**kept, **_action(row), **about, "next_local": next_local}
