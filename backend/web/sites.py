"""Sites over HTTP. Everybody sees those they have a role at; administrators change them."""

from typing import Any

from protocol.fields import boolean, identifier

from backend.delivery.writer import now_ms
from backend.errors import NotFound
from backend.fleet import sites
from backend.people.access import ADMIN, VIEWER, may, require
from backend.people.audit import Noted, noted
from backend.service import Backend
from backend.web import render
from backend.web.http import NO_MEMBERS, Answer, Call, Members, an_object, text
from backend.web.routes import API, Route

_VALUES = {
    "name": text(64),
    "owner": text(64),
    "programme": text(64),
    "timezone": text(64),
    "wake_cron": text(100),
    "private": boolean,
    "settings": an_object,
}
_NEW = Members({"id": identifier}, _VALUES)
_CHANGE = Members({}, _VALUES)


def at_site(call: Call, role: str, site_id: str) -> dict[str, Any]:
    """The site, for somebody who has this role there. Raises NotFound, Forbidden."""
    nothing = NotFound("unknown_site", "site", f"there is no site {site_id!r}")
    found = sites.public(sites.get(site_id))
    require(call.who, role, site_id, nothing)
    return found


def above_sites(call: Call) -> None:
    """Raises Forbidden for all but administrators of everything."""
    require(call.who, ADMIN, None, NotFound("unknown_site", "site", "there is no such site"))


class SiteRoutes:
    """`/sites`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("GET", f"{API}/sites", self.list),
            Route("POST", f"{API}/sites", self.create),
            Route("GET", f"{API}/sites/<site_id>", self.show),
            Route("PATCH", f"{API}/sites/<site_id>", self.change),
            Route("DELETE", f"{API}/sites/<site_id>", self.delete),
        ]

    def list(self, call: Call) -> Answer:
        """The sites one has a role at, by name."""
        mine = [row for row in sites.everything() if may(call.who, VIEWER, row["id"])]
        return Answer({"sites": [render.site(row) for row in mine]})

    def show(self, call: Call, site_id: str) -> Answer:
        """One site."""
        return Answer(render.site(at_site(call, VIEWER, site_id)))

    def create(self, call: Call) -> Answer:
        """201 with a new site."""
        above_sites(call)
        values = dict(call.body(_NEW))
        site_id = values.pop("id")
        with noted(call.actor, "site.add", site_id, values):
            sites.create(site_id, values, now_ms())
        self._tell()
        made = render.site(sites.public(sites.get(site_id)))
        return Answer(made, 201, {"Location": f"{API}/sites/{site_id}"})

    def change(self, call: Call, site_id: str) -> Answer:
        """The site with other values; boards that sleep are told of other wake times."""
        at_site(call, ADMIN, site_id)
        values = call.body(_CHANGE)
        wish = Noted(sites.Change(site_id, values), call.actor, "site.change", site_id, values)
        changed = self._backend.perform(wish)
        self._tell()
        return Answer(render.site(changed))

    def delete(self, call: Call, site_id: str) -> Answer:
        """Delete a site that has no boards."""
        at_site(call, ADMIN, site_id)
        above_sites(call)
        call.body(NO_MEMBERS, empty=True)
        with noted(call.actor, "site.delete", site_id):
            sites.delete(site_id)
        self._backend.boards_changed()
        self._backend.connections_changed()
        self._tell()
        return Answer(None, 204)

    def _tell(self) -> None:
        """Which ones is for each to ask, by what they may see."""
        self._backend.events.publish([(None, "sites", {})])
