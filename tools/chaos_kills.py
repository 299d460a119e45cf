"""The backend is killed between every two steps of its work, while commands keep coming.

Nothing that got its 202 may be lost or run twice, and the boards' motors decide what is true.
"""

import random
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend.brokers.broker import EmbeddedBroker
from tools.chaos_crashing import POINTS
from tools.chaos_http import PATIENCE
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site
from tools.chaos_truth import FEEDS, feeder, judge_feeder, pulses_of
from tools.emulator import Board

BOARDS = {f"pond-{n}": {"feeder1": feeder(16), "feeder2": feeder(17)} for n in (1, 2)}
PINS = {"feeder1": 16, "feeder2": 17}
AHEAD = 3  # commands that may wait for one feeder
LIFE = 20  # seconds: a journal has room for 48 commands that have not expired
NTH_MAX = 4
PROVOKED = ("startup_arrived", "between_publishes")  # by boards that connect again


class Customer:
    """Keeps one feeder busy and remembers what was promised: {Idempotency-Key: command id}."""

    def __init__(self, site: Site, board_id: str, target: str, seed: int, report: Report) -> None:
        self.board_id, self.target = board_id, target
        self.promised: dict[str, str] = {}
        self._site, self._board = site, site.board(board_id)
        self._random, self._report = random.Random(seed), report

    def run(self, ending: threading.Event) -> None:
        """Post until it is time to end. Raises TimeoutError where a 202 never comes."""
        while not ending.is_set():
            _wait_for_room(self._board, PINS[self.target], len(self.promised))
            self._post()

    def _post(self) -> None:
        key = f"{self.board_id}-{self.target}-{len(self.promised)}"
        command, tries = self._request(key)
        self.promised[key] = command["id"]
        self._report.count("202 given")
        if tries == 1 and self._random.random() > 0.2:
            return
        again, _ = self._request(key)
        self._report.count("keys repeated")
        if again["id"] != command["id"]:
            self._report.blame([f"{key} is {command['id']} and {again['id']}"])

    def _request(self, key: str) -> tuple[Any, int]:
        amount = FEEDS[int(key.split("-")[-1]) % len(FEEDS)]
        more = {"target": self.target, "parameters": {"amount": amount}, "expires_in": LIFE}
        return self._site.api.post(key, self.board_id, "feed", **more)

    def judge(self, commands: list[Any]) -> list[str]:
        """What is wrong with this feeder, `commands` being all of its board."""
        mine = [command for command in commands if command["target"] == self.target]
        pulses = pulses_of(self._board, PINS[self.target])
        out = judge_feeder(mine, pulses)
        ids = [command["id"] for command in mine]
        out += [f"{one} got its 202 and is lost" for one in set(self.promised.values()) - set(ids)]
        out += [f"{one} was never asked for" for one in set(ids) - set(self.promised.values())]
        out += [f"{one['id']} is UNKNOWN" for one in mine if one["status"] == "UNKNOWN"]
        for one in mine:
            self._report.count(f"commands {one['status']} {one['error'] or ''}".rstrip())
        self._report.count("pulses at the pins", len(pulses))
        return out


def _wait_for_room(board: Board, pin: int, posted: int) -> None:
    """Until fewer than AHEAD feeds wait, or so long that one of them is to come another way."""
    since = len(board.log)
    ended = sum(pulse.end is not None for pulse in board.pulses(pin))
    if posted - ended >= AHEAD:
        with suppress(TimeoutError):
            board.wait_for("pin", timeout=3, since=since, pin=pin, value=0)


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """Kill the backend `count` times; `tick` is called after each."""
    report, choice = Report("kills of the backend"), random.Random(seed)
    with Site(folder, BOARDS, make_broker) as site:
        customers = [
            Customer(site, board_id, target, choice.randrange(1 << 30), report)
            for board_id in BOARDS
            for target in PINS
        ]
        ending = threading.Event()
        with ThreadPoolExecutor(len(customers)) as threads:
            running = [threads.submit(customer.run, ending) for customer in customers]
            try:
                _kill_often(site, count, choice, report, tick)
            finally:
                ending.set()
        _judge(site, customers, running, report)
    return report


def _kill_often(
    site: Site, count: int, choice: random.Random, report: Report, tick: Callable[[], object]
) -> None:
    site.backend.kill()
    points = list(POINTS)
    for number in range(count):
        point = points[number % len(points)]
        site.backend.start("tools.chaos_crashing", point, str(choice.randint(1, NTH_MAX)))
        if point in PROVOKED:
            site.proxy.drop()
        if _end_of(site) == -9:
            report.count(f"killed {point}")
        else:
            report.blame([f"kill {number}: the backend ended by itself; see its log"])
        tick()
    site.backend.start()


def _end_of(site: Site) -> int:
    """The backend's exit code; boards are made to connect again where nothing leads there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            return site.backend.wait(3)
        site.proxy.drop()
    raise TimeoutError(f"the point was not crossed in {PATIENCE:.0f} s")


def _judge(
    site: Site, customers: list[Customer], running: list[Future[None]], report: Report
) -> None:
    for future in running:
        future.result()
    for board_id in BOARDS:
        commands = site.settle(board_id)
        for customer in customers:
            if customer.board_id == board_id:
                report.blame(customer.judge(commands))
