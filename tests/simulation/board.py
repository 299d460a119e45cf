"""A board: the real firmware core on simulated hardware, with a stand-in for what does I/O.

The stand-in does what the firmware's node, link and presence do: it connects, says what has
started, beats, hands over messages and confirms them when that returned, ticks when it is time
(some ms late), goes safe when the link is gone for too long, and sends at once what is said.
"""

from typing import Any

from app import actuators
from app.clock import Clock
from app.commands import Dispatcher
from app.journal import Journal
from app.latch import Latch
from app.outbox import Outbox
from protocol import ProtocolError, encode
from protocol.topics import ACK, HEARTBEAT, STARTUP, STATUS, topic

from tests.simulation.board_link import BoardClient
from tests.simulation.broker import Broker
from tests.simulation.hardware import Flash, Pins, PowerCut, Pulse
from tests.simulation.wiring import CONFIG, WIRING
from tests.simulation.world import World

HOLD_MS = 30_000
IDLE_MS = 1_000
LATE_MS = 10  # how late a tick may come
READ_MS = 5_000
SENSOR = "water1"  # reads anything from 0 to 10, and at times nothing
FAREWELL_MS = 2_000
BEAT_MS = 10_000


class Board:
    """`pulses`: all pulses of all boards. `said(board, ack)` hears of every ack before it goes.

    `ppm`: how much its crystal is off. `capacity`: of its journal.
    """

    def __init__(
        self,
        world: World,
        broker: Broker,
        board_id: str,
        key: bytes,
        pulses: list[Pulse],
        said: Any,
        capacity: int,
    ) -> None:
        self.world, self.broker, self.board_id, self.key = world, broker, board_id, key
        self.flash, self.capacity = Flash(), capacity
        self.ppm = world.between(-200, 200)
        self.cut_during_pulse = 0.0
        self.powered = False
        self.boots = self.restarts = 0
        self._pulses, self._said = pulses, said
        self._topics = {leaf: topic(board_id, leaf) for leaf in (ACK, HEARTBEAT, STARTUP, STATUS)}
        self.boot()

    def boot(self) -> None:
        """Power comes."""
        if self.powered:
            return
        self.powered, self._began, self.session = True, self.world.now, 0
        self._value: tuple[float, int] | None = None
        self.boots += 1
        self.boot_id = f"{self.world.rng.getrandbits(32):08x}"
        self._ticks_base = self.world.between(0, 10**6)
        self._down_since: int | None = self.world.now
        self._next_tick, self._restarting = -1, False
        self.outbox: Any = Outbox()
        self.link = BoardClient(self.world, self.broker, self)
        self.world.note(self.board_id, "boots", self.boot_id)
        if self._guarded(self._load):
            self.link.start()
            self.world.after(BEAT_MS, self._beat, self.boot_id)
            self.world.after(HOLD_MS, self._hold, self.boot_id)
            self._read(self.boot_id)

    def _load(self) -> None:
        self.pins = Pins(
            self.world,
            self.board_id,
            WIRING,
            self._owner,
            self.ticks,
            self._pulses,
            self._driven,
            self._sensed,
        )
        self.actuators = actuators.build(CONFIG, self.pins)
        self.pins.powered = True
        self.clock = Clock()
        self.journal = Journal(self.flash, self.boot_id, self.capacity)
        self.dispatcher = Dispatcher(
            self.key,
            self.boot_id,
            self.clock,
            self.journal,
            self.actuators,
            Latch(self.flash),
            _no_service,
            self._say,
            self._restart,
            self._hello,
        )

    def power_off(self, off_ms: int) -> None:
        """Power goes, and is back in `off_ms`."""
        if not self.powered:
            return
        self.world.note(self.board_id, "loses power for", off_ms)
        self.powered = False
        self.flash.cut_in = None
        self.pins.cut()
        self.link.kill(power=True)
        self.world.after(off_ms, self.boot)

    def outage_ms(self) -> int:
        """How long power is gone: at times longer than most commands live."""
        longest = 600_000 if self.world.chance(0.1) else 60_000
        return self.world.between(200, longest)

    def ticks(self) -> int:
        """ms by the board's own crystal."""
        passed = self.world.now - self._began
        return self._ticks_base + passed + passed * self.ppm // 1_000_000

    def status(self, status: str, session: int) -> tuple[str, bytes]:
        """(topic, payload) of a status message."""
        message = {"status": status, "boot": self.boot_id, "session": session, "until": 0}
        return self._topics[STATUS], encode("status", message, self.key)

    def opened(self, link: BoardClient) -> None:
        """The link stands."""
        self.session += 1
        self._down_since = None
        self.dispatcher.connected(self.session, self.ticks())
        self._hello()
        self.outbox.presence(*self.status("online", self.session), True)
        self._transmit()

    def closed(self, link: BoardClient, was_ready: bool) -> None:
        """The link is gone."""
        self.outbox.disconnected()
        if was_ready:
            self._down_since = self.world.now
            self.world.after(HOLD_MS, self._hold, self.boot_id)

    def heard(self, link: BoardClient, payload: bytes) -> bool:
        """A message came; True where it may be confirmed."""
        done = self._guarded(self.dispatcher.receive, payload, self.ticks())
        if done:
            self._plan(IDLE_MS)
        return done

    def _guarded(self, call: Any, *args: Any) -> bool:
        """Run the firmware; False where power was cut in the middle of it."""
        try:
            call(*args)
        except PowerCut:
            self.world.fault("power_cut_at_flash", self.board_id)
            self.power_off(self.outage_ms())
            return False
        return self.powered

    def _plan(self, idle: int | None) -> None:
        """Tick when the firmware wants it, or in `idle` ms."""
        due = self.dispatcher.next_due(self.ticks())
        if due is None:
            due = idle
        if due is None:
            return
        when = self.world.now + min(due, IDLE_MS) + self.world.between(0, LATE_MS)
        if self._next_tick != -1 and self._next_tick <= when:
            return
        self._next_tick = when
        self.world.at(when, self._tick, self.boot_id, when)

    def _tick(self, boot_id: str, when: int) -> None:
        if boot_id != self.boot_id or when != self._next_tick or self._restarting:
            return
        self._next_tick = -1
        if self.powered and self._guarded(self.dispatcher.tick, self.ticks()):
            self._plan(None)

    def _say(self, kind: str, message: dict[str, Any]) -> None:
        self._said(self, message)
        what = (message["state"], message["error"], message["command_id"])
        self.world.note(self.board_id, "says", *what)
        self.outbox.ack(self._topics[ACK], encode(kind, message, self.key))
        self._transmit()

    def _transmit(self) -> None:
        if not self.link.ready:
            return
        while True:
            message = self.outbox.take()
            if message is None:
                return
            self.link.publish(
                message.topic, message.data, message.qos, message.packet_id, message.retain
            )

    def _hello(self, anew: bool = False) -> int:
        self.session += anew
        startup = {
            "boot": self.boot_id,
            "session": self.session,
            "cause": "power_on",
            "firmware": "0.1.0",
            "board": "simulated",
            "actuators": actuators.describe(self.actuators),
            "has": "conditions",
            "slot": "a",
            "slot_state": "confirmed",
            "latched": self.dispatcher.latch.on,
            "heap": 60_000,
            "timestamp": self.clock.now(self.ticks()),
        }
        self.outbox.presence(self._topics[STARTUP], encode("startup", startup, self.key))
        self._transmit()
        return self.session

    def _beat(self, boot_id: str) -> None:
        if boot_id != self.boot_id or not self.powered:
            return
        self.world.after(BEAT_MS, self._beat, boot_id)
        if self.link.ready:
            beat = {
                "boot": boot_id,
                "session": self.session,
                "uptime": (self.world.now - self._began) // 1000,
                "heap": 60_000,
                "rssi": -50,
                "running": self.dispatcher.running(),
                "latched": self.dispatcher.latch.on,
                "dropped": {},
            }
            self.outbox.beat(self._topics[HEARTBEAT], encode("heartbeat", beat, self.key))
            self._transmit()

    def _hold(self, boot_id: str) -> None:
        """Without a link for too long, nothing stays on."""
        down = self._down_since
        same = boot_id == self.boot_id and self.powered
        if same and down is not None and self.world.now - down >= HOLD_MS:
            self._guarded(self.dispatcher.set_safe, self.ticks())

    def _restart(self) -> None:
        self.restarts += 1
        self._restarting = True
        self.world.after(self.world.between(20, FAREWELL_MS), self._reset, self.boot_id)

    def _reset(self, boot_id: str) -> None:
        if boot_id == self.boot_id:
            self.power_off(self.world.between(500, 3000))

    def _read(self, boot_id: str) -> None:
        """What the firmware's sensors do: the newest reading, or that there is none."""
        if boot_id != self.boot_id or not self.powered:
            return
        self.world.after(READ_MS, self._read, boot_id)
        self._value = (round(self.world.rng.uniform(0, 10), 1), self.ticks())
        if self.world.chance(0.1):
            self._value = None
            self.dispatcher.latest.pop(SENSOR, None)
        else:
            self.dispatcher.latest[SENSOR] = self._value

    def _sensed(self) -> tuple[float, int] | None:
        return self._value and (self._value[0], self.ticks() - self._value[1])

    def _owner(self, target: str) -> str:
        return str(self.actuators[target].command_id)

    def _driven(self, pulse: Pulse) -> None:
        if self.cut_during_pulse and self.world.chance(self.cut_during_pulse):
            self.world.after(self.world.between(0, 8_000), self._cut_in_pulse, pulse)

    def _cut_in_pulse(self, pulse: Pulse) -> None:
        if pulse.ended is None and self.powered:
            self.world.fault("power_cut_in_pulse", self.board_id)
            self.power_off(self.outage_ms())


def _no_service(_command_id: str, _verb: str, _parameters: dict[str, Any]) -> Any:
    raise ProtocolError("unknown_type", "command_type", "is no command of this board")
