"""Who is there: every board's last word of itself, in memory.

`online` is None until the board was heard or enough time has passed since we began to listen: a
restart of the backend, or of the broker, is no fleet-wide outage. The database hears only of a new
boot, of what it said of itself, and of its coming and going (see `downtime`).
"""

from dataclasses import dataclass, field
from typing import Any

from backend.models import ACTIVE
from backend.sensors import Crossing, Reading
from backend.silence import Deadlines, Pace

# For boards that were not heard since we began to listen: see `silence`.
SILENCE_MS = Pace().limit_ms
# How much later than it said a board may wake before it is missed.
WAKE_GRACE_MS = 60_000
LEFT_MAX = 4


@dataclass(slots=True)
class Presence:
    """One board as last heard. `key` is its 32 bytes, times are ms since 1970.

    `site`: the id of the site it belongs to; `state`, `dialect`: see models.Board.
    `has`: what it has beside actuators, such as "camera sleep".
    `sensors`: the last reading of each, by name; `limits`: how each is, by sensor.limit.
    `pictures`: those that are not whole yet, by id: see `Pictures.show`.
    `asleep_until`: it sleeps, and will wake then; it is offline, but not missed before.
    `pace`: how often it beats.
    `left`: the boots before this one, as far as we were there, each with its last session;
    `doubted`: see `believe`.
    """

    board_id: str
    key: bytes
    name: str = ""
    site: str | None = None
    state: str = ACTIVE
    dialect: str = "answerback"
    online: bool | None = None
    last_seen: int | None = None
    boot: str = ""
    session: int = 0
    firmware: str = ""
    board: str = ""
    actuators: dict[str, dict[str, Any]] = field(default_factory=dict)
    has: str = ""
    running: dict[str, str] = field(default_factory=dict)
    latched: bool = False
    slot: str = ""
    slot_state: str = ""
    heap: int = 0
    rssi: int = 0
    uptime: int = 0
    sensors: dict[str, Reading] = field(default_factory=dict)
    limits: dict[str, Crossing] = field(default_factory=dict)
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)
    asleep_until: int | None = None
    left: dict[str, int] = field(default_factory=dict)
    doubted: str = ""
    pace: Pace = field(default_factory=Pace)

    def believe(self, boot: str, session: int) -> bool:
        """Take (boot, session) for the board's own; False where the message is a late one.

        Within a boot, sessions only go up. A boot that was never heard of is the newest. One that
        the board had left is believed at its second message in a row: a single one is late, but if
        we have once taken a late one for the newest, the board does not stay unheard for that.
        """
        doubted, self.doubted = self.doubted, ""
        if session < (self.session if boot == self.boot else self.left.get(boot, 0)):
            return False
        if boot != self.boot:
            if boot in self.left and boot != doubted:
                self.doubted = boot
                return False
            self.left = dict([*self.left.items(), (self.boot, self.session)][-LEFT_MAX:])
        if (boot, session) != (self.boot, self.session):
            self.pace.beat_at = None
        self.boot, self.session = boot, session
        return True


class Roster:
    """All boards that may be commanded, and the order in which they were last heard."""

    def __init__(self) -> None:
        self._boards: dict[str, Presence] = {}
        self._heard = Deadlines()  # of online boards: when their silence is too long
        self._asleep = Deadlines()  # of boards that sleep: when they are overdue
        self._up = False
        self.listening_since: int | None = None
        self._overdue: int | None = None  # when what was not heard till then is offline

    def add(self, presence: Presence) -> None:
        """Know a board from now on; may be called from any thread."""
        # A new dict: another thread may be walking through the old one.
        self._boards = {**self._boards, presence.board_id: presence}
        if self._up and presence.online is None and self._overdue is None:
            self._overdue = 0

    def get(self, board_id: str) -> Presence | None:
        """The board of this id, or None."""
        return self._boards.get(board_id)

    def all(self) -> list[Presence]:
        """Every board, by id."""
        return [self._boards[board_id] for board_id in sorted(self._boards)]

    def is_online(self, board_id: str) -> bool:
        """True where the board was heard lately."""
        board = self._boards.get(board_id)
        return board is not None and board.online is True

    def may_hear(self, board_id: str) -> bool:
        """True where the board may be there: we hear the broker, and not that it is offline."""
        board = self._boards.get(board_id)
        return self._up and board is not None and board.online is not False

    def heard(self, board: Presence, now: int) -> bool:
        """Note a sign of life; True where the board was not online before."""
        came = board.online is not True
        board.online, board.last_seen, board.asleep_until = True, now, None
        self._heard.set(board.board_id, now + board.pace.limit_ms)
        self._asleep.pop(board.board_id)
        return came

    def gone(self, board: Presence) -> bool:
        """Note that a board has left; True where it was not known to be offline before."""
        left = board.online is not False
        board.online, board.running = False, {}
        self._heard.pop(board.board_id)
        return left

    def sleeps(self, board: Presence) -> None:
        """Note until when a board that is offline sleeps: before that, it is not missed."""
        if board.asleep_until is None:
            self._asleep.pop(board.board_id)
        else:
            self._asleep.set(board.board_id, board.asleep_until + WAKE_GRACE_MS)

    def listen(self, now: int | None) -> None:
        """We hear the broker from `now` on (ms), or, with None, hear nothing any more.

        Either way nothing is known of any board until it is heard.
        """
        self._up = now is not None
        self._overdue = None if now is None else now + SILENCE_MS
        self.listening_since = now
        for board in self._boards.values():
            board.online = None
        self._heard.clear()
        self._asleep.clear()

    def shift(self, by: int) -> None:
        """The clock was set by so many ms: nobody has been silent for longer, or less, by that.

        Sleep ends at a time of day, which does not move along.
        """
        if self._overdue is not None:
            self._overdue += by
        if self.listening_since is not None:
            self.listening_since += by
        self._heard.shift(by)
        for board in self._boards.values():
            if board.last_seen is not None:
                board.last_seen += by
            if board.pace.beat_at is not None:
                board.pace.beat_at += by

    def silent(self, now: int) -> list[Presence]:
        """The boards that have been silent for too long; call `gone` for each."""
        out = [self._boards[board_id] for board_id in self._heard.over(now)]
        if self._overdue is not None and self._overdue <= now:
            self._overdue = None
            out += [board for board in self._boards.values() if board.online is None]
        return out

    def overslept(self, now: int) -> list[Presence]:
        """The boards that should have woken, and were not heard."""
        return [self._boards[board_id] for board_id in self._asleep.over(now)]

    def next_due(self) -> int | None:
        """When `silent` or `overslept` may next have something to say, or None."""
        times = (self._heard.next(), self._asleep.next(), self._overdue)
        return min((time for time in times if time is not None), default=None)
