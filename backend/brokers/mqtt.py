"""The only module that knows paho (with paho_edges): a persistent session, acknowledged by hand.

paho's callbacks only hand over. A message is acknowledged by whoever has made it durable, so a
crash costs a duplicate and never a loss. Between two tries paho's thread waits in the callback
that told it of the failure: paho's own waiting knows neither chance nor an end.
"""

import itertools
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from backend.brokers import linkstate
from backend.brokers.linkstate import Address, Report, Tries
from backend.brokers.paho_edges import Unconfirmed, no_delay, topic_of

log = logging.getLogger(__name__)

CLIENT_ID = "answerback"
KEEPALIVE_SECONDS = 15
STABLE_SECONDS = 10.0  # a connection that lasted as long has worked
END_SECONDS = 2.0
NOT_LET_IN = ("Bad user name or password", "Not authorized")
# (packet id, QoS, number of the connection, name of the link), to acknowledge a message by.
Receipt = tuple[int, int, int, str]

_numbers = itertools.count(1)  # of the connections of all links: none is taken for another


class Link:
    """The backend's connection to one broker, subscribed to `topics`: (pattern, QoS).

    `on_message(topic, payload, receipt)`, `on_link(name, up)` and `on_report(name, Report)` are
    called on paho's thread and must neither block nor raise. Messages come only while the link is
    up. `place` is where its address is set, in words; `limit`: unconfirmed publishes, after which
    it takes no more; `cap`: seconds between two tries, at most.
    """

    def __init__(
        self,
        address: Address,
        topics: Sequence[tuple[str, int]],
        on_message: Callable[[str, bytes, Receipt], None],
        on_link: Callable[[str, bool], None],
        on_report: Callable[[str, Report], None] = lambda name, report: None,
        *,
        name: str = "",
        place: str = "BROKER_URL",
        cap: float = linkstate.CAP_SECONDS,
        limit: int = 10_000,
    ) -> None:
        self.address, self.name, self._place, self._limit = address, name, place, limit
        self._topics, self._asked = list(topics), dict[int, list[tuple[str, int]]]()
        self._on_message, self._on_link, self._on_report = on_message, on_link, on_report
        self._number, self._unconfirmed = 0, Unconfirmed()
        self._lock = threading.RLock()  # over who hears what of the end
        self._up, self._up_since = False, 0.0  # connected, though not yet subscribed
        self._tries = Tries(cap)
        self._over, self._ended = False, threading.Event()
        self._thread: threading.Thread | None = None
        self._ender = threading.Thread(target=self._end, name=f"end of {name}", daemon=True)
        self.connected = False
        self._client = self._make_client(f"{CLIENT_ID}-{name}" if name else CLIENT_ID)

    @property
    def error(self) -> str | None:
        """What keeps the link from working, or None."""
        return self._tries.error

    @property
    def unfinished(self) -> int:
        """Publishes that the broker has not confirmed yet."""
        return len(self._unconfirmed)

    @property
    def alive(self) -> bool:
        """False where paho's thread has ended by itself: this link will never come back."""
        return self._thread is None or self._thread.is_alive()

    def start(self) -> None:
        """Connect in the background, for ever."""
        self._on_report(self.name, Report(linkstate.CONNECTING, f"connecting to {self.address}"))
        self._client.connect_async(self.address.host, self.address.port, KEEPALIVE_SECONDS)
        self._client.loop_start()

    def stop(self) -> None:
        """Be heard of no more from now on. The connection itself ends behind the scenes."""
        with self._lock:
            self._set_up(False)
            self._over, self.connected = True, False
            bye = Report(linkstate.DISCONNECTED, f"disconnected from {self.address}")
            self._on_report(self.name, bye)
        self._client.disconnect()  # before the thread wakes, or it would connect once more
        self._ended.set()
        self._ender.start()

    def join(self) -> None:
        """Wait for the end of a link that was stopped."""
        self._ender.join(2 * END_SECONDS)

    def subscribe(self, topics: Sequence[tuple[str, int]]) -> None:
        """Be subscribed to these; what is not among them goes with the next connection."""
        new, self._topics = [one for one in topics if one not in self._topics], list(topics)
        if new and self._up:
            with self._lock:
                self._asked[self._client.subscribe(new)[1] or 0] = new

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        """Send a message, never retained. False where there is no connection.

        What is not sent is not kept here: its row is the queue, and it is sent again when the
        board is heard anew, or by its timer.
        """
        if not self._up or self.unfinished >= self._limit:
            return False
        return self._unconfirmed.published(self._client.publish(topic, payload, qos), qos)

    def acknowledge(self, packet_id: int, qos: int, number: int) -> None:
        """Confirm a message that is durable now.

        One of an earlier connection is left out: its packet id may mean another by now, and the
        broker sends what was not confirmed again.
        """
        if qos and number == self._number:
            self._client.ack(packet_id, qos)

    def _make_client(self, client_id: str) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, manual_ack=True
        )
        if self.address.username:
            client.username_pw_set(self.address.username, self.address.password)
        if self.address.tls:
            client.tls_set_context(ssl.create_default_context(cadata=self.address.ca or None))
        client.max_inflight_messages_set(0)
        client.reconnect_delay_set(0, 0)  # see `_rest`
        client.on_pre_connect = self._begins
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_connect_fail = self._unreachable
        client.on_subscribe = self._subscribed
        client.on_message, client.on_publish = self._message, self._published
        client.on_socket_open = no_delay
        return client

    def _begins(self, client: Any, userdata: Any) -> None:
        self._thread, self._tries.told = threading.current_thread(), False
        self._unconfirmed.begin()

    def _connected(
        self, client: paho.Client, userdata: Any, flags: Any, reason: Any, _: Any
    ) -> None:
        if self._over:
            client.disconnect()
        elif reason.is_failure:
            denied = str(reason) in NOT_LET_IN
            todo = "correct user and password in" if denied else "check"
            self._trouble(f"the broker refused the connection: {reason}; {todo} {self._place}",
                          hopeless=denied)  # fmt: skip
        else:
            self._number = next(_numbers)
            # Before the subscription is granted: what the broker has kept for us comes at once.
            self._set_up(True)
            self._asked = {client.subscribe(self._topics)[1] or 0: self._topics}

    def _subscribed(self, client: Any, userdata: Any, mid: int, reasons: Any, _: Any) -> None:
        with self._lock:
            asked = self._asked.pop(mid, self._topics)
        told = [one for why, one in zip(reasons, asked, strict=False) if why.is_failure]
        denied = linkstate.denied(self._place, told)
        if any(qos for _, qos in told):  # our own; without those of other dialects the rest works
            self._trouble(denied)
            self._break_off()
            return
        self.connected, self._tries.error = True, None
        log.info("connected to the broker at %s%s", self.address, denied and f", but {denied}")
        self._tell(Report(linkstate.CONNECTED, denied or f"connected to {self.address}"))

    def _unreachable(self, client: Any, userdata: Any) -> None:
        why = sys.exc_info()[1]  # paho calls this where it has caught it
        what = f"the broker at {self.address} {linkstate.unreached(why, self._place)}"
        self._trouble(what, why)
        self._rest()

    def _disconnected(self, client: Any, userdata: Any, flags: Any, reason: Any, _: Any) -> None:
        was = self._up
        self._set_up(False)
        self.connected = False
        if was and time.monotonic() - self._up_since >= STABLE_SECONDS:
            self._tries.worked()
        if not self._tries.told:
            what = "lost the broker" if was else "the broker ended the connection unasked"
            self._trouble(f"{what} at {self.address}: {reason}")
        self._rest()

    def _set_up(self, up: bool) -> None:
        with self._lock:
            if up != self._up and not (up and self._over):
                self._up, self._up_since = up, time.monotonic()
                self._on_link(self.name, up)

    def _rest(self) -> None:
        """Wait until the next try is due, or until the end."""
        if self._over:
            self._client.disconnect()  # once more: paho forgets one that comes while it connects
        else:
            self._ended.wait(self._tries.wait)

    def _break_off(self) -> None:
        """paho takes it for a lost connection, and makes a new one."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RDWR)

    def _trouble(
        self, error: str, why: BaseException | None = None, hopeless: bool = False
    ) -> None:
        """Log it once; it may go on for hours."""
        report = self._tries.failed(error, why, hopeless)
        if not (report.again or self._over):
            log.error("%s; trying again", error)
        self._tell(report)

    def _tell(self, report: Report) -> None:
        with self._lock:
            if not self._over:
                self._on_report(self.name, report)

    def _message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        if not self._over:
            receipt = (message.mid, message.qos, self._number, self.name)
            self._on_message(topic_of(message), bytes(message.payload), receipt)

    def _published(self, client: Any, userdata: Any, mid: int, reason: Any, _: Any) -> None:
        self._unconfirmed.confirmed()

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.join(END_SECONDS)
        if self.alive:
            self._break_off()
        self._client.loop_stop()
