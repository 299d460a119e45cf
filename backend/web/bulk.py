"""Runs over HTTP: the same command to many boards, its progress, and what is left of it."""

from protocol.fields import identifier

from backend.errors import NotFound
from backend.people.access import OPERATOR, VIEWER, require, sites_with
from backend.people.credentials import COMMAND
from backend.schedules import records
from backend.schedules.records import no_run
from backend.schedules.rules import Bulk, Steering
from backend.service import Backend
from backend.web import render
from backend.web.http import NO_MEMBERS, Answer, Call, Members, read_number, read_text, text
from backend.web.routes import API, Route
from backend.web.schedules import ACTION, PAGE, PAGE_MAX, PAGES, or_null, site_of

_NEW = Members(
    {"command_type": text(64)}, {"site": or_null(identifier), "reason": text(200), **ACTION}
)
_ROWS = {
    "after": read_number(0, 1 << 53),
    "limit": read_number(1, PAGE_MAX),
    "status": read_text,
}


class BulkRoutes:
    """`/bulk`: what somebody asked for; the runs of schedules are shown and steered here, too."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        one = f"{API}/bulk/<run_id>"
        return [
            Route("GET", f"{API}/bulk", self.list, query=PAGES),
            Route("POST", f"{API}/bulk", self.create, scope=COMMAND),
            Route("GET", one, self.show),
            Route("GET", f"{one}/boards", self.boards, query=_ROWS),
            Route("POST", f"{one}/cancel", self.cancel, scope=COMMAND),
            Route("POST", f"{one}/pause", self.pause, scope=COMMAND),
            Route("POST", f"{one}/resume", self.resume, scope=COMMAND),
        ]

    def list(self, call: Call) -> Answer:
        """What somebody asked for at one's sites, newest first."""
        sites = sites_with(call.who, VIEWER)
        rows = records.runs(call.query.get("limit", PAGE), call.query.get("before"), sites=sites)
        return Answer({"runs": [render.run(row) for row in rows]})

    def create(self, call: Call) -> Answer:
        """202 once it is durable. The same Idempotency-Key gets the same run."""
        asked = call.body(_NEW)
        if site := site_of(self._backend, call, OPERATOR, asked):
            asked["site"] = site
        wish = Bulk(asked, *call.actor, call.header("IDEMPOTENCY_KEY"))
        return self._accepted(self._backend.perform(wish))

    def show(self, call: Call, run_id: str) -> Answer:
        """A run: how many boards are in which status."""
        return Answer(render.run(records.run(at_run(call, VIEWER, run_id))))

    def boards(self, call: Call, run_id: str) -> Answer:
        """The boards of a run, in the order of their turns."""
        number, query = at_run(call, VIEWER, run_id), call.query
        limit, after = query.get("limit", PAGE_MAX), query.get("after", -1)
        return Answer({"boards": records.boards_of(number, limit, after, query.get("status", ""))})

    def cancel(self, call: Call, run_id: str) -> Answer:
        """Call off what was not sent."""
        return self._steer(call, run_id, "cancel")

    def pause(self, call: Call, run_id: str) -> Answer:
        """Hold back the boards that wait for their turn."""
        return self._steer(call, run_id, "pause")

    def resume(self, call: Call, run_id: str) -> Answer:
        """Go on with them."""
        return self._steer(call, run_id, "resume")

    def _steer(self, call: Call, run_id: str, what: str) -> Answer:
        number = at_run(call, OPERATOR, run_id)
        call.body(NO_MEMBERS, empty=True)
        self._backend.perform(Steering(number, what, call.who.user))
        return self._accepted(number)

    @staticmethod
    def _accepted(run_id: int) -> Answer:
        shown = render.run(records.run(run_id))
        return Answer(shown, 202, {"Location": f"{API}/bulk/{run_id}"})


def at_run(call: Call, role: str, run_id: str) -> int:
    """The number of a run, for somebody who has this role at its site. Raises NotFound,
    Forbidden.
    """
    number = int(run_id) if run_id.isascii() and run_id.isdigit() else 0
    try:
        site = records.run(min(number, 1 << 53))["site"]
    except NotFound:
        raise no_run(run_id[:64]) from None
    require(call.who, role, site, no_run(run_id[:64]))
    return number
