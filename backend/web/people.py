"""Users and memberships, and what was done to them.

Administrators look after everybody; whoever is admin at a site, after who belongs to that site.
"""

from protocol.fields import boolean

from backend.errors import Forbidden
from backend.people import audit
from backend.people import users as people
from backend.people.access import ADMIN, require, require_admin, role_at, sites_with
from backend.people.accounts import Accounts
from backend.people.credentials import ADMINISTER
from backend.people.users import People
from backend.service import Backend
from backend.web import render
from backend.web.http import (
    NO_MEMBERS,
    Answer,
    Call,
    Members,
    Problem,
    read_number,
    read_text,
    text,
)
from backend.web.routes import API, Route

PAGE = 50
_NEW = Members({"name": text(64), "role": text(16), "password": text(200)}, {})
_CHANGE = Members({}, {"role": text(16), "disabled": boolean, "password": text(200)})
_MEMBER = Members({}, {"role": text(16)})
_FILTERS = {
    "user": read_text,
    "action": read_text,
    "subject": read_text,
    "before": read_number(1, 1 << 53),
    "limit": read_number(1, audit.PAGE_MAX),
}


class PeopleRoutes:
    """`/users`."""

    def __init__(self, accounts: Accounts, backend: Backend) -> None:
        self._people = People(accounts)
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        users, member = f"{API}/users", f"{API}/users/<name>/sites/<site>"
        return [
            Route("GET", users, self.list, scope=ADMINISTER),
            Route("POST", users, self.add),
            Route("GET", f"{users}/<name>", self.show, scope=ADMINISTER),
            Route("PATCH", f"{users}/<name>", self.change),
            Route("DELETE", f"{users}/<name>", self.remove),
            Route("DELETE", f"{users}/<name>/sessions", self.sign_out),
            Route("PUT", member, self.join),
            Route("DELETE", member, self.leave),
        ]

    def list(self, call: Call) -> Answer:
        """Everybody; for the admin of a site, who belongs to it."""
        sites = sites_with(call.who, ADMIN)
        if sites == []:
            raise Forbidden("forbidden", "", "you must be admin, here or at a site, for this")
        return Answer({"users": [render.user(row) for row in people.all_users(sites)]})

    def show(self, call: Call, name: str) -> Answer:
        """One user."""
        if name != call.who.user:
            require_admin(call.who)
        return Answer(render.user(people.one(name)))

    def add(self, call: Call) -> Answer:
        """A new user."""
        require_admin(call.who)
        asked = call.body(_NEW)
        name = asked["name"]
        self._people.add(call.actor, name, asked["role"], asked["password"])
        location = {"Location": f"{API}/users/{name}"}
        return Answer(render.user(people.one(name)), 201, location)

    def change(self, call: Call, name: str) -> Answer:
        """Another role or password, or disabled; what is not given stays."""
        require_admin(call.who)
        asked = call.body(_CHANGE)
        if len(asked) != 1:
            message = "give one of role, disabled and password: each is a change of its own"
            raise Problem(400, "bad_parameter", message)
        if "password" in asked:
            self._people.set_password(call.actor, name, asked["password"])
        else:
            self._people.change(call.actor, name, **asked)
        self._look_again()
        return Answer(render.user(people.one(name)))

    def remove(self, call: Call, name: str) -> Answer:
        """Delete a user."""
        require_admin(call.who)
        call.body(NO_MEMBERS, empty=True)
        self._people.remove(call.actor, name)
        self._look_again()
        return Answer(None, 204)

    def sign_out(self, call: Call, name: str) -> Answer:
        """End every session and JWT of a user; of oneself, or as administrator."""
        if name != call.who.user:
            require_admin(call.who)
        call.body(NO_MEMBERS, empty=True)
        self._people.sign_out(call.actor, name)
        self._look_again()
        return Answer(None, 204)

    def join(self, call: Call, name: str, site: str) -> Answer:
        """Give a user a role at a site."""
        self._require_site(call, site)
        role = call.body(_MEMBER, empty=True).get("role")
        self._people.join(call.actor, name, site, role)
        self._look_again()
        return Answer({"user": name, "site": site, "role": people.one(name)["sites"][site]})

    def leave(self, call: Call, name: str, site: str) -> Answer:
        """Take it away."""
        self._require_site(call, site)
        call.body(NO_MEMBERS, empty=True)
        self._people.leave(call.actor, name, site)
        self._look_again()
        return Answer(None, 204)

    def _look_again(self) -> None:
        """Wake every stream: each looks who its watcher is now, see `stream`."""
        self._backend.events.publish([(None, "sites", {})])

    @staticmethod
    def _require_site(call: Call, site: str) -> None:
        """Raises NotFound or Forbidden unless whoever asks is admin at a site that there is."""
        if role_at(call.who, site) != ADMIN:
            people.found_site(site)
        require(call.who, ADMIN, site, people.no_site(site))


class AuditRoutes:
    """`/audit`."""

    def routes(self) -> list[Route]:
        """What is served."""
        return [Route("GET", f"{API}/audit", self.list, query=_FILTERS, scope=ADMINISTER)]

    def list(self, call: Call) -> Answer:
        """What was done, newest first; `next` is what to give as `before` for more, or null."""
        require_admin(call.who)
        limit = call.query.pop("limit", PAGE)
        rows = audit.find(**call.query, limit=limit + 1)
        following = rows[limit - 1]["id"] if len(rows) > limit else None
        shown = [render.audit_entry(row) for row in rows[:limit]]
        return Answer({"entries": shown, "next": following})
