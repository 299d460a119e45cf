"""What the board says about a command: written in the journal first, then sent as an ack."""

from protocol import ack
from protocol.messages import ACCEPTED


class Answers:
    """`send(kind, message)` must not raise; what it can't deliver will be asked for again."""

    def __init__(self, boot, clock, journal, send):
        self._boot, self._clock, self._journal, self._send = boot, clock, journal, send

    def say(self, command_id, state, error, result, now_ms, message=None):
        """Send an ack without writing anything. `message` is for people."""
        timestamp = self._clock.now(now_ms)
        self._say(command_id, state, error, timestamp, result, message)

    def accepted(self, command_id, within_s, now_ms):
        """The command is on flash and will have a result in `within_s` seconds at most."""
        self.say(command_id, ACCEPTED, None, {"within": within_s}, now_ms)

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
        """The stored answer once more."""
        state, error, timestamp, result = self._journal.answer(command_id)
        self._say(command_id, state, error, timestamp, result, None)

    def _say(self, command_id, state, error, timestamp, result, message):
        said = ack(command_id, state, self._boot, timestamp, error, result, message)
        self._send("ack", said)
