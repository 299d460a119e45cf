"""What goes wrong: each run draws which kinds of faults it has, and how often.

A run without a kind shows what the others do alone; a run without any is a check of the rest.
"""

from collections.abc import Callable

from protocol.topics import ACK, COMMANDS, HEARTBEAT, STARTUP, STATUS, topic

from tests.simulation.backend import Backend
from tests.simulation.board import Board
from tests.simulation.broker import BACKEND, Badness, Broker
from tests.simulation.life import Life
from tests.simulation.wire import Weather
from tests.simulation.world import World

LONGEST_GAP_MS = 120_000
SHORTEST_GAP_MS = 4_000
BAD_BROKERS = 0.3  # share of runs in which the broker itself is bad
LATE_PACKETS = 0.4  # ... in which packets are late by seconds


class Faults:
    """Makes them happen until `stop`. `orderly`: the broker does what MQTT says it does."""

    def __init__(
        self, world: World, broker: Broker, weather: Weather, backend: Backend, life: Life,
        boards: list[Board],
    ) -> None:  # fmt: skip
        self._world, self._broker, self._weather = world, broker, weather
        self._backend, self._life, self._boards = backend, life, boards
        self._over = False
        self.orderly = True
        kinds: list[Callable[[], None]] = [
            self._reset, self._half_open, self._stall, self._partition, self._broker_restart,
            self._kill, self._kill_at_step, self._power_cut, self._cut_at_flash,
            self._flash_fails, self._hostile, self._lock,
        ]  # fmt: skip
        if not world.chance(0.03):  # now and then a run without any
            self._draw(kinds)

    def _draw(self, kinds: list[Callable[[], None]]) -> None:
        world = self._world
        if world.chance(LATE_PACKETS):
            self._weather.late, self._weather.late_ms = 0.3, world.between(500, 6_000)
        if world.chance(BAD_BROKERS):
            self.orderly = False
            shares = [world.rng.choice((0.0, 0.02, 0.1, 0.3)) for _ in range(3)]
            self._broker.badness = Badness(*shares)
        if world.chance(0.5):
            for board in self._boards:
                board.cut_during_pulse = 0.15
        for kind in kinds:
            if world.chance(0.4):
                self._again(kind, world.between(SHORTEST_GAP_MS, LONGEST_GAP_MS))

    def stop(self) -> None:
        """From now on nothing goes wrong any more, and what is broken is mended."""
        self._over = True
        self._weather.late = 0.0
        self._broker.badness = Badness()
        self._broker.unreachable_for.clear()
        self._life.ends_in, self._life.locked = None, 0
        for board in self._boards:
            board.cut_during_pulse, board.flash.cut_in = 0.0, None
            board.flash.broken = ""

    def _again(self, kind: Callable[[], None], gap_ms: int) -> None:
        wait = int(self._world.rng.expovariate(1 / gap_ms))
        self._world.after(wait, self._do, kind, gap_ms)

    def _do(self, kind: Callable[[], None], gap_ms: int) -> None:
        if not self._over:
            kind()
            self._again(kind, gap_ms)

    def _somebody(self) -> str:
        return self._world.rng.choice([BACKEND, *(board.board_id for board in self._boards)])

    def _board(self) -> Board:
        return self._world.rng.choice(self._boards)

    def _reset(self) -> None:
        name = self._somebody()
        connection = self._broker.connection_of(name)
        if connection:
            self._world.fault("link_reset", name)
            connection.reset()

    def _half_open(self) -> None:
        name = self._somebody()
        connection = self._broker.connection_of(name)
        if connection:
            up, down = self._world.rng.choice(((True, True), (True, False), (False, True)))
            self._world.fault("link_half_open", name, up, down)
            connection.cut(up, down)

    def _stall(self) -> None:
        name = self._somebody()
        connection = self._broker.connection_of(name)
        if connection:
            self._world.fault("link_stalled", name)
            connection.stall(self._world.between(500, 12_000))

    def _partition(self) -> None:
        name = self._somebody()
        self._world.fault("partition", name)
        self._broker.unreachable_for.add(name)
        connection = self._broker.connection_of(name)
        if connection:
            connection.cut(True, True)
        length = self._world.between(2_000, 90_000)
        self._world.after(length, self._broker.unreachable_for.discard, name)

    def _broker_restart(self) -> None:
        if self._broker.up:
            self._world.fault("broker_restart")
            self._broker.restart(self._world.between(0, 10_000))

    def _kill(self) -> None:
        if self._backend.up:
            self._world.fault("backend_killed")
            self._backend.kill(self._world.between(0, 30_000))

    def _kill_at_step(self) -> None:
        self._life.ends_in = self._world.between(1, 40)

    def _lock(self) -> None:
        self._world.fault("database_locked")
        self._life.locked = self._world.between(1, 3)

    def _power_cut(self) -> None:
        board = self._board()
        if board.powered:
            self._world.fault("power_cut", board.board_id)
            board.power_off(board.outage_ms())

    def _cut_at_flash(self) -> None:
        flash = self._board().flash
        flash.cut_how = self._world.rng.choice(("before", "after", "torn"))
        flash.cut_in = self._world.between(1, 5)

    def _flash_fails(self) -> None:
        board = self._board()
        self._world.fault("flash_fails", board.board_id)
        board.flash.broken = self._world.rng.choice(("whole", "half"))
        self._world.after(self._world.between(100, 20_000), self._flash_works, board)

    @staticmethod
    def _flash_works(board: Board) -> None:
        board.flash.broken = ""

    def _hostile(self) -> None:
        """Bytes nobody signed, and messages with a bit turned over."""
        self._world.fault("hostile_bytes")
        leaf = self._world.rng.choice((ACK, COMMANDS, HEARTBEAT, STARTUP, STATUS))
        where = topic(self._board().board_id, leaf)
        data = self._world.rng.randbytes(self._world.between(0, 300))
        if self._broker.overheard and self._world.chance(0.7):
            where, said = self._world.rng.choice(self._broker.overheard)
            changed = bytearray(said or b"-")
            changed[self._world.between(0, len(changed) - 1)] ^= 1 << self._world.between(0, 7)
            data = bytes(changed)
        self._broker.route(where, data, 1)
