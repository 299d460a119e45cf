"""Schedules over HTTP. Viewers of a site look, operators run and pause, administrators make and
change; what is of no site is for administrators of everything.
"""

from typing import Any

from protocol.fields import boolean, identifier, identifier_or_empty

from backend.delivery.writer import now_ms
from backend.errors import NotFound, no_board
from backend.fleet.selection import check_boards
from backend.people.access import ADMIN, OPERATOR, VIEWER, require, sites_with
from backend.people.audit import Noted
from backend.people.credentials import COMMAND, READ
from backend.schedules import records
from backend.schedules.records import no_schedule
from backend.schedules.rules import Change, Creation, Deletion, Enabling, Now
from backend.schedules.timetable import PREVIEW_MAX, checked, preview
from backend.service import Backend
from backend.web import render
from backend.web.http import (
    NO_MEMBERS,
    Answer,
    Call,
    Check,
    Members,
    Problem,
    an_object,
    read_number,
    text,
    whole_number,
)
from backend.web.routes import API, Route
from backend.web.sites import above_sites, at_site

PAGE, PAGE_MAX = 50, 200
PAGES = {"before": read_number(1, 1 << 53), "limit": read_number(1, PAGE_MAX)}


def or_null(check: Check) -> Check:
    """The same check, and null passes."""
    return lambda value: None if value is None else check(value)


# What is done, and to which boards: of schedules and of commands to many boards.
ACTION: dict[str, Check] = {
    "label": or_null(identifier),
    "boards": or_null(check_boards),
    "target": identifier_or_empty,
    "parameters": an_object,
    "expires_in": or_null(whole_number),
    "per_minute": or_null(whole_number),
}
_TIMES: dict[str, Check] = {
    "cron": text(100),
    "at": or_null(text(40)),
    "timezone": text(64),
    "window": an_object,
}
_VALUES: dict[str, Check] = {
    "name": text(64),
    "enabled": boolean,
    "catch_up": text(8),
    "catch_up_s": whole_number,
    "priority": whole_number,
    **ACTION,
    **_TIMES,
}
_NEW = Members({"command_type": text(64)}, {"site": identifier, **_VALUES})
_CHANGE = Members({}, {"command_type": text(64), **_VALUES})
_PREVIEW = Members({}, {"site": identifier, "count": whole_number, **_TIMES})


class ScheduleRoutes:
    """`/schedules`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        one = f"{API}/schedules/<schedule_id>"
        return [
            Route("GET", f"{API}/schedules", self.list),
            Route("POST", f"{API}/schedules", self.create),
            Route("POST", f"{API}/schedules/preview", self.preview, scope=READ),
            Route("GET", one, self.show),
            Route("PATCH", one, self.change),
            Route("DELETE", one, self.delete),
            Route("GET", f"{one}/runs", self.runs, query=PAGES),
            Route("POST", f"{one}/run", self.run, scope=COMMAND),
            Route("POST", f"{one}/pause", self.pause, scope=COMMAND),
            Route("POST", f"{one}/resume", self.resume, scope=COMMAND),
        ]

    def list(self, call: Call) -> Answer:
        """The schedules of the sites one has a role at; what is due first is first."""
        rows = records.schedules(sites_with(call.who, VIEWER))
        return Answer({"schedules": [render.schedule(row) for row in rows]})

    def create(self, call: Call) -> Answer:
        """201 with a new schedule."""
        asked = call.body(_NEW)
        if site := site_of(self._backend, call, ADMIN, asked):
            asked["site"] = site
        wish = Creation(asked, call.who.user)
        subject = asked.get("name", asked["command_type"])
        made = self._backend.perform(Noted(wish, call.actor, "schedule.add", subject, asked))
        shown = render.schedule(records.schedule(made))
        return Answer(shown, 201, {"Location": f"{API}/schedules/{made}"})

    def preview(self, call: Call) -> Answer:
        """The next due times of what is asked for, or what is wrong with it."""
        asked = call.body(_PREVIEW)
        zone = at_site(call, VIEWER, asked["site"])["timezone"] if "site" in asked else "UTC"
        count = min(max(asked.get("count", 5), 1), PREVIEW_MAX)
        shown = preview(checked(asked, zone, now_ms()), zone, now_ms(), count)
        times = [{**one, "at": render.rfc3339(one["at"])} for one in shown["times"]]
        return Answer({**shown, "times": times})

    def show(self, call: Call, schedule_id: str) -> Answer:
        """One schedule."""
        return Answer(render.schedule(records.schedule(at_schedule(call, VIEWER, schedule_id))))

    def change(self, call: Call, schedule_id: str) -> Answer:
        """The schedule with other values; another action calls off what was not sent."""
        number = at_schedule(call, ADMIN, schedule_id)
        asked = call.body(_CHANGE)
        return self._do(call, Change(number, asked, call.who.user), "schedule.change", asked)

    def delete(self, call: Call, schedule_id: str) -> Answer:
        """Delete a schedule; what it has not sent is called off."""
        number = at_schedule(call, ADMIN, schedule_id)
        call.body(NO_MEMBERS, empty=True)
        wish = Deletion(number, call.who.user)
        self._backend.perform(Noted(wish, call.actor, "schedule.delete", schedule_id))
        return Answer(None, 204)

    def runs(self, call: Call, schedule_id: str) -> Answer:
        """What it did, newest first."""
        number = at_schedule(call, VIEWER, schedule_id)
        limit = call.query.get("limit", PAGE)
        rows = records.runs(limit, call.query.get("before"), number)
        return Answer({"runs": [render.run(row) for row in rows]})

    def run(self, call: Call, schedule_id: str) -> Answer:
        """202: it does now what it does, by hand."""
        number = at_schedule(call, OPERATOR, schedule_id)
        call.body(NO_MEMBERS, empty=True)
        user, via, source = call.actor
        run_id = self._backend.perform(Now(number, user, via, source))
        shown = render.run(records.run(run_id))
        return Answer(shown, 202, {"Location": f"{API}/bulk/{run_id}"})

    def pause(self, call: Call, schedule_id: str) -> Answer:
        """Nothing is due until it is resumed; what was not sent is called off."""
        return self._enable(call, schedule_id, False)

    def resume(self, call: Call, schedule_id: str) -> Answer:
        """It goes on with what is due from now on."""
        return self._enable(call, schedule_id, True)

    def _enable(self, call: Call, schedule_id: str, on: bool) -> Answer:
        number = at_schedule(call, OPERATOR, schedule_id)
        call.body(NO_MEMBERS, empty=True)
        action = "schedule.resume" if on else "schedule.pause"
        return self._do(call, Enabling(number, on, call.who.user), action)

    def _do(self, call: Call, wish: Any, action: str, detail: Any = None) -> Answer:
        self._backend.perform(Noted(wish, call.actor, action, str(wish.schedule_id), detail))
        return Answer(render.schedule(records.schedule(wish.schedule_id)))


def at_schedule(call: Call, role: str, schedule_id: str) -> int:
    """The number of a schedule, for somebody who has this role at its site. Raises NotFound,
    Forbidden.
    """
    number = int(schedule_id) if schedule_id.isascii() and schedule_id.isdigit() else 0
    try:
        site = records.row_of(min(number, 1 << 53))["site"]
    except NotFound:
        raise no_schedule(schedule_id[:64]) from None
    require(call.who, role, site, no_schedule(schedule_id[:64]))
    return number


def site_of(backend: Backend, call: Call, role: str, asked: dict[str, Any]) -> str | None:
    """The site within which boards are meant, for somebody who has this role there: the one that
    is named, or the one to which all boards belong that are named; else None, for administrators
    of everything. Raises NotFound, Forbidden, Problem.
    """
    if site := asked.get("site"):
        at_site(call, role, site)
        return str(site)
    found = set()
    for board_id in asked.get("boards") or []:
        found.add(backend.site_of(board_id))
        require(call.who, role, backend.site_of(board_id), no_board(board_id))
    if len(found) == 1 and not asked.get("label"):
        return found.pop()
    if not (asked.get("label") or found):
        raise Problem(400, "bad_parameter", "site must be given, or `label`, or `boards`", "site")
    above_sites(call)
    return None
