"""How the backend is: whether all of its parts work, and how much is under way."""

import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from backend.brokers import connections
from backend.brokers.links import DEFAULT, Links
from backend.brokers.reconciler import Reconciler
from backend.database.models import ACTIVE, OPEN_SQL, PENDING_MAPPING, database
from backend.delivery.core import Core
from backend.delivery.lifecycle import OPEN
from backend.delivery.writer import Writer


class Health:
    """Asks the parts. `broker_url`: of the default link."""

    def __init__(
        self, core: Core, writer: Writer, links: Links, reconciler: Reconciler, broker_url: str
    ) -> None:
        self._core, self._writer, self._links, self._reconciler = core, writer, links, reconciler
        self._broker, self._started = urlsplit(broker_url), time.monotonic()

    def good(self) -> bool:
        """Whether all parts work, sites' own connections aside; costs nothing."""
        alive = self._writer.is_alive() and self._reconciler.is_alive()
        link = self._links.get(DEFAULT)
        return alive and link is not None and link.connected

    def short(self) -> dict[str, Any]:
        """What anybody may know: whether all parts work, and since when. Costs nothing."""
        return {
            "status": "healthy" if self.good() else "degraded",
            "mqtt": {"connected": self._links.health(DEFAULT)["connected"]},
            "commandQueue": {"running": self._writer.is_alive()},
            "uptime": int(time.monotonic() - self._started),
        }

    def full(self) -> dict[str, Any]:
        """That, and how much is under way."""
        cursor = database.execute_sql(
            f"SELECT status, COUNT(*) FROM command WHERE {OPEN_SQL} GROUP BY status"
        )
        counts, short = dict(cursor.fetchall()), self.short()
        broker = {"host": self._broker.hostname, "port": self._broker.port}
        # Nothing is polled: the queue moves with each command and each answer.
        queue = {**short["commandQueue"], "pollInterval": 0, "waiting": self._writer.waiting}
        return {
            **short,
            "mqtt": {**self._links.health(DEFAULT), **broker},
            "connections": {
                one["site"]: {**self._links.health(one["site"]), "status": one["status"]}
                for one in connections.find_all()
            },
            "commandQueue": queue,
            "commands": {status: counts.get(status, 0) for status in OPEN},
            "alerts": self._core.upkeep.alerts.open,
            "boards": self._boards(),
            "refused": dict(self._core.refused),
        }

    def _boards(self) -> dict[str, int]:
        boards = self._core.roster.all()
        states = Counter(board.state for board in boards)
        online = sum(board.online is True for board in boards)
        return {"online": online, "known": states[ACTIVE], "pending": states[PENDING_MAPPING]}
