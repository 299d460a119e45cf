"""What the board says about a command: written in the journal first, then sent as an ack.

And what it answers where the backend itself asks: what became of this id, drop it, the time.
"""

from protocol import ack
from protocol.messages import ACCEPTED, FAILED, REJECTED, UNKNOWN

from .journal import BEGUN, ENDED, QUEUED, RESTARTING

RESTART_S = 60  # a board that restarts is back by then


class Answers:
    """`send(kind, message)` must not raise; what it can't deliver will be asked for again."""

    def __init__(self, boot, clock, journal, send):
        self._boot, self._clock, self._journal, self._send = boot, clock, journal, send

    def say(self, command_id, state, error, result, now_ms, message=None):
        """Send an ack without writing anything. `message` is for people."""
        timestamp = self._clock.now(now_ms)
        self._say(command_id, state, error, timestamp, result, message)

    def accepted(self, command_id, seconds, now_ms):
        """The command is on flash and will have a result in `seconds` seconds at most."""
        self.say(command_id, ACCEPTED, None, {"within": seconds}, now_ms)

    def finish(self, command_id, state, error, result, now_ms):
        """The result of a command that is in the journal.

        It is sent even where the flash refuses it: it is true, and the backend keeps it.
        """
        timestamp = self._clock.now(now_ms)
        self._journal.finish(command_id, state, error, timestamp, result)
        self._say(command_id, state, error, timestamp, result, None)

    def remember(self, command_id, expires_at, state, error, now_ms):
        """Write the answer to a command that needs no more. Returns whether it is on flash."""
        timestamp = self._clock.now(now_ms)
        return self._journal.remember(command_id, expires_at, state, error, timestamp, {})

    def again(self, command_id):
        """The stored answer once more; one that says it will never run has to be on flash."""
        state, error, timestamp, result = self._journal.answer(command_id)
        if (state == REJECTED or error == "never") and not self._journal.kept(command_id):
            state, error = UNKNOWN, "storage"
        self._say(command_id, state, error, timestamp, result, None)

    def _say(self, command_id, state, error, timestamp, result, message):
        said = ack(command_id, state, self._boot, timestamp, error, result, message)
        self._send("ack", said)


class Controls:
    """The backend's own questions: `verbs` is {command_type: what answers it}.

    `discard(reason)` counts what is not answered. The rest are the dispatcher's parts.
    """

    def __init__(self, clock, journal, answers, work, time, discard):
        self._clock, self._journal, self._answers = clock, journal, answers
        self._work, self._time, self._drop = work, time, discard
        self.verbs = {"query": self.query, "cancel": self.cancel, "time": self.time}

    def again(self, command_id, now_ms):
        """What is known of a command that is in the journal, once more."""
        phase = self._journal.find(command_id)
        if phase == ENDED:
            self._answers.again(command_id)
        elif phase == RESTARTING:
            self._answers.accepted(command_id, RESTART_S, now_ms)
        else:
            self._answers.accepted(command_id, self._work.within(command_id, now_ms), now_ms)

    def query(self, message, now_ms):
        """What became of it. One that never came is kept from ever being obeyed."""
        command_id = message["command_id"]
        if self._journal.find(command_id):
            self.again(command_id, now_ms)
        elif self._journal.lost(message["expires_at"], self._clock.now(now_ms)):
            self.forgotten(command_id, now_ms)
        else:
            self.never(message, now_ms)

    def cancel(self, message, now_ms):
        """Drop it where it waits, stop it where it runs; else as `query`."""
        if self._journal.find(message["command_id"]) in (QUEUED, BEGUN):
            self._work.cancel(message["command_id"], now_ms)
        else:
            self.query(message, now_ms)

    def forgotten(self, command_id, now_ms):
        """It may have been here, and nobody can tell any more."""
        self._answers.say(command_id, UNKNOWN, "forgotten", {}, now_ms)

    def time(self, message, now_ms):
        """The answer to a startup message; `timestamp` is the time."""
        said = message["parameters"]
        if not self._time.told(said["boot"], said["session"], message["timestamp"], now_ms):
            self._drop("time")

    def never(self, message, now_ms):
        """It never came: keep it from being obeyed, and say so."""
        command_id, expires_at = message["command_id"], message["expires_at"]
        now = self._clock.now(now_ms)
        if self._journal.full(now, reserve=True):
            self._drop("full")  # it could come yet, and nothing would keep it from being obeyed
            if not now:
                self._time.ask(now_ms)  # then it is known what has expired, and there is room
        else:
            self._answers.remember(command_id, expires_at, FAILED, "never", now_ms)
            self._answers.again(command_id)
