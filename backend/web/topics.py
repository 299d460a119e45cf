"""The topics that were seen, each with its two flags, and what was not understood."""

from typing import Any
from urllib.parse import urlencode

from backend.brokers import parsing
from backend.delivery.commands import PAGE_MAX
from backend.errors import NotFound
from backend.people import access
from backend.service import Backend
from backend.web.commands import PAGE
from backend.web.http import Answer, Call, Check, Members, read_number, read_text, text
from backend.web.render import rfc3339
from backend.web.routes import API, Route


def _flag(value: Any) -> str | None:
    return None if type(value) is bool else "must be true or false"


_topic: Check = text(parsing.TOPIC_CHARACTERS)
_SWITCH = Members({"topic": _topic, "is_active": _flag}, {})
_LIMIT = {"limit": read_number(1, PAGE_MAX)}


class TopicRoutes:
    """`/topics` and `/parsing-log`, for administrators: what is said there is of every site."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        failures = {"topic": read_text, "before": read_number(1, 1 << 53), **_LIMIT}
        return [
            Route("GET", f"{API}/topics", self.list, query={"after": read_text, **_LIMIT}),
            Route("PATCH", f"{API}/topics", self.switch),
            Route("GET", f"{API}/parsing-log", self.failures, query=failures),
        ]

    def list(self, call: Call) -> Answer:
        """Topics by name; `not_counted`: messages on topics there was no room for."""
        _for_administrators(call)
        limit = call.query.get("limit", PAGE)
        found, beyond = self._backend.topics(limit, call.query.get("after", ""))
        following = {"after": found[-1]["topic"], "limit": limit} if len(found) == limit else None
        body = {"topics": [_dated(row, "first_at", "last_at") for row in found]}
        return Answer({**body, "not_counted": beyond, "next": _next("topics", following)})

    def switch(self, call: Call) -> Answer:
        """A topic is processed from now on, or is not; what it is now."""
        _for_administrators(call)
        asked = call.body(_SWITCH)
        row = self._backend.switch_topic(asked["topic"], asked["is_active"])
        return Answer(_dated(row, "first_at", "last_at"))

    def failures(self, call: Call) -> Answer:
        """What was not understood; `not_kept`: how many more there were, in a flood."""
        _for_administrators(call)
        query = {"limit": PAGE, **call.query}
        found = parsing.find(**query)
        following = {**query, "before": found[-1]["id"]} if len(found) == query["limit"] else None
        body = {"failures": [_dated(row, "at") for row in found]}
        beyond = self._backend.failures_not_kept()
        return Answer({**body, "not_kept": beyond, "next": _next("parsing-log", following)})


def _for_administrators(call: Call) -> None:
    access.require(
        call.who, access.ADMIN, None, NotFound("not_found", "", "there is no such thing")
    )


def _next(name: str, query: dict[str, Any] | None) -> str | None:
    return f"{API}/{name}?{urlencode(query)}" if query else None


def _dated(row: dict[str, Any], *times: str) -> dict[str, Any]:
    return {**row, **{name: rfc3339(row[name]) for name in times}}
