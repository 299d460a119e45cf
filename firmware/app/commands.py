"""Commands: from the bytes that came to what is done, in one fixed order.

Rules of this file:
- verify and decode, known id, clock, expiry, verb and target, journal, accepted, motor, result:
  a step that fails ends it there, and nothing later has happened;
- no bytes whatsoever raise anything: what can't be answered is counted in `dropped`;
- no I/O and no clock: time is `now_ms`, ticks in ms.
"""

from protocol import ProtocolError, decode
from protocol.limits import COMMAND_LIFE_MAX, TEXT_LENGTH
from protocol.messages import COMPLETED, FAILED, REJECTED, UNKNOWN
from protocol.verbs import DOSE, SET, STOP, case_of, check_parameters, check_target

from . import once
from .actuators import Fault, describe
from .answers import Answers
from .clock import Timekeeper
from .work import Job, Work

AT_ONCE = ("ping", "clear_stop")
CONTROLS = ("query", "cancel", "time")


class Dispatcher:
    """`serve(command_id, verb, parameters)` does what `start` in `services` does, or raises
    ProtocolError (unknown_type). `send(kind, message)` publishes, `restart()` resets the board
    once what was said is out, `ask(anew)` publishes the startup message again, as a new session
    if `anew`, and returns which session that is; none of these three raises or waits.

    `dropped`: {reason: count} of messages without an answer; the reasons are a fixed few.
    `now_ms`: ticks at the last call. `restarting`: nothing new is begun any more.
    """

    def __init__(self, key, boot, clock, journal, actuators, latch, serve, send, restart, ask):
        self._key, self._clock, self._journal = key, clock, journal
        self._actuators, self._restart = actuators, restart
        self.latch, self._serve_it = latch, serve
        self._answers = answers = Answers(boot, clock, journal, send)
        self._work = Work(actuators, journal, answers, clock)
        self._time = Timekeeper(boot, clock, ask)
        self.now_ms = 0
        self.restarting = False
        self.dropped = {}
        self.running, self.serving = self._work.running, self._work.services
        self.connected, self.latest = self._time.connected, self._work.latest

    def receive(self, data, now_ms):
        """Do what the message says. It may be acknowledged to the broker when this returns."""
        self.now_ms = now_ms
        try:
            message = decode("command", data, self._key)
            control = message["command_type"] in CONTROLS
            if control:
                check_parameters(message["command_type"], message["parameters"])
        except ProtocolError as error:
            return self.drop(error.code)
        if control:
            return self._control(message, now_ms)
        if self._journal.find(message["command_id"]):
            return self._work.again(message["command_id"], now_ms)
        return self._new(message, now_ms)

    def tick(self, now_ms):
        """End what has run its time, start what can be, tidy up in a quiet moment."""
        self.now_ms = now_ms
        self._clock.now(now_ms)
        self._work.tick(now_ms)
        if not self._work.running():
            self._journal.tidy()

    def next_due(self, now_ms):
        """ms until `tick` is needed, or None."""
        return self._work.next_due(now_ms)

    def set_safe(self, now_ms=None, names=None):
        """All outputs, or those of `names`, to their safe state; what ran is stopped, what waited
        is cancelled. Without `now_ms` it is as late as at the last call of any method.
        """
        now_ms = self.now_ms if now_ms is None else now_ms
        self._work.report(self._work.stop(names or self._actuators, now_ms), now_ms)

    def finish(self, command_id, state, error, result, now_ms):
        """What became of a service's command."""
        self._work.services.pop(command_id, None)
        self._answers.finish(command_id, state, error, result, now_ms)

    def drop(self, reason):
        """Count what is not answered."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def _control(self, message, now_ms):
        try:
            controls = once("controls")
        except MemoryError:  # it asks again
            return self.drop("memory")
        parts = self._clock, self._journal, self._answers, self._work, self._time
        return controls.Controls(self, *parts).answer(message, now_ms)

    def _new(self, message, now_ms):
        now = self._clock.now(now_ms)
        if now == 0 and not self._is_stop(message):
            self.drop("clock_unset")
            return self._time.ask(now_ms)
        if self.restarting:
            return self.drop("restarting")  # it comes again, and finds the board anew
        if now and self._may_have_run(message["expires_at"], now):
            return self._answers.forgotten(message["command_id"], now_ms)
        try:
            self._check(message, now)
        except ProtocolError as error:
            return self._refuse(message, error.code, now_ms, str(error)[:TEXT_LENGTH])
        except MemoryError:  # it comes again
            return self.drop("memory")
        return self._obey(message, now, now_ms)

    def _may_have_run(self, expires_at, now):
        """True where its line in the journal may be gone: it may have run, so it must not now."""
        journal = self._journal
        return expires_at <= journal.floor or expires_at <= now and journal.lost(expires_at, now)

    def _check(self, message, now):
        """Raises ProtocolError where it must not be obeyed."""
        if "conditions" in message:
            once("conditions", "protocol").unwrap(message)
        verb, parameters = message["command_type"], message["parameters"]
        if now >= message["expires_at"]:
            raise ProtocolError("expired", "expires_at", "has passed")
        if now and message["expires_at"] > now + COMMAND_LIFE_MAX:
            raise ProtocolError("bad_parameter", "expires_at", "is too far off")
        check_parameters(verb, parameters)
        check_target(verb, message["target"], describe(self._actuators))
        if message["target"] and self.kind(message) != STOP:
            if self.latch.on:
                raise ProtocolError("latched", "command_type", "must wait for clear_stop")
            self._actuators[message["target"]].plan(parameters)

    def _is_stop(self, message):
        try:
            return self.kind(message) == STOP
        except ProtocolError:
            return False

    def kind(self, message):
        """Its kind, here: off is no stop where it is on that is safe. Raises ProtocolError."""
        kind = case_of(message["command_type"], message["parameters"]).kind
        actuator = self._actuators.get(message["target"])
        if message["command_type"] == "switch" and actuator and actuator.safe:
            return SET
        return kind

    def _obey(self, message, now, now_ms):
        kind = self.kind(message)
        if kind == STOP:
            return self._stop(message, now, now_ms)
        if self._journal.full(now):
            return self._refuse(message, "busy", now_ms)
        if kind == DOSE:
            return self._dose(message, now_ms)
        unmet = self._work.unmet(message.get("conditions"), now_ms)
        if unmet:
            return self._refuse(message, "condition", now_ms, None, unmet)
        if message["target"]:
            return self._set(message, now_ms)
        if message["command_type"] == "restart":
            if once("restarting").begin(self, self._journal, self._answers, message, now_ms):
                return self._restart()
            return self._refuse(message, "storage", now_ms)
        if message["command_type"] in AT_ONCE:
            return self._at_once(message, now_ms)
        return self._serve(message, now_ms)

    def _stop(self, message, now, now_ms):
        """Outputs first, then the answer, then what became of the commands it ended."""
        command_id, target = message["command_id"], message["target"]
        names = [target] if target else list(self._actuators)
        ended = self._work.stop(names, now_ms)
        stuck = any(self._actuators[name].stuck for name in names)
        state, error = (FAILED, "hardware") if stuck else (COMPLETED, None)
        if message["command_type"] == "emergency_stop" and not self.latch.set():
            state, error = FAILED, "storage"  # it holds, but not over a power cut
        if self._journal.full(now, reserve=True):
            self.drop("full")
        else:
            self._answers.remember(command_id, message["expires_at"], state, error, now_ms)
        self._answers.say(command_id, state, error, {}, now_ms)
        self._work.report(ended, now_ms)

    def _dose(self, message, now_ms):
        command_id, target = message["command_id"], message["target"]
        free = self._work.is_free(target)
        if not free and not self._work.has_room(target):
            return self._refuse(message, "busy", now_ms)
        conditions = message.get("conditions")  # looked at in `tick`, without this message
        write = self._journal.begin if free and not conditions else self._journal.queue
        if not write(command_id, message["expires_at"]):
            return self._refuse(message, "storage", now_ms)
        for_ms = self._actuators[target].plan(message["parameters"])
        about = message["parameters"], message["expires_at"], for_ms, conditions
        self._work.add(Job(command_id, target, *about))
        self._answers.accepted(command_id, self._work.within(command_id, now_ms), now_ms)
        return None if conditions else self._work.tick(now_ms)

    def _set(self, message, now_ms):
        command_id, actuator = message["command_id"], self._actuators[message["target"]]
        if not self._journal.begin(command_id, message["expires_at"]):
            return self._refuse(message, "storage", now_ms)
        try:
            actuator.start(command_id, False, message["parameters"], now_ms)
        except Fault as fault:
            return self._answers.finish(command_id, FAILED, fault.code, {}, now_ms)
        left = actuator.remaining(now_ms)
        result = {} if left is None else {"seconds": (left + 999) // 1000}
        return self._answers.finish(command_id, COMPLETED, None, result, now_ms)

    def _serve(self, message, now_ms):
        command_id, verb = message["command_id"], message["command_type"]
        if not self._journal.begin(command_id, message["expires_at"]):
            return self._refuse(message, "storage", now_ms)
        try:
            done = self._serve_it(command_id, verb, message["parameters"])
        except Fault as fault:
            return self.finish(command_id, FAILED, fault.code, fault.result, now_ms)
        except ProtocolError as error:
            return self._refuse(message, error.code, now_ms, str(error)[:TEXT_LENGTH])
        if type(done) is dict:
            return self.finish(command_id, COMPLETED, None, done, now_ms)
        self._work.services[command_id] = (done, now_ms)
        return self._answers.accepted(command_id, done, now_ms)

    def _at_once(self, message, now_ms):
        """A ping, or the end of an emergency stop."""
        command_id, expires_at = message["command_id"], message["expires_at"]
        if message["command_type"] == "clear_stop" and not self.latch.clear():
            return self._refuse(message, "storage", now_ms)
        if not self._answers.remember(command_id, expires_at, COMPLETED, None, now_ms):
            return self._refuse(message, "storage", now_ms)
        return self._answers.say(command_id, COMPLETED, None, {}, now_ms)

    def _refuse(self, message, error, now_ms, text=None, result=None):
        """Not obeyed, and no later copy of it will be; where that can't be written, a boot might
        forget it, and who knows then."""
        command_id = message["command_id"]
        known = self._journal.find(command_id)
        if not known and self._journal.full(self._clock.now(now_ms), reserve=True):
            return self.drop("full")  # it could not be kept from being obeyed later
        expires_at = message["expires_at"]
        if self._answers.remember(command_id, expires_at, REJECTED, error, now_ms, result):
            return self._answers.say(command_id, REJECTED, error, result, now_ms, text)
        return self._answers.say(command_id, UNKNOWN, "storage", {}, now_ms)
