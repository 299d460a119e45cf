"""Power is cut at every moment of a feed: the motor never runs a second time, and no answer lies.

Each board feeds, loses its power, starts again and says what became of it, one feed after another.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from backend.brokers.broker import EmbeddedBroker
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site, has_ended
from tools.chaos_truth import FEEDS, feeder, judge_feed, judge_feeder, ordered_ms, pulses_of

PIN = 16
BOARDS = {f"pond-{n}": {"feeder1": feeder(PIN)} for n in range(1, 5)}
LIFE = 15  # seconds: a journal has room for 48 commands that have not expired

_WRITES = 8  # of the flash, at which power may fail: a feed has fewer
_BOOT_SECONDS = 0.08


class Victim:
    """One board whose power is cut."""

    def __init__(self, site: Site, board_id: str, seed: int, report: Report) -> None:
        self._site, self._board_id, self._report = site, board_id, report
        self._board = site.board(board_id)
        self._random = random.Random(seed)
        self._posted = 0

    def suffer(self, moment: str) -> None:
        """One feed, with power cut at that moment. Raises TimeoutError where it never ends."""
        before = len(self._board.pulses(PIN))
        posted = MOMENTS[moment](self)
        self._board.start()
        command = until(lambda: self._ended(posted["id"]))
        pulses = pulses_of(self._board, PIN, before)
        self._report.count(f"cut {moment}")
        self._report.count(f"{command['status']} with {len(pulses)} pulses")
        self._report.blame([f"cut {moment}: {line}" for line in _judge(command, pulses)])

    def judge_all(self) -> None:
        """Once more at the end, over everything: nothing may have run later."""
        commands = self._site.settle(self._board_id)
        self._report.blame(judge_feeder(commands, pulses_of(self._board, PIN)))

    def _ended(self, command_id: str) -> Any:
        command = self._site.api.command(command_id)
        return command if has_ended(command) else None

    def _feed(self) -> Any:
        self._posted += 1
        amount = self._random.choice(FEEDS)
        key = f"{self._board_id}-{self._posted}"
        more = {"target": "feeder1", "parameters": {"amount": amount}, "expires_in": LIFE}
        return self._site.api.post(key, self._board_id, "feed", **more)[0]

    def at_write(self) -> Any:
        """Half-way through one of the writes of a feed."""
        since = len(self._board.log)
        self._board.cut_at_write(self._random.randint(1, _WRITES))
        command = self._feed()
        self._cut_at_latest(ordered_ms(command) / 1000 + 0.5, since)
        return command

    def after_the_click(self) -> Any:
        """Before, while or after the command arrives."""
        command = self._feed()
        self._cut_in(0.05)
        return command

    def while_running(self) -> Any:
        """At a random moment of the motor's run."""
        since = len(self._board.log)
        command = self._feed()
        self._board.wait_for("pin", timeout=20, since=since, pin=PIN, value=1)
        self._cut_in(ordered_ms(command) / 1000)
        return command

    def after_running(self) -> Any:
        """Before or while the result is written and said."""
        since = len(self._board.log)
        command = self._feed()
        self._board.wait_for("pin", timeout=20, since=since, pin=PIN, value=0)
        self._cut_in(0.01)
        return command

    def while_booting(self) -> Any:
        """Power again shortly after the start that follows."""
        command = self.while_running()
        self._board.start()
        self._cut_in(_BOOT_SECONDS)
        return command

    def at_write_of_boot(self) -> Any:
        """Power again at the start that follows, at a flash write."""
        command = self.while_running()
        since = len(self._board.log)
        self._board.cut_at_write(self._random.randint(1, _WRITES))
        self._board.start()
        self._cut_at_latest(1.0, since)
        return command

    def _cut_in(self, seconds: float) -> None:
        """At a random moment of the next `seconds`."""
        Event().wait(self._random.uniform(0, seconds))
        self._board.power_cut()

    def _cut_at_latest(self, seconds: float, since: int) -> None:
        """Power fails at the flash write that was set, or then."""
        with suppress(TimeoutError):
            self._board.wait_for("power_cut", timeout=seconds, since=since)
            self._report.count("writes torn")
        self._board.power_cut().cut_at_write(0)


MOMENTS: dict[str, Callable[[Victim], Any]] = {
    "at a flash write": Victim.at_write,
    "at any time after the click": Victim.after_the_click,
    "while the motor runs": Victim.while_running,
    "right after the motor": Victim.after_running,
    "again while it boots": Victim.while_booting,
    "again at a flash write of its boot": Victim.at_write_of_boot,
}


def _judge(command: Any, pulses: Sequence[Any]) -> list[str]:
    out = judge_feed(command, pulses)
    if len(pulses) > 1:
        out.append(f"{command['id']} ran {len(pulses)} times")
    return out


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """Cut power `count` times, on several boards at once; `tick` is called after each."""
    report, choice = Report("power cuts"), random.Random(seed)
    with Site(folder, BOARDS, make_broker) as site:
        victims = [Victim(site, name, choice.randrange(1 << 30), report) for name in BOARDS]
        moments = [list(MOMENTS)[n % len(MOMENTS)] for n in range(count)]

        def suffer(number: int) -> None:
            for moment in moments[number :: len(victims)]:
                victims[number].suffer(moment)
                tick()
            victims[number].judge_all()

        with ThreadPoolExecutor(len(victims)) as threads:
            list(threads.map(suffer, range(len(victims))))
    return report
