"""What there is to say of a connection to a broker: where it goes, how it stands, when it is tried
again. Nothing here touches a network.
"""

import random
import ssl
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

DISCONNECTED, CONNECTING, CONNECTED, ERROR = LINK_STATUSES = (
    "disconnected",
    "connecting",
    "connected",
    "error",
)
FIRST_SECONDS = 1.0
CAP_SECONDS = 60.0
ATTEMPTS_MAX = 1_000  # counted so far
TRACE_LENGTH = 4_000


@dataclass(frozen=True, slots=True)
class Address:
    """A broker and who we are there. `ca`: PEM; "" for the authorities this system trusts."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: str = ""

    @classmethod
    def of(cls, url: str, ca: str = "") -> "Address":
        """Of mqtt://user:password@host:port, or mqtts:// with TLS."""
        parts = urlsplit(url)
        tls = parts.scheme == "mqtts"
        host, port = parts.hostname or "127.0.0.1", parts.port or (8883 if tls else 1883)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(host, port, user, password, tls, ca)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Report:
    """What has become of a connection. `message`: in words; for ERROR, with what to do.

    `attempt`: how often it was tried in vain since it last worked; `wait`: seconds to the next
    try; `again`: the same was said before. `exception`: (type, traceback), or two times "".
    """

    status: str
    message: str
    attempt: int = 0
    wait: float = 0.0
    again: bool = False
    exception: tuple[str, str] = ("", "")


class Tries:
    """The tries of one connection: why the last one failed, and how long to wait before the next.

    Longer each time, up to `cap` seconds, never for ever; a quarter of it is by chance, so that
    many do not come back at once. `error`: what keeps it from working, None while it works.
    """

    def __init__(self, cap: float = CAP_SECONDS) -> None:
        self._cap, self._attempt = cap, 0
        self.wait = 0.0
        self.error: str | None = None
        self.told = False  # of what became of the try under way

    def failed(
        self, error: str, why: BaseException | None = None, hopeless: bool = False
    ) -> Report:
        """Note why one was in vain. `hopeless`: waiting will hardly help, so wait long."""
        again, self.error, self.told = error == self.error, error, True
        longest = self._cap if hopeless else min(FIRST_SECONDS * 2.0**self._attempt, self._cap)
        self._attempt = min(self._attempt + 1, ATTEMPTS_MAX)
        self.wait = longest * random.uniform(0.75, 1.0)
        return Report(ERROR, error, self._attempt, self.wait, again, _trace(why))

    def worked(self) -> None:
        """It has held: the next failure is the first one."""
        self._attempt = 0


def unreached(why: BaseException | None, place: str) -> str:
    """Why a broker can't be reached, and what to do; `place`: where its address is set."""
    if isinstance(why, ssl.SSLCertVerificationError):
        ca = "BROKER_CA" if place == "BROKER_URL" else "its CA"
        what = f"is not believed: {why.verify_message}"
        return f"{what}; check the host in {place}, {ca}, and the broker's certificate"
    if isinstance(why, ssl.SSLError):
        return f"does not speak TLS as we do: {why.reason or why}; check the port in {place}"
    plain = why.strerror if isinstance(why, OSError) else None
    return f"can't be reached: {plain or why}; check {place}, and that it runs"


def denied(place: str, topics: Sequence[tuple[str, int]]) -> str:
    """These subscriptions were not granted: what to do; "" where there are none."""
    used = sorted({pattern.split("/", 1)[0] + "/#" for pattern, _ in topics})
    allow = f"allow the user in {place} to read and write {', '.join(used)}"
    return f"the broker denied a subscription, to {topics[0][0]}; {allow}" if topics else ""


def _trace(why: BaseException | None) -> tuple[str, str]:
    if why is None:
        return "", ""
    return type(why).__name__, "".join(traceback.format_exception(why))[-TRACE_LENGTH:]
