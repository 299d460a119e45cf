"""Sites: places with boards, which inherit owner, programme, wake times and settings from them.

Rules of this file:
- what a site gives to a board it gives when the board is mapped; only the wake times follow later
  changes, and boards that sleep are told of them;
- a site with boards can't be deleted; with it go the roles that people have there, schedules and
  scenes; what was played and rolled out there belongs to no site then, not to one made anew;
- each change is one transaction.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from peewee import fn
from protocol.topics import is_id
from protocol.verbs import check_parameters

from backend.database.models import ACTIVE, RETIRED, Board, Site, as_rows, database
from backend.delivery.queueing import queue, take_back, wanted
from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.errors import Conflict, Invalid, NotFound
from backend.fleet import boards, wakes
from backend.people.credentials import Membership
from backend.rollouts.rows import Rollout
from backend.scenes.rows import GOING, Scene, SceneRun
from backend.schedules.models import Schedule

Values = dict[str, Any]


def get(site_id: str) -> Site:
    """A site's row. Raises NotFound."""
    found = Site.get_or_none(Site.id == site_id)
    if not isinstance(found, Site):
        raise NotFound("unknown_site", "site", f"there is no site {site_id!r}")
    return found


def create(site_id: str, values: Values, now: int) -> None:
    """Make a site; `values` are columns by name. Raises Invalid, Conflict."""
    if not is_id(site_id):
        raise Invalid("malformed", "id", "must be 1 to 64 of A-Z a-z 0-9 _ -")
    values = _checked({"name": site_id, **values})
    with database.atomic("IMMEDIATE"):
        if Site.get_or_none(Site.id == site_id):
            raise Conflict("exists", "id", f"there is a site {site_id!r} already")
        Site.insert({"id": site_id, "created_at": now, **values}).execute()


def delete(site_id: str) -> None:
    """Delete a site that has no boards; retired ones belong to none then. Raises NotFound,
    Conflict.
    """
    with database.atomic("IMMEDIATE"):
        get(site_id)
        there = (Board.site == site_id) & (Board.state != RETIRED)
        count = Board.select().where(there).count()
        if count:
            reason = f"has {count} boards; move or retire them first"
            raise Conflict("not_empty", "site", reason)
        if (
            SceneRun.select()
            .where((SceneRun.site == site_id) & (SceneRun.status << GOING))
            .exists()
        ):
            raise Conflict("in_use", "site", "a scene is being played there; stop it first")
        for row in list(Board.select(Board.id).where(Board.site == site_id)):
            boards.change(row.id, site=None)
        Membership.delete().where(Membership.site == site_id).execute()
        for table in (Schedule, Scene):
            table.delete().where(table.site == site_id).execute()
        for kept in (SceneRun, Rollout):
            kept.update(site=None).where(kept.site == site_id).execute()
        Site.delete().where(Site.id == site_id).execute()


@dataclass(frozen=True)
class Change:
    """The wish that a site have other values."""

    site_id: str
    values: Values

    def __call__(self, work: Work) -> Values:
        """The site as it is then. Raises NotFound, Invalid."""
        before, values = get(self.site_id), _checked(self.values)
        if values:
            Site.update(values).where(Site.id == self.site_id).execute()
        site = get(self.site_id)
        if (before.wake_cron, before.timezone) != (site.wake_cron, site.timezone):
            _tell_sleepers(work, site)
            work.parts.schedules.reckon_anew()
        return public(site)


def _tell_sleepers(work: Work, site: Site) -> None:
    sleepers = (Board.site == site.id) & Board.sleeps & (Board.state == ACTIVE)
    orders = []
    for row in list(Board.select().where(sleepers)):
        boards.change(row.id, next_wake_at=wakes.next_wake(site, True, work.now))
        take_back(work, row.id, wakes.SCHEDULE)
        order = wakes.schedule(site, work.now)
        if order and DIALECTS[row.dialect].exact:  # others are told when they go to sleep
            key = f"site-{row.id}-{boards.revision()}"
            orders.append(wanted(row.id, wakes.SCHEDULE, order, key))
    queue(work, orders)


def public(site: Site, count: int | None = None) -> Values:
    """A site as the API shows it; `created_at` is ms, `boards` how many are there, but retired."""
    if count is None:
        count = _counts(Board.site == site.id).get(site.id, 0)
    names = ("id", "name", "owner", "programme", "timezone", "wake_cron", "private", "created_at")
    shown = {name: getattr(site, name) for name in names}
    return {**shown, "settings": json.loads(site.settings), "boards": count}


def everything() -> list[Values]:
    """All sites, by name."""
    counts = _counts(Board.site.is_null(False))
    return [public(site, counts.get(site.id, 0)) for site in Site.select().order_by(Site.name)]


def _counts(where: Any) -> dict[str, int]:
    rows = Board.select(Board.site, fn.COUNT(Board.id).alias("there"))
    grouped = rows.where(where & (Board.state != RETIRED)).group_by(Board.site)
    return {row["site"]: row["there"] for row in as_rows(grouped)}


def _checked(values: Values) -> Values:
    """The columns of these values. Raises Invalid naming the field."""
    for name, check in _CHECKS.items():
        if name in values:
            check(values[name])
    if "settings" in values:
        return {**values, "settings": json.dumps(values["settings"])}
    return dict(values)


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise Invalid("bad_parameter", "name", "must be printable text")


def _check_settings(settings: Values) -> None:
    """Raises Invalid where no board could take them. Secrets are no matter of a site."""
    secret = [name for name in settings if name.endswith("password") or name == "key"]
    if secret:
        reason = f"must not hold the secret {secret[0]!r}: give it to each board by provisioning"
        raise Invalid("bad_parameter", "settings", reason)
    if len(settings) > _SETTINGS_MAX:
        raise Invalid("bad_parameter", "settings", f"must be at most {_SETTINGS_MAX}")
    try:
        check_parameters("update_config", settings)
    except ValueError as why:
        raise Invalid("bad_parameter", "settings", f"must be settings of a board: {why}") from None


_SETTINGS_MAX = 16  # what a message has room for
_CHECKS: dict[str, Callable[[Any], None]] = {
    "name": _check_name,
    "timezone": wakes.check_timezone,
    "wake_cron": wakes.check_cron,
    "settings": _check_settings,
}
