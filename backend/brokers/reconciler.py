"""Makes sites' connections what their rows say, and the rows say what the connections are.

It looks at once when it is woken (this process has changed a row, a link has something to tell)
and every few seconds anyhow, since other processes change rows as well and links may die. Whatever
goes wrong in a look is logged, and the next look begins afresh.
"""

import functools
import logging
import threading
from collections import deque
from collections.abc import Callable

from backend.brokers import connections
from backend.brokers.address import check
from backend.brokers.links import DEFAULT, Links
from backend.brokers.linkstate import ERROR, Address, Report
from backend.database.models import database
from backend.delivery.events import Event, Hub
from backend.delivery.writer import Writer, now_ms
from backend.errors import Invalid

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
REPORTS_MAX = 1_000  # not yet written down; the oldest are dropped where there are more


class Reconciler(threading.Thread):
    """The one thread that starts and stops links. `period`: seconds between looks, at most."""

    def __init__(
        self, links: Links, writer: Writer, hub: Hub, period: float = LOOK_SECONDS
    ) -> None:
        super().__init__(name="reconciler", daemon=True)
        self._links, self._writer, self._hub, self._period = links, writer, hub, period
        self._own = connections.sites()
        self._wrong: dict[str, Address] = {}  # what a row holds and can't be connected to
        self._woken = threading.Event()
        self._stopping = False
        self._reports: deque[tuple[str, Report, int]] = deque(maxlen=REPORTS_MAX)
        links.on_report = self.note

    def wake(self) -> None:
        """Have it look now."""
        self._woken.set()

    def note(self, name: str, report: Report) -> None:
        """Take in what a link has to tell. From any thread."""
        if name != DEFAULT:
            self._reports.append((name, report, now_ms()))
            self._woken.set()

    def stop(self) -> None:
        """End; the links stay as they are."""
        self._stopping = True
        self._woken.set()

    def run(self) -> None:
        """The thread."""
        self._safely(lambda: connections.forget_statuses(now_ms()))
        while not self._stopping:
            self._safely(self.look)
            self._safely(self.write_down)
            self._woken.wait(self._period)
            self._woken.clear()
        self._safely(lambda: connections.forget_statuses(now_ms()))
        database.close()

    def look(self) -> None:
        """Compare what is wanted with what is, and make it so."""
        wanted = connections.wanted()
        own = frozenset(wanted)
        if own != self._own:  # before a link can bring a message
            self._writer.route(own)
            self._own = own
        wanted[DEFAULT] = self._links.default
        for name in self._links.names():
            if name not in wanted:
                self._links.close(name)
        for name, address in wanted.items():
            self._safely(functools.partial(self._set, name, address))

    def write_down(self) -> None:
        """Put what links have told into the database, and tell who watches."""
        taken = list(self._reports)
        if not taken:
            return
        with database.atomic("IMMEDIATE"):
            shown = [connections.record(*told) for told in taken]
        for told in taken:
            if self._reports and self._reports[0] is told:
                self._reports.popleft()
        events: list[Event] = [(None, "connection", one) for one in shown if one]
        if events and self._hub.watched:
            self._hub.publish(events)

    def _set(self, name: str, address: Address | None) -> None:
        link = self._links.get(name)
        if link is not None and not link.alive:
            log.error("the thread of the link to %s has ended; starting it again", link.address)
        if address is None:
            self._links.close(name)
        elif link is None or not link.alive or link.address != address:
            self._open(name, address)

    def _open(self, name: str, address: Address) -> None:
        """Begin a link, unless its row holds what nobody could have entered here: say it once."""
        if self._wrong.get(name) == address:
            return
        self._wrong.pop(name, None)
        try:
            check(address)
        except Invalid as why:
            self._wrong[name] = address
            self._links.close(name)
            self.note(name, Report(ERROR, f"{why}; correct the connection of the site {name}"))
        else:
            self._links.open(name, address)

    def _safely(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # whatever it is: connections that work are not to suffer from it
            log.exception("the reconciler goes on after an error")
