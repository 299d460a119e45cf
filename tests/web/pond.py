"""A board with every kind of actuator, spoken for by the test, for the page to show."""

from typing import Any

from playwright.sync_api import Page
from protocol import ack, encode
from protocol.topics import ACK, HEARTBEAT, STARTUP, STATUS, topic

from tests.backend.running import eventually
from tests.web.site import Site

ACTUATORS = {
    "feeder1": {"kind": "feeder", "longest_s": 120},
    "valve1": {"kind": "valve", "longest_s": 900},
    "motor1": {"kind": "motor", "longest_s": 600},
    "light1": {"kind": "switch", "longest_s": 3600},
}


class Pond:
    """The board `pond` of a site, with four actuators."""

    def __init__(self, site: Site) -> None:
        self.station = site.station
        self.arrive()

    def arrive(self, **more: Any) -> None:
        """Start, and be online; `more` are members that are not as always."""
        message = {
            "boot": "b1",
            "session": 1,
            "cause": "power_on",
            "firmware": "0.1.0",
            "board": "UNIX",
            "actuators": ACTUATORS,
            "has": "sensors",
            "slot": "a",
            "slot_state": "confirmed",
            "latched": False,
            "heap": 61440,
            "timestamp": 0,
        }
        message |= more
        self.say_as(STARTUP, "startup", message)
        eventually(lambda: self._shown()["actuators"] == message["actuators"])
        eventually(lambda: self._shown()["has"] == str(message["has"]).split())
        eventually(lambda: self._shown()["slot"] == message["slot"] and self._shown()["online"])

    def leave(self) -> None:
        """Be offline, as the last will says it."""
        self.say_as(
            STATUS, "status", {"status": "offline", "boot": "b1", "session": 1, "until": 0}
        )
        eventually(lambda: self._shown()["online"] is False)

    def beat(self, **running: str) -> None:
        """A heartbeat that says what is running: target=command id."""
        message = {"boot": "b1", "session": 1, "uptime": 184, "heap": 61440, "rssi": -58,
                   "running": running, "latched": False, "dropped": {}}  # fmt: skip
        self.say_as(HEARTBEAT, "heartbeat", message)

    def next_command(self) -> dict[str, Any]:
        """The next command that comes; one that is sent or asked about again is left out."""
        return self.station.new_command()

    def say(
        self, command: dict[str, Any], state: str, error: str | None = None, **result: Any
    ) -> None:
        """Answer a command."""
        said = ack(command["command_id"], state, "b1", error=error, result=result)
        self.say_as(ACK, "ack", said)

    def say_as(self, leaf: str, kind: str, message: dict[str, Any]) -> None:
        """Any message of a kind."""
        data = encode(kind, message, self.station.key)
        self.station.board.publish(topic("pond", leaf), data)

    def _shown(self) -> dict[str, Any]:
        return self.station.backend.board("pond")


def sign_in(page: Page, site: Site, password: str) -> None:
    """Fill in the form as the administrator."""
    page.goto(site.url)
    page.get_by_label("User").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
