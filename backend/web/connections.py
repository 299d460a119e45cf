"""Sites' connections to their brokers: see, set, start, stop, and what has become of them."""

from typing import Any
from urllib.parse import urlencode

from protocol.fields import boolean

from backend.brokers import connections
from backend.brokers.address import CA_LENGTH, TEXT_LENGTH
from backend.brokers.connections import PAGE_MAX
from backend.database.models import Site
from backend.delivery.writer import now_ms
from backend.errors import NotFound
from backend.people.access import ADMIN, may, require
from backend.people.audit import noted
from backend.service import Backend
from backend.web import render
from backend.web.http import (
    NO_MEMBERS,
    Answer,
    Call,
    Check,
    Members,
    read_number,
    text,
    whole_number,
)
from backend.web.routes import API, Route

PAGE = 50
_CONNECTION = f"{API}/sites/<site>/connection"


def _maybe_text(limit: int) -> Check:
    """Text that may be empty."""
    full = text(limit)
    return lambda value: None if value == "" else full(value)


_WANTED = Members(
    {"host": text(253), "port": whole_number},
    {
        "username": _maybe_text(TEXT_LENGTH),
        "password": _maybe_text(TEXT_LENGTH),
        "tls": boolean,
        "ca": _maybe_text(CA_LENGTH),
        "is_active": boolean,
    },
)
_LOG_QUERY = {"before": read_number(1, 1 << 53), "limit": read_number(1, PAGE_MAX)}


class ConnectionRoutes:
    """`/connections` and `/sites/…/connection`; all for administrators of the site."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("GET", f"{API}/connections", self.list),
            Route("GET", _CONNECTION, self.show),
            Route("PUT", _CONNECTION, self.put),
            Route("DELETE", _CONNECTION, self.delete),
            Route("POST", f"{_CONNECTION}/start", self.start),
            Route("POST", f"{_CONNECTION}/stop", self.stop),
            Route("GET", f"{_CONNECTION}/log", self.log, query=_LOG_QUERY),
        ]

    def list(self, call: Call) -> Answer:
        """The connections of the sites that one administers, and which of these have none."""
        rows = [row for row in connections.find_all() if may(call.who, ADMIN, row["site"])]
        taken = connections.sites()
        names = [row.id for row in Site.select(Site.id).order_by(Site.id)]
        free = [name for name in names if name not in taken and may(call.who, ADMIN, name)]
        return Answer({"connections": [render.connection(row) for row in rows], "without": free})

    def show(self, call: Call, site: str) -> Answer:
        """One; never with its password."""
        _check(call, site)
        return Answer(render.connection(connections.find(site)))

    def put(self, call: Call, site: str) -> Answer:
        """Make or change one; where it is active, it connects anew."""
        _check(call, site)
        asked = call.body(_WANTED)
        names = {"changed": ", ".join(sorted(asked))}  # not their values: one is a password
        with noted(call.actor, "connection.put", site, names):
            shown, made = connections.save(site, asked, now_ms())
        self._backend.connections_changed()
        return Answer(render.connection(shown), 201 if made else 200)

    def delete(self, call: Call, site: str) -> Answer:
        """Forget one; the site's boards use the default connection from now on."""
        _check(call, site)
        call.body(NO_MEMBERS, empty=True)
        with noted(call.actor, "connection.delete", site):
            connections.remove(site)
        self._backend.connections_changed()
        return Answer(None, 204)

    def start(self, call: Call, site: str) -> Answer:
        """Have it connected: 202 with its status as it still is; 200 where that is wanted."""
        return self._set_active(call, site, True)

    def stop(self, call: Call, site: str) -> Answer:
        """Have it disconnected; as `start`."""
        return self._set_active(call, site, False)

    def log(self, call: Call, site: str) -> Answer:
        """What has become of it, newest first."""
        _check(call, site)
        limit = call.query.get("limit", PAGE)
        rows = connections.log_page(site, call.query.get("before"), limit)
        more = urlencode({"before": rows[-1]["id"], "limit": limit}) if rows else ""
        following = f"{API}/sites/{site}/connection/log?{more}" if len(rows) == limit else None
        entries = [{**row, "timestamp": render.rfc3339(row["timestamp"])} for row in rows]
        return Answer({"entries": entries, "next": following})

    def _set_active(self, call: Call, site: str, active: bool) -> Answer:
        _check(call, site)
        call.body(NO_MEMBERS, empty=True)
        action = "connection.start" if active else "connection.stop"
        with noted(call.actor, action, site):
            shown, changed = connections.set_active(site, active, call.who.user, now_ms())
        if changed:
            self._backend.connections_changed()
        return Answer(render.connection(shown), 202 if changed else 200)


def _check(call: Call, site: str) -> None:
    """Raises NotFound where there is no such site, or none for this caller; Forbidden."""
    hidden = NotFound("unknown_site", "site", f"there is no site {site[:64]!r}")
    if not Site.select().where(Site.id == site).exists():
        raise hidden
    require(call.who, ADMIN, site, hidden)


def visible(who: Any, told: dict[str, Any]) -> dict[str, Any]:
    """Of a health report: what is told of each site's connection, where somebody may see it."""
    mine = {site: one for site, one in told["connections"].items() if may(who, ADMIN, site)}
    return {**told, "connections": mine}
