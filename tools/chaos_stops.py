"""A stop while a motor runs: how long until it stands still, and until that is known."""

import random
import time
from collections.abc import Callable
from pathlib import Path

from backend.brokers.broker import EmbeddedBroker
from tools.chaos_http import Events, until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site

BOARD = "museum-1"
PIN = 19
MOTOR = {"kind": "motor", "pin": PIN, "pwm_hz": 1000, "longest_s": 600}
VERBS = ("stop", "emergency_stop")
LIMIT_MS = 200.0  # for half of them
WORST_MS = 1000.0  # where the machine is busy with something else; before any second try

# A journal has room for 48 commands that have not expired, at most three for each round.
_LIFE = {"expires_in": 1}
_ROUNDS = 16
_EXPIRED_SECONDS = 3  # whole seconds on the wire and on the board's clock


class Driver:
    """Starts the motor and stops it again, and looks at the clock."""

    def __init__(self, site: Site, events: Events, report: Report) -> None:
        self._site, self._events, self._report = site, events, report
        self._board = site.board(BOARD)

    def stop(self, verb: str, number: int) -> None:
        """One run and its stop. Raises TimeoutError where the motor does not obey."""
        if number and number % _ROUNDS == 0:
            self._let_expire()
        since = self._start(number)
        began = time.monotonic() * 1000
        stop, _ = self._site.api.post(f"{verb}-{number}", BOARD, verb, **_LIFE)
        self._events.ended(stop["id"], "COMPLETED")
        known = time.monotonic() * 1000
        off = self._board.wait_for("pwm", since=since, pin=PIN, duty=0)["ms"]
        self._report.time(f"{verb} to COMPLETED", known - began)
        self._report.time(f"{verb} to the pin being off", off - began)
        self._report.count(verb)
        if verb == "emergency_stop":  # which holds until somebody clears it
            clear, _ = self._site.api.post(f"clear-{number}", BOARD, "clear_stop", **_LIFE)
            self._events.ended(clear["id"], "COMPLETED")

    def _let_expire(self) -> None:
        all_posted = time.monotonic()
        until(lambda: time.monotonic() - all_posted > _EXPIRED_SECONDS)

    def _start(self, number: int) -> int:
        """Have the motor run; the number of the event with which it began."""
        since = len(self._board.log)
        parameters = {"action": "start", "speed": 60, "seconds": 60}
        self._site.api.post(
            f"start-{since}-{number}",
            BOARD,
            "motor",
            target="motor1",
            parameters=parameters,
            **_LIFE,
        )
        running = self._board.wait(
            lambda event: event["event"] == "pwm" and event["duty"], 10, since
        )
        return int(running["number"])


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """`count` stops of each kind, in a random order; `tick` is called after each."""
    report = Report(f"stops ({make_broker.__name__})")
    verbs = [*VERBS] * count
    random.Random(seed).shuffle(verbs)
    with (
        Site(folder, {BOARD: {"motor1": MOTOR}}, make_broker) as site,
        site.api.events() as events,
    ):
        driver = Driver(site, events, report)
        for number, verb in enumerate(verbs):
            driver.stop(verb, number)
            tick()
    for verb in VERBS:
        for what in (f"{verb} to COMPLETED", f"{verb} to the pin being off"):
            if report.usual(what) > LIMIT_MS or report.worst(what) > WORST_MS:
                report.blame([f"{what} took {report.worst(what):.0f} ms"])
    return report
