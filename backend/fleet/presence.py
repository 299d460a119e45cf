"""Who is there: every board's last word of itself, in memory.

`online` is None until the board was heard or enough time has passed since we began to listen: a
restart of the backend, or of the broker, is no fleet-wide outage. The database hears only of a new
boot, of what it said of itself, and of its coming and going: see `downtime`.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from backend.database.models import ACTIVE
from backend.dialects.registry import DIALECTS
from backend.fleet.sensors import Crossing, Reading
from backend.fleet.silence import Deadlines, Pace

# For boards that were not heard since we began to listen: see `silence`.
SILENCE_MS = Pace().limit_ms
# How much later than it said a board may wake before it is missed.
WAKE_GRACE_MS = 60_000
LEFT_MAX = 4


@dataclass(slots=True)
class Presence:
    """One board as last heard. `key` is its 32 bytes, times are ms since 1970.

    `site`: the id of the site it belongs to; `state`, `dialect`, `sleeps`, `labels`,
    `next_wake_at`, `claims`, `announced_at`: see models.Board.
    `has`: what it has beside actuators, such as "camera sleep".
    `sensors`: the last reading of each, by name; `limits`: how each is, by sensor.limit.
    `pictures`: those that are not whole yet, by id: see `Pictures.show`.
    `asleep_until`: it sleeps, and will wake then; it is offline, but not missed before.
    `left`: the boots before this one, as far as we were there, each with its last session;
    `doubted`: see `believe`. `options`: see models.Board. `hold`: the types of command that are
    not to be sent to it just now; `pace`: how often it beats.
    """

    board_id: str
    key: bytes
    name: str = ""
    site: str | None = None
    state: str = ACTIVE
    dialect: str = "answerback"
    sleeps: bool = False
    labels: list[str] = field(default_factory=list)
    next_wake_at: int | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    announced_at: int | None = None
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
    options: dict[str, Any] = field(default_factory=dict)
    hold: frozenset[str] = frozenset()
    pace: Pace = field(default_factory=Pace)

    @property
    def facts(self) -> dict[str, Any]:
        """What its dialect has to know to read and write."""
        names = ("board_id", "key", "actuators", "options")
        return {name: getattr(self, name) for name in names}

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
    """All boards, whatever their state, and the order in which they were last heard.

    Each is heard by one link: the one of its site, where that has one (it then has the site's
    name), else by the default one, "".
    """

    def __init__(self, own: frozenset[str] = frozenset()) -> None:
        self._boards: dict[str, Presence] = {}
        self._changing = threading.Lock()
        self._heard = Deadlines()  # of online boards: when their silence is too long
        self._asleep = Deadlines()  # of boards that sleep: when they are overdue
        self._own = own  # the sites that have a link of their own
        self._up: dict[str, int] = {}  # the links that are up, and since when
        self._overdue: dict[str, int] = {}  # when what a link has not heard till then is offline
        self.version = 0  # grows with every board that is added or changed

    def add(self, presence: Presence) -> None:
        """Know a board from now on; may be called from any thread."""
        # A new dict: another thread may be walking through the old one.
        with self._changing:
            self._boards = {**self._boards, presence.board_id: presence}
            self.version += 1
        link = self.link_of(presence)
        if presence.online is None and link in self._up:
            self._overdue.setdefault(link, 0)

    def unsure(self, board: Presence, now: int) -> None:
        """Nothing is known of a board until its link has heard it, or not for long enough."""
        self._doubt([board])
        if (link := self.link_of(board)) in self._up:
            self._overdue[link] = now + SILENCE_MS

    def remove(self, board_id: str) -> None:
        """Know a board no more."""
        with self._changing:
            self._boards = {name: one for name, one in self._boards.items() if name != board_id}
            self.version += 1
        self._heard.pop(board_id)
        self._asleep.pop(board_id)

    def link_of(self, board: Presence) -> str:
        """The name of the link by which a board is heard and commanded."""
        return board.site if board.site in self._own else ""

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
        """True where the board may be there: its link is up, and it is not known to be offline."""
        board = self._boards.get(board_id)
        return board is not None and board.online is not False and self.link_of(board) in self._up

    def heard(self, board: Presence, now: int) -> bool:
        """Note a sign of life; True where the board was not online before."""
        came = board.online is not True
        board.online, board.last_seen, board.asleep_until = True, now, None
        if DIALECTS[board.dialect].silence_ms is not None:
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

    def listening_since(self, board: Presence) -> int | None:
        """Since when a board would have been heard (ms), or None while its link is down."""
        return self._up.get(self.link_of(board))

    def listen(self, now: int | None, link: str = "") -> list[Presence]:
        """A link hears its boards from `now` on (ms), or, with None, hears nothing any more.

        Either way nothing is known of its boards until they are heard: they are given back.
        """
        if now is None:
            self._up.pop(link, None)
            self._overdue.pop(link, None)
        else:
            self._up[link] = now
            self._overdue[link] = now + SILENCE_MS
        return self._doubt([one for one in self._boards.values() if self.link_of(one) == link])

    def route(self, own: frozenset[str], now: int) -> list[Presence]:
        """These sites have links of their own from now on. Gives back the boards that have another
        link than before: nothing is known of them until they are heard by it.
        """
        changed, self._own = self._own ^ own, own
        boards = self._doubt([one for one in self._boards.values() if one.site in changed])
        for link in {self.link_of(board) for board in boards} & self._up.keys():
            self._overdue[link] = now + SILENCE_MS
        return boards

    def shift(self, by: int) -> None:
        """The clock was set by so many ms: only sleep ends at a time of day, silence does not."""
        for times in (self._up, self._overdue):
            for link, at in times.copy().items():
                times[link] = at + by
        self._heard.shift(by)
        for board in self._boards.values():
            if board.last_seen is not None:
                board.last_seen += by
            board.pace.shift(by)

    def silent(self, now: int) -> list[Presence]:
        """The boards that have been silent for too long; call `gone` for each."""
        out = [self._boards[board_id] for board_id in self._heard.over(now)]
        if over := {link for link, at in self._overdue.copy().items() if at <= now}:
            for link in over:
                self._overdue.pop(link, None)
            boards = self._boards.values()
            out += [one for one in boards if one.online is None and self.link_of(one) in over]
        return out

    def overslept(self, now: int) -> list[Presence]:
        """The boards that should have woken, and were not heard."""
        return [self._boards[board_id] for board_id in self._asleep.over(now)]

    def next_due(self) -> int | None:
        """When `silent` or `overslept` may next have something to say, or None."""
        times = [self._heard.next(), self._asleep.next(), *self._overdue.copy().values()]
        return min((time for time in times if time is not None), default=None)

    def _doubt(self, boards: list[Presence]) -> list[Presence]:
        for board in boards:
            board.online = None
            self._heard.pop(board.board_id)
            self._asleep.pop(board.board_id)
        return boards
