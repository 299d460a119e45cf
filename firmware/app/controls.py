"""What the board answers where the backend itself asks: what became of it, drop it, the time."""

from protocol.messages import CANCELLED, FAILED

from .journal import BEGUN, QUEUED


class Controls:
    """`commands` is the Dispatcher that was asked, the rest are its parts."""

    def __init__(self, commands, clock, journal, answers, work, time):
        self._commands, self._clock, self._journal = commands, clock, journal
        self._answers, self._work, self._time = answers, work, time

    def answer(self, message, now_ms):
        """To `query`, `cancel` or `time`."""
        verb = message["command_type"]
        ask = self.time if verb == "time" else self.cancel if verb == "cancel" else self.query
        ask(message, now_ms)

    def query(self, message, now_ms):
        """What became of it. One that never came is kept from ever being obeyed."""
        command_id = message["command_id"]
        if self._journal.find(command_id):
            self._work.again(command_id, now_ms)
        elif self._journal.lost(message["expires_at"], self._clock.now(now_ms)):
            self._answers.forgotten(command_id, now_ms)
        else:
            self.never(message, now_ms)

    def cancel(self, message, now_ms):
        """Drop it where it waits, stop it where it runs; else as `query`."""
        if self._journal.find(message["command_id"]) in (QUEUED, BEGUN):
            self._call_off(message["command_id"], now_ms)
        else:
            self.query(message, now_ms)

    def time(self, message, now_ms):
        """The answer to a startup message; `timestamp` is the time."""
        said = message["parameters"]
        if not self._time.told(said["boot"], said["session"], message["timestamp"], now_ms):
            self._commands.drop("time")

    def never(self, message, now_ms):
        """It never came: keep it from being obeyed, and say so."""
        command_id, expires_at = message["command_id"], message["expires_at"]
        now = self._clock.now(now_ms)
        if self._journal.full(now, reserve=True):
            self._commands.drop(
                "full"
            )  # it could come yet, and nothing would keep it from being obeyed
            if not now:
                self._time.ask(now_ms)  # then it is known what has expired, and there is room
        else:
            self._answers.remember(command_id, expires_at, FAILED, "never", now_ms)
            self._answers.again(command_id)

    def _call_off(self, command_id, now_ms):
        """Drop a command that waits, or stop the one that runs; says what became of it."""
        for job in self._work.waiting:
            if job.command_id == command_id:
                self._work.waiting.remove(job)
                self._answers.finish(command_id, CANCELLED, "cancelled", {}, now_ms)
                return
        if command_id in self._work.services:  # it can't be called off; its result will tell
            self._answers.accepted(command_id, self._work.within(command_id, now_ms), now_ms)
            return
        actuator = self._work.actuators[self._work.target_of(command_id)]
        self._work.report([self._work.stopped(actuator, FAILED, "stopped", now_ms)], now_ms)
