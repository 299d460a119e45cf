"""The links of this process: the default one and one for each site with a connection of its own.

Whoever starts and stops them is one thread (the reconciler); publishing, acknowledging and asking
how they are may be done from any.
"""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from backend.brokers.linkstate import CAP_SECONDS, Address, Report
from backend.brokers.mqtt import Link, Receipt
from backend.dialects.dialect import Subscription

DEFAULT = ""


class Links:
    """Links by name: DEFAULT, or the id of a site. See `Link` for the callbacks.

    `limit`: unconfirmed publishes after which one takes no more.
    """

    def __init__(
        self,
        default: Address,
        topics: Sequence[Subscription],
        on_message: Callable[[str, bytes, Receipt], None],
        on_link: Callable[[str, bool], None],
        limit: int,
        cap: float = CAP_SECONDS,
    ) -> None:
        self._links: dict[str, Link] = {}
        self.on_report: Callable[[str, Report], None] = lambda name, report: None
        self._make = functools.partial(
            Link, on_message=on_message, on_link=on_link, cap=cap, limit=limit
        )
        self.default, self._topics = default, list(topics)

    def start(self) -> None:
        """Start the default link."""
        self.open(DEFAULT, self.default)

    def stop(self) -> None:
        """End all links, and wait until they have ended."""
        ending = self._links
        for name in ending:
            self.close(name)
        for link in ending.values():
            link.join()

    def drain(self, patience: float) -> None:
        """Wait until the brokers have confirmed all, but no longer than so many seconds."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if not any(link.connected and link.unfinished for link in self._links.values()):
                return
            time.sleep(0.01)

    def open(self, name: str, address: Address) -> None:
        """Begin a link; one of this name that there is ends."""
        self.close(name)
        place = f"the connection of the site {name}" if name else "BROKER_URL"
        link = self._make(address, self._topics, on_report=self.on_report, name=name, place=place)
        self._links = {**self._links, name: link}
        link.start()

    def close(self, name: str) -> None:
        """End the link of this name, if there is one."""
        link = self._links.get(name)
        if link is not None:
            self._links = {other: one for other, one in self._links.items() if other != name}
            link.stop()

    def get(self, name: str) -> Link | None:
        """The link of this name, or None."""
        return self._links.get(name)

    def names(self) -> list[str]:
        """Of all links there are."""
        return list(self._links)

    def subscribe(self, topics: Sequence[Subscription]) -> None:
        """From now on have every link subscribed to these."""
        self._topics = list(topics)
        for link in self._links.values():
            link.subscribe(topics)

    def publish(self, name: str, topic: str, payload: bytes, qos: int) -> bool:
        """Send a message by one link. False where that is not up: see `Link.publish`."""
        link = self._links.get(name)
        return link is not None and link.publish(topic, payload, qos)

    def acknowledge(self, receipts: list[Receipt]) -> None:
        """Confirm messages that are durable now, each to the broker it came from."""
        for packet_id, qos, number, name in receipts:
            link = self._links.get(name)
            if link is not None:
                link.acknowledge(packet_id, qos, number)

    def unfinished(self, name: str) -> int:
        """How many publishes of a link its broker has not confirmed yet."""
        link = self._links.get(name)
        return link.unfinished if link else 0

    def health(self, name: str) -> dict[str, Any]:
        """How a link is; one that there is not is not connected."""
        link = self._links.get(name)
        return {
            "connected": link is not None and link.connected,
            "unfinished": link.unfinished if link else 0,
            "error": link.error if link else None,
        }
