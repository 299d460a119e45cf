"""Commands for a board that is away: they wait, they expire, and too late is never."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.brokers.broker import EmbeddedBroker
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site
from tools.chaos_truth import FEEDS, feeder, judge_feed, pulses_of

PIN = 16
BOARD = "pond-1"


class Absence:
    """A board that is not there, in three ways; each gives (the command, how it ought to end)."""

    def __init__(self, site: Site, choice: random.Random) -> None:
        self._site, self._random, self._posted = site, choice, 0
        self._board = site.board(BOARD)

    def in_time(self) -> tuple[Any, str]:
        """Off, and on again while the command is still wanted."""
        self._off()
        command = self._feed(60)
        self._board.start()
        return self._once(command, "COMPLETED"), "COMPLETED None"

    def too_late(self) -> tuple[Any, str]:
        """Off until nobody wants it any more."""
        self._off()
        command = self._once(self._feed(1), "EXPIRED")
        self._board.start()
        until(lambda: self._site.is_online(BOARD))
        return command, "EXPIRED expired"

    def on_the_way(self) -> tuple[Any, str]:
        """Sent in time, and held up on the network until it was too late."""
        self._site.proxy.silence(True)
        command = self._once(self._feed(1), "UNKNOWN")  # it was sent, and nobody answered
        self._site.proxy.silence(False)
        return self._once(command, "REJECTED"), "REJECTED expired"

    def _off(self) -> None:
        self._board.power_cut()
        until(lambda: not self._site.is_online(BOARD))

    def _feed(self, seconds: int) -> Any:
        self._posted += 1
        amount = self._random.choice(FEEDS)
        more = {"target": "feeder1", "parameters": {"amount": amount}, "expires_in": seconds}
        return self._site.api.post(f"late-{self._posted}", BOARD, "feed", **more)[0]

    def _once(self, command: Any, status: str) -> Any:
        """The command when it has that status."""

        def there() -> Any:
            found = self._site.api.command(command["id"])
            return found if found["status"] == status else None

        return until(there, 30)


ABSENCES: dict[str, Callable[[Absence], tuple[Any, str]]] = {
    "back in time": Absence.in_time,
    "back too late": Absence.too_late,
    "delivered too late": Absence.on_the_way,
}


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """`count` absences, one kind after the other; `tick` is called after each."""
    report = Report("boards that are away")
    with Site(folder, {BOARD: {"feeder1": feeder(PIN)}}, make_broker) as site:
        absence, board = Absence(site, random.Random(seed)), site.board(BOARD)
        names = list(ABSENCES)
        for number in range(count):
            name, before = names[number % len(names)], len(board.pulses(PIN))
            command, wanted = ABSENCES[name](absence)
            found = f"{command['status']} {command['error']}"
            if found != wanted:
                report.blame([f"{name}: {command['id']} is {found}, not {wanted}"])
            report.blame(judge_feed(command, pulses_of(board, PIN, before)))
            report.count(f"{name}: {found}")
            tick()
    return report
