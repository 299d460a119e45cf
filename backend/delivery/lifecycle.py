"""The lifecycle of a command: one table, and the one function that applies it.

Rules of this file:
- a status only ever moves forward, from less known to more known; UNKNOWN is an open question that
  the board's journal can still settle, never a failure;
- an event that is not in the table for the status at hand is a late or doubled message: it raises
  IllegalTransition, and nothing has changed;
- nothing here knows of databases, messages or clocks.
"""

PENDING = "PENDING"
SENT = "SENT"
ACKNOWLEDGED = "ACKNOWLEDGED"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"
CANCELLED = "CANCELLED"
UNKNOWN = "UNKNOWN"

# The first status of every command, before any event.
START = PENDING
STATUSES = (
    PENDING,
    SENT,
    ACKNOWLEDGED,
    COMPLETED,
    FAILED,
    REJECTED,
    EXPIRED,
    CANCELLED,
    UNKNOWN,
)
IN_FLIGHT = (SENT, ACKNOWLEDGED)
OPEN = (PENDING, SENT, ACKNOWLEDGED, UNKNOWN)
ENDED = (COMPLETED, FAILED, REJECTED, EXPIRED, CANCELLED)

# Events of the backend itself.
SEND = "send"  # handed to the broker, for the first time or again
EXPIRE = "expire"  # too late, and never sent: it certainly did not run
CANCEL = "cancel"  # a person, or a stop, wants it no more
GIVE_UP = "give_up"  # sent, and no ack while there was still time
OVERDUE = "overdue"  # accepted, and no result in the time the board named
REBOOTED = "rebooted"  # the board that accepted it has started anew since
ASK = "ask"  # the board is asked what it did with this id
FOUND = "found"  # what the board says of itself shows that it was carried out
# Events from the board carry the names of ack states: accepted, progress, completed, ...

TABLE: dict[tuple[str, str], str] = {
    (PENDING, SEND): SENT,
    (PENDING, EXPIRE): EXPIRED,
    (PENDING, CANCEL): CANCELLED,
    (SENT, SEND): SENT,
    (SENT, CANCEL): SENT,  # the board is asked to drop it; its answer decides
    (SENT, "accepted"): ACKNOWLEDGED,
    (SENT, "completed"): COMPLETED,
    (SENT, "failed"): FAILED,
    (SENT, "rejected"): REJECTED,
    (SENT, "cancelled"): CANCELLED,
    (SENT, "unknown"): UNKNOWN,
    (SENT, GIVE_UP): UNKNOWN,
    (ACKNOWLEDGED, CANCEL): ACKNOWLEDGED,
    (ACKNOWLEDGED, ASK): ACKNOWLEDGED,
    (ACKNOWLEDGED, "progress"): ACKNOWLEDGED,
    (ACKNOWLEDGED, "completed"): COMPLETED,
    (ACKNOWLEDGED, "failed"): FAILED,
    (ACKNOWLEDGED, "cancelled"): CANCELLED,
    (ACKNOWLEDGED, "unknown"): UNKNOWN,
    (ACKNOWLEDGED, OVERDUE): UNKNOWN,
    (ACKNOWLEDGED, REBOOTED): UNKNOWN,
    (UNKNOWN, ASK): UNKNOWN,
    (UNKNOWN, CANCEL): UNKNOWN,
    (UNKNOWN, "accepted"): UNKNOWN,  # it has it and works on it: the result is still to come
    (UNKNOWN, "progress"): UNKNOWN,
    (UNKNOWN, "completed"): COMPLETED,
    (UNKNOWN, FOUND): COMPLETED,
    (UNKNOWN, "failed"): FAILED,
    (UNKNOWN, "rejected"): REJECTED,
    (UNKNOWN, "cancelled"): CANCELLED,
    (UNKNOWN, "unknown"): UNKNOWN,  # the board itself can't tell, now or ever
}


class IllegalTransition(Exception):
    """This event does not apply to a command in this status; nothing has changed."""

    def __init__(self, status: str, event: str) -> None:
        super().__init__(f"{event!r} does not apply to a command that is {status}")
        self.status, self.event = status, event


def move(status: str, event: str) -> str:
    """The status after `event`. Raises IllegalTransition."""
    try:
        return TABLE[status, event]
    except KeyError:
        raise IllegalTransition(status, event) from None
