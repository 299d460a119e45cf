"""What the board says about a command: written in the journal first, then sent as an ack."""

from protocol import ack
from protocol.messages import ACCEPTED, REJECTED, UNKNOWN


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

    def remember(self, command_id, expires_at, state, error, now_ms, result=None):
        """Write the answer to a command that needs no more. Returns whether it is on flash."""
        timestamp = self._clock.now(now_ms)
        return self._journal.remember(command_id, expires_at, state, error, timestamp, result)

    def again(self, command_id):
        """The stored answer once more; one that says it will never run has to be on flash."""
        state, error, timestamp, result = self._journal.answer(command_id)
        if (state == REJECTED or error == "never") and not self._journal.kept(command_id):
            state, error = UNKNOWN, "storage"
        self._say(command_id, state, error, timestamp, result, None)

    def forgotten(self, command_id, now_ms):
        """It may have been here, and nobody can tell any more."""
        self.say(command_id, UNKNOWN, "forgotten", {}, now_ms)

    def _say(self, command_id, state, error, timestamp, result, message):
        said = ack(command_id, state, self._boot, timestamp, error, result, message)
        self._send("ack", said)
