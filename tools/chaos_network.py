"""A bad network between board and broker: all commands end in the truth, and motors keep time.

Every round is one trouble: the broker dies while a motor runs, the link is half-open, the board
finds that out by itself, or much of what is said comes late.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.brokers.broker import EmbeddedBroker
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site, has_ended
from tools.chaos_truth import TOLERANCE_MS, feeder, judge_feeder, off_by, pulses_of

BOARD = "pond-1"
PINS = {"feeder1": 16, "feeder2": 17}
BOARDS = {BOARD: {target: feeder(pin) for target, pin in PINS.items()}}
LATE_SHARE, LATE_SECONDS = 0.3, 3.0

_GRAMS = 20  # one second
_BEAT_SECONDS = 30


class Trouble:
    """What can happen to the network, each to the end; raises TimeoutError where that never is."""

    def __init__(self, site: Site, choice: random.Random) -> None:
        self._site, self._random = site, choice
        self._board = site.board(BOARD)
        self._posted = 0

    def broker_dies(self) -> None:
        """The broker is killed in the middle of a motor's run, and comes back."""
        command = self._running()
        self._site.broker.kill()
        self._board.wait_for("pin", since=command["since"], pin=16, value=0)
        self._site.broker.start()
        self._ended(command)

    def half_open(self) -> None:
        """Nothing gets through during a run, and neither side notices."""
        command = self._running()
        self._site.proxy.silence(True)
        self._board.wait_for("pin", since=command["since"], pin=16, value=0)
        self._site.proxy.silence(False)
        self._ended(command)

    def given_up(self) -> None:
        """A half-open link that the board itself gives up and makes anew."""
        command = self._running()
        before = self._site.proxy.accepted
        self._site.proxy.silence(True)
        until(lambda: self._site.proxy.accepted > before)
        self._site.proxy.drop()
        self._site.proxy.silence(False)
        self._ended(command)

    def late(self) -> None:
        """A share of all chunks comes late, and holds up what follows."""
        self._site.proxy.delay(LATE_SHARE, self._random.uniform(0.5, LATE_SECONDS))
        commands = [self._feed(target, 4) for target in [*PINS] * 2]
        for command in commands:
            self._ended(command)
        self._site.proxy.delay(0, 0)

    def beats_go_on(self) -> None:
        """Wait for a heartbeat that began after all trouble."""
        before = self._site.seen(BOARD)["uptime"]
        until(lambda: self._site.seen(BOARD)["uptime"] > before, _BEAT_SECONDS)

    def _feed(self, target: str, grams: int) -> Any:
        self._posted += 1
        since = len(self._board.log)
        more = {"target": target, "parameters": {"amount": grams}}
        command, _ = self._site.api.post(f"feed-{self._posted}", BOARD, "feed", **more)
        return {**command, "since": since}

    def _running(self) -> Any:
        command = self._feed("feeder1", _GRAMS)
        self._board.wait_for("pin", timeout=20, since=command["since"], pin=16, value=1)
        return command

    def _ended(self, command: Any) -> None:
        until(lambda: has_ended(self._site.api.command(command["id"])))


TROUBLES: dict[str, Callable[[Trouble], None]] = {
    "the broker died during a run": Trouble.broker_dies,
    "half-open during a run": Trouble.half_open,
    "30 % late": Trouble.late,
    "half-open until the board gave up": Trouble.given_up,
}


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """`count` troubles, one kind after the other; `tick` is called after each."""
    report = Report(f"bad network ({make_broker.__name__})")
    with Site(folder, BOARDS, make_broker, seed) as site:
        trouble = Trouble(site, random.Random(seed))
        names = list(TROUBLES)
        for number in range(count):
            name = names[number % len(names)]
            TROUBLES[name](trouble)
            report.count(name)
            tick()
        trouble.beats_go_on()
        report.count("heartbeats go on")
        _judge(site, report)
    return report


def _judge(site: Site, report: Report) -> None:
    """No power was cut, so that each command must be known to the end, and each run exact."""
    commands = site.settle(BOARD)
    for target, pin in PINS.items():
        mine = [command for command in commands if command["target"] == target]
        pulses = pulses_of(site.board(BOARD), pin)
        report.blame(judge_feeder(mine, pulses, TOLERANCE_MS))
        report.blame([f"{one['id']} is UNKNOWN" for one in mine if one["status"] == "UNKNOWN"])
        done = [command for command in mine if command["status"] == "COMPLETED"]
        report.count("commands COMPLETED", len(done))
        for command, pulse in zip(done, pulses, strict=False):
            report.time(f"motor off by (at most {TOLERANCE_MS:.0f})", off_by(command, pulse))
