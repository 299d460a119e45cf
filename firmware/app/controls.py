"""What the backend itself says: what became of this id, drop it, and what time it is."""

from protocol.messages import FAILED, UNKNOWN

from .lines import BEGUN, ENDED, QUEUED, RESTARTING

RESTART_S = 60  # a board that restarts is back by then


class Controls:
    """`drop(reason)` counts what is not answered; the rest are the dispatcher's parts."""

    def __init__(self, clock, journal, answers, work, timekeeper, drop):
        self._clock, self._journal, self._answers = clock, journal, answers
        self._work, self._time, self._drop = work, timekeeper, drop

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
            self._never(message, now_ms)

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

    def _never(self, message, now_ms):
        command_id, expires_at = message["command_id"], message["expires_at"]
        now = self._clock.now(now_ms)
        if self._journal.full(now, reserve=True):
            self._drop("full")  # it could come yet, and nothing would keep it from being obeyed
            if not now:
                self._time.ask(now_ms)  # then it is known what has expired, and there is room
        elif self._answers.remember(command_id, expires_at, FAILED, "never", now_ms):
            self._answers.again(command_id)
        else:
            self._journal.forget(command_id)
            self._drop("storage")
