"""What the backend refuses, and why: the web side turns each of these into one HTTP status."""


class Refusal(Exception):
    """Something asked for that is not done: `code` (stable text), `field` and `reason`."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.code, self.field, self.reason = code, field, reason


class Invalid(Refusal):
    """The request itself is wrong (400)."""


class NotFound(Refusal):
    """There is no such board or command (404)."""


class Forbidden(Refusal):
    """Whoever asks is known, and may not (403)."""


class Conflict(Refusal):
    """It can't be done in the state things are in (409)."""


class Busy(Refusal):
    """Too much is under way; the same request may pass in `retry_after` seconds (429)."""

    def __init__(self, code: str, reason: str, retry_after: int) -> None:
        super().__init__(code, "", reason)
        self.retry_after = retry_after


class Slow(Refusal):
    """No answer in time: it may still be done (503). The same request, under the same
    Idempotency-Key, may tell in `retry_after` seconds.
    """

    def __init__(self, code: str, field: str, reason: str, retry_after: int) -> None:
        super().__init__(code, field, reason)
        self.retry_after = retry_after
