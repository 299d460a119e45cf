"""Doses: one at a time for each target, in the order in which they came.

Rules of this file:
- nothing starts that is not on flash as begun, and not while a condition does not hold;
- what must go off goes off before anything is written or said about it.
"""

from collections import namedtuple

from micropython import const
from protocol.messages import CANCELLED, COMPLETED, FAILED

from . import once
from .actuators import Fault
from .clock import ticks_diff
from .journal import ENDED, QUEUED, RESTARTING

RESTART_S = 60  # a board that restarts is back by then

_PER_TARGET = const(4)
_IN_ALL = const(16)
_GRACE_S = const(1)


# A dose that waits. `expires_at` in Unix seconds, `for_ms` how long it will run; `conditions`: a
# list, or None.
Job = namedtuple(
    "Job", ["command_id", "target", "parameters", "expires_at", "for_ms", "conditions"]
)


class Work:
    """What runs and what waits. Results go to `answers`; `now_ms` are ticks."""

    def __init__(self, actuators, journal, answers, clock):
        self.actuators, self._journal = actuators, journal
        self._answers, self._clock = answers, clock
        self.waiting = []
        self.services = {}  # {id: (seconds, ticks at which it was so long)}
        self.latest = {}  # {sensor: (its newest value, ticks)}

    def is_free(self, target):
        """True where a dose for `target` would start at once."""
        return not self.actuators[target].dosing and not self._waiting_for(target)

    def has_room(self, target):
        """True where one more may wait for `target`."""
        return len(self.waiting) < _IN_ALL and len(self._waiting_for(target)) < _PER_TARGET

    def running(self):
        """{target: id of the command whose action is on}."""
        return {name: a.command_id for name, a in self.actuators.items() if a.command_id}

    def within(self, command_id, now_ms):
        """Seconds until the result of a command that runs or waits is there, at most."""
        if command_id in self.services:
            seconds, began_ms = self.services[command_id]
            return max(_GRACE_S, seconds - ticks_diff(now_ms, began_ms) // 1000)
        target = self.target_of(command_id)
        actuator = self.actuators[target]
        ms = actuator.remaining(now_ms) if actuator.dosing else 0
        if actuator.command_id != command_id:
            for job in self._waiting_for(target):
                ms += job.for_ms
                if job.command_id == command_id:
                    break
        return (ms + 999) // 1000 + _GRACE_S

    def again(self, command_id, now_ms):
        """What is known of a command that is in the journal, once more."""
        phase = self._journal.find(command_id)
        if phase == ENDED:
            self._answers.again(command_id)
        elif phase == RESTARTING:
            self._answers.accepted(command_id, RESTART_S, now_ms)
        else:
            self._answers.accepted(command_id, self.within(command_id, now_ms), now_ms)

    def add(self, job):
        """It is in the journal; `tick` starts it."""
        self.waiting.append(job)

    def tick(self, now_ms):
        """End what has run its time, and start what can be."""
        due = [a for a in self.actuators.values() if a.remaining(now_ms) == 0]
        self.report([self.stopped(a, COMPLETED, None, now_ms) for a in due], now_ms)
        for job in list(self.waiting):
            if not self.actuators[job.target].dosing:
                self.waiting.remove(job)
                self._start(job, now_ms)

    def next_due(self, now_ms):
        """ms until `tick` has something to do, or None."""
        if any(not self.actuators[job.target].dosing for job in self.waiting):
            return 0
        times = [a.remaining(now_ms) for a in self.actuators.values()]
        return min((ms for ms in times if ms is not None), default=None)

    def stop(self, names, now_ms):
        """All of them safe at once, and nothing waits for them any more.

        Returns what is to be given to `report`.
        """
        ended = [self.stopped(self.actuators[name], FAILED, "stopped", now_ms) for name in names]
        dropped = [job for job in self.waiting if job.target in names]
        self.waiting = [job for job in self.waiting if job.target not in names]
        return ended + [(job.command_id, CANCELLED, "cancelled", {}) for job in dropped]

    def report(self, done, now_ms):
        """Write and say what became of each: (id, state, error, result), or None for nothing."""
        for one in done:
            if one is not None:
                self._answers.finish(*one, now_ms)

    def _waiting_for(self, target):
        return [job for job in self.waiting if job.target == target]

    def target_of(self, command_id):
        """Of a command that runs or waits."""
        for name, actuator in self.actuators.items():
            if actuator.command_id == command_id:
                return name
        return [job.target for job in self.waiting if job.command_id == command_id][0]

    def stopped(self, actuator, state, error, now_ms):
        """It is safe now. Returns what is to be given to `report`, for a dose."""
        command_id, dosing = actuator.command_id, actuator.dosing
        try:
            result = actuator.stop(now_ms)
        except Fault as fault:
            state, error, result = FAILED, fault.code, fault.result
        return (command_id, state, error, result) if dosing else None

    def unmet(self, conditions, now_ms):
        """None where all of them hold, else the result that says which does not."""
        if not conditions:
            return None
        try:
            return once("conditions").unmet(conditions, self.actuators, self.latest, now_ms)
        except MemoryError:
            return {"condition": 0, "found": "memory"}

    def _start(self, job, now_ms):
        unmet = self.unmet(job.conditions, now_ms)
        error = "condition" if unmet else self._reason_not_to(job, now_ms)
        if error is None:
            try:
                actuator = self.actuators[job.target]
                actuator.start(job.command_id, True, job.parameters, now_ms)
                return
            except Fault as fault:
                error = fault.code
        self._answers.finish(job.command_id, FAILED, error, unmet or {}, now_ms)

    def _reason_not_to(self, job, now_ms):
        if self._journal.find(job.command_id) != QUEUED:
            return None  # it never waited, and is on flash as begun
        if self._clock.now(now_ms) >= job.expires_at:
            return "expired"
        return None if self._journal.begin(job.command_id, job.expires_at) else "storage"
