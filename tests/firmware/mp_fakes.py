"""A board for tests of the firmware's core: its flash, its pins, its backend and its time.

Only what lies below the contract of the core is made up here: files that a power cut can hit
between any two operations, pins that remember when they were on, and ticks that are set by hand.
"""

import gc

if hasattr(gc, "mem_free"):  # MicroPython: compiling would leave holes all over a small heap
    gc.threshold(4096)

from app import actuator_settings, actuators, clock, commands, journal, latch  # noqa: E402
from protocol import ProtocolError, encode  # noqa: E402
from protocol.messages import RESULTS  # noqa: E402

KEY = bytes(range(32))
START = 1_800_000_000

CONFIG = {
    "actuators": {
        "feeder1": {"kind": "feeder", "pin": 16, "grams_per_second": 10, "longest_s": 120},
        "valve1": {"kind": "valve", "fill_pin": 17, "drain_pin": 18, "longest_s": 900},
        "motor1": {"kind": "motor", "pin": 19, "pwm_hz": 1000, "longest_s": 600},
        "light1": {"kind": "switch", "pin": 21, "longest_s": 3600},
        "air1": {"kind": "switch", "pin": 22, "longest_s": 60, "safe": 1},
    }
}


class PowerCut(Exception):
    """The power went: nothing that was in memory is left."""


class Flash:
    """Files in memory, as lists of pieces. `cut_at`: the operation (from 0) at which power fails,
    `how` it does: before it, after it, or torn (an append writes half). `broken`: every write
    raises OSError; where it is "half", half of an append stands there.
    """

    def __init__(self, cut_at=None, how="before"):
        self.files = {}
        self.writes = 0
        self.cut_at, self.how = cut_at, how
        self.broken = False
        self.busy = lambda: None  # called by each write, which may take its time

    def read(self, name):
        return b"".join(self.files[name]) if name in self.files else None

    def append(self, name, data):
        self._write(name, self.files.get(name, []), data)

    def replace(self, name, data):
        self._write(name, [], data)

    def _write(self, name, old, data):
        self.busy()
        if self.broken:
            old.append(data[: len(data) // 2 if self.broken == "half" else 0])
            raise OSError(28)
        cut = self.writes == self.cut_at
        self.writes += 1
        if cut and self.how == "torn" and old:
            old.append(data[: len(data) // 2])
        elif not cut or self.how == "after":
            self.files[name] = old
            old.append(data)
        if cut:
            raise PowerCut


class Pin:
    """An output. `on_change(number, level)` hears of every change; `fails`: raises OSError."""

    def __init__(self, number, on_change):
        self.number, self._on_change = number, on_change
        self.value = 0
        self.fails = False

    def speed(self, percent):
        if self.fails:
            raise OSError(5)
        if self.value != percent:
            self.value = percent
            self._on_change(self.number, percent)

    def on(self):
        self.speed(100)

    def off(self):
        self.speed(0)


class Board:
    """A board with its backend: `say` sends, `acks` are the answers, `now_ms` is set by hand.

    `pulses`: [command id, GPIO, ms it lasted or None while it lasts, cut off by power]
    """

    def __init__(self, flash=None, config=CONFIG, capacity=64):
        self.flash = flash or Flash()
        self.config, self.capacity = config, capacity
        self.now_ms, self.acks, self.pulses = 1000, [], []
        self.asked = self.restarts = self.boots = 0
        self.services = {}
        self.boot()

    def boot(self, told=True):
        """Power comes (back). `told`: the backend tells the time at once."""
        self.dispatcher = None
        self.power_off()
        if hasattr(gc, "mem_free"):
            gc.collect()
        self.boots += 1
        name = "boot{}".format(self.boots)
        self.pins = {}
        self.actuators = actuators.build(actuator_settings.actuators(self.config), self)
        self.clock = clock.Clock()
        self.journal = journal.Journal(self.flash, name, self.capacity)
        self.dispatcher = commands.Dispatcher(
            KEY,
            name,
            self.clock,
            self.journal,
            self.actuators,
            latch.Latch(self.flash),
            self.serve,
            self._sent,
            self._restart,
            self._ask,
        )
        self.dispatcher.connected(1, self.now_ms)
        if told:
            self.tell_time()

    def power_off(self):
        for pulse in self.pulses:
            if pulse[2] is None:
                pulse[2], pulse[3] = self.now_ms - pulse[4], True

    def Output(self, number, active_low):
        self.pins[number] = Pin(number, self._changed)
        return self.pins[number]

    def Speed(self, number, hz):
        return self.Output(number, False)

    def ticks(self):
        return self.now_ms

    @property
    def now(self):
        """Unix seconds of the backend."""
        return START + self.now_ms // 1000

    def tell_time(self, session=1):
        said = {"boot": "boot{}".format(self.boots), "session": session}
        self.say("t", "time", "", said)

    def message(
        self, command_id, verb, target="", parameters=None, lives=60, expires_at=None, only_if=()
    ):
        """The bytes of a command."""
        message = {
            "command_id": command_id,
            "command_type": verb,
            "target": target,
            "parameters": parameters or {},
            "timestamp": self.now,
            "expires_at": expires_at or self.now + lives,
            "attempt": 1,
        }
        if only_if:
            from protocol.conditions import wrap  # memory is short here

            message = wrap(message, only_if)
        return encode("command", message, KEY)

    def say(self, *args, **kwargs):
        """Send a command; its answers, as (state, error)."""
        before = len(self.acks)
        self.dispatcher.receive(self.message(*args, **kwargs), self.now_ms)
        return [(ack["state"], ack["error"]) for ack in self.acks[before:]]

    def run(self, ms):
        """Let `ms` pass, ticking exactly when the board wants it."""
        end = self.now_ms + ms
        while True:
            due = self.dispatcher.next_due(self.now_ms)
            if due is None or self.now_ms + due > end:
                break
            self.now_ms += due
            self.dispatcher.tick(self.now_ms)
        self.now_ms = end
        self.dispatcher.tick(end)

    def results(self, command_id):
        """Every result that was said about a command, as (state, error)."""
        mine = [ack for ack in self.acks if ack["command_id"] == command_id]
        return [(ack["state"], ack["error"]) for ack in mine if ack["state"] in RESULTS]

    def pulses_of(self, command_id):
        return [pulse for pulse in self.pulses if pulse[0] == command_id]

    def serve(self, command_id, verb, parameters):
        """As `start` in `services`: `services` is {verb: function of the id}."""
        if verb not in self.services:
            raise ProtocolError("unknown_type", "command_type", "is no command of this board")
        return self.services[verb](command_id)

    def _sent(self, kind, message):
        encode(kind, message, KEY)
        self.acks.append(message)

    def _restart(self):
        self.restarts += 1

    def _ask(self, anew):
        self.asked += 1
        return self.dispatcher._time.session + (1 if anew else 0)

    def _changed(self, number, level):
        for pulse in self.pulses:
            if pulse[1] == number and pulse[2] is None:
                pulse[2] = self.now_ms - pulse[4]
        if level and self.dispatcher:  # not the safe state at boot
            self.pulses.append([self._owner(number), number, None, False, self.now_ms])

    def _owner(self, number):
        running = self.dispatcher.running() if self.dispatcher else {}
        for name, config in self.config["actuators"].items():
            if number in (config.get(field) for field in ("pin", "fill_pin", "drain_pin")):
                return running.get(name, "")
        return None
