"""How it goes: statistics, the summary, outages, alerts and the message log, over HTTP.

Everybody sees what is of the sites they may look at; what belongs to no site, administrators see.
"""

from typing import Any

from backend.delivery import commands, messages
from backend.delivery.writer import now_ms
from backend.errors import NotFound, no_board, no_command
from backend.fleet import alerts, downtime, stats
from backend.people.access import VIEWER, may, require, sites_with
from backend.service import Backend
from backend.web import render
from backend.web.http import Answer, Call, Reader, read_number, refuse
from backend.web.routes import API, Route

PAGE, PAGE_MAX = 50, 200
HOURS_MAX = 31 * 24
_HOUR_MS = 3_600_000


def _one_of(name: str, value: str) -> str:
    if value not in stats.BY:
        refuse(name, "must be one of " + ", ".join(stats.BY))
    return value


_PAGES: dict[str, Reader] = {
    "before": read_number(1, 1 << 53),
    "limit": read_number(1, PAGE_MAX),
}
_WINDOW: dict[str, Reader] = {"hours": read_number(1, HOURS_MAX)}


class UpkeepRoutes:
    """`/stats`, `/health/summary`, `/alerts`, and a board's downtimes and messages."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        board = f"{API}/boards/<board_id>"
        return [
            Route("GET", f"{API}/stats", self.stats, query={**_WINDOW, "by": _one_of}),
            Route("GET", f"{API}/health/summary", self.summary, query=_WINDOW),
            Route("GET", f"{API}/alerts", self.alerts, query=_PAGES),
            Route("GET", f"{board}/downtimes", self.downtimes, query=_PAGES),
            Route("GET", f"{board}/messages", self.messages, query=_PAGES),
            Route("GET", f"{API}/commands/<command_id>/messages", self.of_command),
        ]

    def stats(self, call: Call) -> Answer:
        """How commands have gone in the last hours, worst first."""
        what, now = call.query.get("by", "board"), now_ms()
        window = call.query.get("hours", 24) * _HOUR_MS
        rows = stats.by(what, now, window, sites_with(call.who, VIEWER))
        return Answer({"by": what, "since": render.rfc3339(now - window), "rows": rows})

    def summary(self, call: Call) -> Answer:
        """How all is: boards, commands of the last hours, and what is wrong just now."""
        now, window = now_ms(), call.query.get("hours", 24) * _HOUR_MS
        seen = [row for row in self._backend.boards() if may(call.who, VIEWER, row["site"])]
        return Answer({
            "status": "healthy" if self._backend.healthy() else "degraded",
            "since": render.rfc3339(now - window),
            "boards": _boards(seen),
            "commands": stats.total(now, window, sites_with(call.who, VIEWER)),
            "alerts": len(self._alerts(call, {"limit": PAGE_MAX}, open_only=True)),
        })  # fmt: skip

    def alerts(self, call: Call) -> Answer:
        """Alerts, open ones first."""
        return Answer({"alerts": self._alerts(call, call.query)})

    def downtimes(self, call: Call, board_id: str) -> Answer:
        """When a board was away, newest first."""
        require(call.who, VIEWER, self._backend.site_of(board_id), no_board(board_id))
        rows = downtime.find(board_id, **_page(call.query))
        return Answer({"downtimes": [render.times(row, "from_at", "until_at") for row in rows]})

    def messages(self, call: Call, board_id: str) -> Answer:
        """What was said to and by a board, newest first."""
        require(call.who, VIEWER, self._backend.site_of(board_id), no_board(board_id))
        rows = messages.of_board(board_id, **_page(call.query))
        return Answer({"messages": [render.times(row, "at") for row in rows]})

    def of_command(self, call: Call, command_id: str) -> Answer:
        """The messages about a command, oldest first."""
        board_id = commands.board_of(command_id)
        try:
            site = self._backend.site_of(board_id)
        except NotFound:  # it is gone, its commands are not
            site = None
        require(call.who, VIEWER, site, no_command(command_id))
        rows = messages.of_command(command_id, PAGE_MAX)
        return Answer({"messages": [render.times(row, "at") for row in rows]})

    def _alerts(
        self, call: Call, query: dict[str, Any], open_only: bool = False
    ) -> list[dict[str, Any]]:
        rows = alerts.find(**_page(query), sites=sites_with(call.who, VIEWER), open_only=open_only)
        return [render.times(row, "since", "until_at") for row in rows]


def _page(query: dict[str, Any]) -> dict[str, Any]:
    return {"limit": query.get("limit", PAGE), "before": query.get("before")}


def _boards(rows: list[dict[str, Any]]) -> dict[str, int]:
    asleep = sum(row["online"] is not True and row["asleep_until"] is not None for row in rows)
    return {
        "known": len(rows),
        "online": sum(row["online"] is True for row in rows),
        "asleep": asleep,
        "offline": sum(row["online"] is False and row["asleep_until"] is None for row in rows),
        "unsure": sum(row["online"] is None and row["asleep_until"] is None for row in rows),
    }
