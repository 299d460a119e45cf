"""What a board can move: feeder, valve, motor, switch, each with a dead-man time.

Rules of this file:
- nothing goes on before the moment is set at which it goes off;
- `longest_s` bounds every run; a longer one is refused before anything moves;
- a fault of the hardware ends the action, and the safe state is tried for until it is reached.
`pins` makes the hardware: `pins.Output(number, active_low)` has on(), off() and value (true while
on), `pins.Speed(number, hz)` has speed(percent); both start switched off. `pins.ticks()`: ms.
"""

from micropython import const
from protocol import ProtocolError

from .clock import ticks_diff

_AGAIN_MS = const(1000)  # between two tries to reach the safe state after a fault
_PIN_ERRORS = (OSError, ValueError, RuntimeError)


class Fault(Exception):
    """The action has ended, for a reason: `code` is an error code, `result` what was done."""

    def __init__(self, code, result):
        super().__init__(code)
        self.code, self.result = code, result


class Actuator:
    """One actuator, made from its part of actuators.json; starts in its safe state.

    `parameters` are a command's, times are ms. `safe`: the level that is safe, 0 or 1.
    `command_id`: whose action is on, or "". `dosing`: that command is a dose, so it has a result
    when the action ends. `for_ms`: how long the action was to last. `stuck`: the safe state could
    not be reached, and is tried for every second. `hold_s`: how long it may stay on without a
    link, or 0 where the board's own time counts.
    """

    RATE = ""  # the fact that says how much of it comes in a second

    def __init__(self, config, pins):
        facts = ("kind", "longest_s", self.RATE, "safe", "active_low")
        self.facts = {name: config[name] for name in facts if config.get(name)}
        self.facts.update({name: config[name] for name in config if name.endswith("pin")})
        self.safe, self.hold_s = config["safe"], config["hold_s"]
        self.command_id, self.dosing = "", False
        self._began_ms = self.for_ms = 0
        self.stuck = False
        self._ticks = pins.ticks
        self._wire(config, pins)

    def plan(self, parameters):
        """How many ms it will run. Raises ProtocolError (bad_parameter) where it must not."""
        if "amount" not in parameters:
            seconds = parameters.get("seconds", self.facts["longest_s"])
            return self._bounded(seconds * 1000, "seconds")
        rate = self.facts.get(self.RATE)
        if rate is None:
            reason = "needs {} in actuators.json".format(self.RATE)
            raise ProtocolError("bad_parameter", "parameters.amount", reason)
        return self._bounded(max(1, int(parameters["amount"] * 1000 / rate + 0.5)), "amount")

    def start(self, command_id, dosing, parameters, now_ms):
        """Move. Raises Fault (hardware, interlock), with everything as it was or safe."""
        if self.stuck and not self._reach_safe():
            raise Fault("hardware", {})
        for_ms = self.plan(parameters)
        self.command_id, self.dosing = command_id, dosing
        # Not `now_ms`: between that and now lies a write to flash, which may take 100 ms.
        self._began_ms, self.for_ms = self._ticks(), for_ms
        self._move(parameters, now_ms)

    def stop(self, now_ms):
        """To the safe state, at once. Returns what a dose that was on has done. Raises Fault."""
        result = self.result(max(0, ticks_diff(now_ms, self._began_ms))) if self.dosing else {}
        self.command_id, self.dosing = "", False
        if not self._reach_safe():
            self._began_ms, self.for_ms = now_ms, _AGAIN_MS
            raise Fault("hardware", result)
        return result

    def remaining(self, now_ms):
        """ms until `stop` is due by itself, or None."""
        if not self.command_id and not self.stuck:
            return None
        return max(0, self.for_ms - ticks_diff(now_ms, self._began_ms))

    def _bounded(self, ms, name):
        longest_s = self.facts["longest_s"]
        if ms > longest_s * 1000:
            reason = "would run {} s, and {} s is the longest this one may"
            reason = reason.format((ms + 999) // 1000, longest_s)
            raise ProtocolError("bad_parameter", "parameters." + name, reason)
        return ms

    def _move(self, parameters, now_ms):
        try:
            self._drive(parameters)
        except _PIN_ERRORS:
            self.dosing = False
            self.stop(now_ms)
            raise Fault("hardware", {})

    def _reach_safe(self):
        try:
            self.rest()
            self.stuck = False
        except _PIN_ERRORS:
            self.stuck = True
        return not self.stuck

    def result(self, ran_ms):
        """What a dose that ran so long has done: a command's result."""
        return {"ran_ms": ran_ms}

    def _wire(self, config, pins):
        """Make the pins; they start safe."""
        raise NotImplementedError

    def _drive(self, parameters):
        """Move the pins."""
        raise NotImplementedError

    def rest(self):
        """The pins to their safe state, each of them tried."""
        raise NotImplementedError


class Feeder(Actuator):
    """A motor that drops `grams_per_second` while it runs."""

    RATE = "grams_per_second"

    def _wire(self, config, pins):
        self._pin = pins.Output(config["pin"], config["active_low"])
        self.amount = 0

    def _drive(self, parameters):
        self.amount = parameters["amount"]
        self._pin.on()

    def rest(self):
        self._pin.off()

    def result(self, ran_ms):  # a tick that comes late by some ms is not worth a fraction
        part = round(ran_ms * self.facts["grams_per_second"] / 1000, 1)
        return {"grams": part if ran_ms < self.for_ms else self.amount, "ran_ms": ran_ms}


class Valve(Actuator):
    """Fill and drain, never open together; `ml_per_second` go through, where that is known."""

    RATE = "ml_per_second"

    def _wire(self, config, pins):
        self.pins = {
            "fill": pins.Output(config["fill_pin"], config["active_low"]),
            "drain": pins.Output(config["drain_pin"], config["active_low"]),
        }

    def result(self, ran_ms):
        rate = self.facts.get(self.RATE, 0)
        ml = round(min(ran_ms, self.for_ms) * rate / 1000, 1)
        return {"ml": ml, "ran_ms": ran_ms} if rate else {"ran_ms": ran_ms}

    def _move(self, parameters, now_ms):
        other = self.pins["drain" if parameters["action"] == "fill" else "fill"]
        if other.value:
            self.dosing = False
            self.stop(now_ms)
            raise Fault("interlock", {})
        super()._move(parameters, now_ms)

    def _drive(self, parameters):
        self.pins[parameters["action"]].on()

    def rest(self):
        try:
            self.pins["fill"].off()
        finally:
            self.pins["drain"].off()


class Motor(Actuator):
    """A motor at a speed of 1 to 100 %."""

    def _wire(self, config, pins):
        self._pwm = pins.Speed(config["pin"], config["pwm_hz"])

    def plan(self, parameters):
        if parameters["action"] != "speed":
            return super().plan(parameters)
        if not self.command_id:
            reason = "the motor is not running: start it first"
            raise ProtocolError("bad_parameter", "parameters.action", reason)
        return self.for_ms

    def start(self, command_id, dosing, parameters, now_ms):
        if parameters["action"] == "speed":  # it stays the action of the command that started it
            self._move(parameters, now_ms)
        else:
            super().start(command_id, dosing, parameters, now_ms)

    def _drive(self, parameters):
        self._pwm.speed(parameters["speed"])

    def rest(self):
        self._pwm.speed(0)


class Switch(Actuator):
    """A light, a relay. `safe` says whether it is on or off when nobody asks for anything."""

    def _wire(self, config, pins):
        self._pin = pins.Output(config["pin"], config["active_low"])
        self._reach_safe()

    def _drive(self, parameters):
        self._put(parameters["state"] == "on")
        if (parameters["state"] == "on") == bool(self.safe):  # it may stay so
            self.command_id = ""

    def rest(self):
        self._put(self.safe)

    def _put(self, level):
        (self._pin.on if level else self._pin.off)()


KINDS = {"feeder": Feeder, "valve": Valve, "motor": Motor, "switch": Switch}


def build(actuators, pins):
    """{name: Actuator}, each in its safe state, from what `settings.actuators` returned."""
    return {name: KINDS[config["kind"]](config, pins) for name, config in actuators.items()}


def describe(actuators):
    """{name: {"kind", "longest_s", ...}}: what a startup message says about them."""
    return {name: actuators[name].facts for name in actuators}


def held_too_long(actuators, down_ms, hold_s):
    """The names of those that may not stay on any longer, `down_ms` after the link went."""
    return [name for name, one in actuators.items() if down_ms >= (one.hold_s or hold_s) * 1000]
