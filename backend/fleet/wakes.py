"""When boards that sleep are to wake: their site's cron, in the site's own time.

Rules of this file:
- a board is told an absolute time and how long after it the following wake is, so an order that
  reaches it late is still right;
- whenever such a board has started anew, it is told again: a power cut makes it forget;
- `next_wake_at` goes on when the board has come, or has left after it was due. One that is past
  and stays so is of a board that is missing.
Times are ms since 1970 (UTC) unless they are a cron's. Between 2 and 3 on the night that summer
time begins, a cron's hour falls on 3; on the night it ends, on the first of the two.
"""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from protocol.limits import COMMAND_LIFE_MAX

from backend.database.models import Board, Site
from backend.delivery.queueing import SYSTEM, queue, take_back, waiting, wanted
from backend.delivery.work import Work
from backend.errors import Invalid
from backend.fleet.presence import Presence

log = logging.getLogger(__name__)

SCHEDULE = "set_wake_schedule"


def check_cron(text: str) -> None:
    """Raises Invalid for what is no cron expression of five fields that ever comes."""
    if text and len(text.split()) != 5:
        reason = (
            "must have five fields: minute, hour, day, month, weekday (0 8 * * *), or be empty"
        )
        raise Invalid("bad_parameter", "wake_cron", reason)
    try:
        if text:
            next(CronSim(text, datetime.now(UTC)))
    except (CronSimError, StopIteration) as why:
        reason = f"is no cron expression that ever comes ({why}); use one like 0 8 * * *"
        raise Invalid("bad_parameter", "wake_cron", reason) from None


def check_timezone(name: str) -> None:
    """Raises Invalid for what is no time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder of them
        reason = "is unknown; use an IANA name such as Europe/Rome, or UTC"
        raise Invalid("bad_parameter", "timezone", reason) from None


def after(site: Site, at: int) -> Iterator[int]:
    """The times of a site's cron after `at`, one by one; none where it has no cron."""
    if not site.wake_cron:
        return
    try:
        start = datetime.fromtimestamp(at / 1000, ZoneInfo(site.timezone))
        times = CronSim(site.wake_cron, start)
    except (CronSimError, KeyError, ValueError, OSError) as why:  # zones come and go with systems
        log.error("the site %s has no wake times: %s; correct its cron or zone", site.id, why)
        return
    for time in times:
        yield int(time.timestamp()) * 1000


def next_wake(site: Site, sleeps: bool, at: int) -> int | None:
    """When a board of this site is to wake next after `at`, or None."""
    return next(after(site, at), None) if sleeps else None


def schedule(site: Site, at: int) -> dict[str, int]:
    """The parameters of the order that lets a board wake by the site's cron; {} without one."""
    times = after(site, at)
    first = next(times, None)
    if first is None:
        return {}
    gap = (next(times, first + 1000 * COMMAND_LIFE_MAX) - first) // 1000
    return {"seconds": min(gap, COMMAND_LIFE_MAX), "wake_at": first // 1000}


def woke(work: Work, board: Presence) -> None:
    """A board has come: set when it is to wake next, and tell it where that is not under way."""
    site = _site_of(board)
    if site is None:
        return
    _go_on(work, board, site)
    orders = [row for row in waiting(work, board.board_id) if row["command_type"] == SCHEDULE]
    if any(_still_right(work, row["parameters"]) for row in orders if row["user"] == SYSTEM):
        return
    take_back(work, board.board_id, SCHEDULE)
    order, key = schedule(site, work.now), f"wake-{board.board_id}-{board.boot}"[:128]
    if order:
        queue(work, [wanted(board.board_id, SCHEDULE, order, key)])


def left(work: Work, board: Presence) -> None:
    """A board has gone: if it was due, that was kept, and the next time is set."""
    site = _site_of(board)
    if site is not None:
        _go_on(work, board, site)


def _still_right(work: Work, parameters: str) -> bool:
    return bool(json.loads(parameters).get("wake_at", 0) * 1000 > work.now)


def _go_on(work: Work, board: Presence, site: Site) -> None:
    if board.next_wake_at is None or board.next_wake_at <= work.now:
        board.next_wake_at = next_wake(site, True, work.now)
        Board.update(next_wake_at=board.next_wake_at).where(Board.id == board.board_id).execute()


def _site_of(board: Presence) -> Site | None:
    """The site of a board that sleeps by its cron, or None."""
    if not board.sleeps or board.site is None:
        return None
    found = Site.get_or_none((Site.id == board.site) & (Site.wake_cron != ""))
    return found if isinstance(found, Site) else None
