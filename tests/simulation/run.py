"""One run: a seed in, a verdict out."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from backend.database.models import database as proxy
from backend.schema import TABLES
from tests.simulation.backend import Backend, enroll, open_database
from tests.simulation.board import Board
from tests.simulation.broker import Badness, Broker
from tests.simulation.evidence import Evidence
from tests.simulation.faults import Faults
from tests.simulation.hardware import Pulse
from tests.simulation.invariants import violations
from tests.simulation.life import Life
from tests.simulation.users import Users
from tests.simulation.watch import Watch
from tests.simulation.wire import Weather
from tests.simulation.world import START, World

LOOK_EVERY_MS = 5_000
# The longest life of a command, and two rounds of asking again at the longest distance.
CALM_AT_MOST_MS = 1_800_000 + 2 * 360_000
# Until nothing that was held back comes any more, and what it did to a board's presence is right.
CALM_AT_LEAST_MS = 160_000

_LIFE = Life()
_database: Any = None


@dataclass
class Report:
    """What came of one run. `outcomes`: {status and error: how many commands}."""

    seed: int
    broken: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    pulses: int = 0
    seconds: int = 0
    lines: list[str] = field(default_factory=list)


class Run:
    """The parts of one run, put together."""

    def __init__(self, seed: int, commands: int, verbose: bool) -> None:
        _fresh_database()
        self.seed, self._wanted = seed, commands
        self.world = world = World(seed, verbose)
        self.weather, self.pulses = Weather(), list[Pulse]()
        self.broker = Broker(world, self.weather, Badness())
        self.watch = Watch(world)
        keys = {f"board-{i}": world.rng.randbytes(32) for i in range(world.between(1, 3))}
        for board_id, key in keys.items():
            enroll(board_id, key)
        capacity = world.rng.choice((16, 64, 64))
        self.boards = [
            Board(world, self.broker, name, key, self.pulses, self.watch.said, capacity)
            for name, key in keys.items()
        ]
        self.backend = Backend(world, self.broker, _LIFE, self.watch.committed)
        self.users = Users(world, self.backend, list(keys), self._enough)
        self.faults = Faults(world, self.broker, self.weather, self.backend, _LIFE, self.boards)

    def go(self) -> Report:
        """Faults until all was posted and a little longer, then calm until all is settled."""
        world = self.world
        while not self._enough():
            world.run(world.now + LOOK_EVERY_MS)
        world.run(world.now + world.between(0, 60_000))
        self.faults.stop()
        world.note("CALM")
        began = world.now
        while not self._settled(world.now - began):
            world.run(world.now + LOOK_EVERY_MS)
        return self._report()

    def _enough(self) -> bool:
        return len(self.watch.status) >= self._wanted

    def _settled(self, calm_ms: int) -> bool:
        if calm_ms > CALM_AT_MOST_MS:
            return True
        if calm_ms < CALM_AT_LEAST_MS or self.watch.open:
            return False
        return all(board.powered and board.pins.resting() for board in self.boards)

    def _report(self) -> Report:
        promised = set(self.users.promised)
        known, orderly = self.backend.core.roster.all(), self.faults.orderly
        evidence = Evidence(self.watch, promised, self.pulses, self.boards, known, orderly)
        report = Report(self.seed, self.users.broken + violations(evidence))
        for row in evidence.rows.values():
            report.outcomes[f"{row['status']} {row['error'] or ''}".strip()] += 1
        report.counts, report.commands = self.world.counts, len(evidence.rows)
        report.pulses = len(self.pulses)
        report.seconds = (self.world.now - START) // 1000
        report.lines = self.world.lines or []
        return report


def simulate(seed: int, commands: int = 100, verbose: bool = False) -> Report:
    """Run one seed. What the backend has to say of its faults would fill the screen."""
    logging.disable(logging.WARNING)
    try:
        return Run(seed, commands, verbose).go()
    finally:
        logging.disable(logging.NOTSET)


def _fresh_database() -> None:
    """One database a process; each run finds it empty."""
    global _database
    _LIFE.ends_in, _LIFE.locked = None, 0
    if _database is None or proxy.obj is not _database:
        _database = open_database(_LIFE)
    for table in reversed(TABLES):
        table.delete().execute()
