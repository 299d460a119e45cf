"""Who is there: every board's last word of itself, in memory.

`online` is None until the board was heard or enough time has passed since we began to listen: a
restart of the backend, or of the broker, is no fleet-wide outage. The database hears only of a new
boot and of what it said of itself.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from protocol.limits import HEARTBEAT_SECONDS

from backend.dialects.registry import DIALECTS
from backend.models import ACTIVE
from backend.sensors import Crossing, Reading

# Three beats may be lost before a board counts as offline. That long we also listen before any
# board that was not heard does.
SILENCE_MS = (3 * HEARTBEAT_SECONDS + 5) * 1000
LEFT_MAX = 4


@dataclass(slots=True)
class Presence:
    """One board as last heard. `key` is its 32 bytes, times are ms since 1970.

    `site`: the id of the site it belongs to; `state`, `dialect`: see models.Board.
    `sensors`: the last reading of each, by name; `limits`: how each is, by sensor.limit.
    `asleep_until`: it sleeps, and will wake then; it is offline, but not missed before.
    `left`: the boots before this one, as far as we were there, each with its last session;
    `doubted`: see `believe`. `options`: see models.Board. `hold`: the types of command that are
    not to be sent to it just now.
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
    running: dict[str, str] = field(default_factory=dict)
    latched: bool = False
    slot: str = ""
    slot_state: str = ""
    heap: int = 0
    rssi: int = 0
    uptime: int = 0
    sensors: dict[str, Reading] = field(default_factory=dict)
    limits: dict[str, Crossing] = field(default_factory=dict)
    asleep_until: int | None = None
    left: dict[str, int] = field(default_factory=dict)
    doubted: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    hold: frozenset[str] = frozenset()

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
        self.boot, self.session = boot, session
        return True


class Roster:
    """All boards that may be commanded, and the order in which they were last heard."""

    def __init__(self) -> None:
        self._boards: dict[str, Presence] = {}
        self._heard: OrderedDict[str, None] = OrderedDict()  # online boards, longest silent first
        self._listening_since: int | None = None
        self.version = 0  # grows with every board that is added or changed

    def add(self, presence: Presence) -> None:
        """Know a board from now on; may be called from any thread."""
        # A new dict: another thread may be walking through the old one.
        self._boards = {**self._boards, presence.board_id: presence}
        self.version += 1

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
        listening = self._listening_since is not None
        return listening and board is not None and board.online is not False

    def heard(self, board: Presence, now: int) -> bool:
        """Note a sign of life; True where the board was not online before."""
        came = board.online is not True
        board.online, board.last_seen, board.asleep_until = True, now, None
        if DIALECTS[board.dialect].silence_ms is not None:
            self._heard[board.board_id] = None
            self._heard.move_to_end(board.board_id)
        return came

    def gone(self, board: Presence) -> bool:
        """Note that a board has left; True where it was not known to be offline before."""
        left = board.online is not False
        board.online, board.running = False, {}
        self._heard.pop(board.board_id, None)
        return left

    def listen(self, now: int | None) -> None:
        """We hear the broker from `now` on (ms), or, with None, hear nothing any more.

        Either way nothing is known of any board until it is heard.
        """
        self._listening_since = now
        for board in self._boards.values():
            board.online = None
        self._heard.clear()

    def shift(self, by: int) -> None:
        """The clock was set by so many ms: nobody has been silent for longer, or less, by that."""
        if self._listening_since is not None:
            self._listening_since += by
        for board in self._boards.values():
            if board.last_seen is not None:
                board.last_seen += by

    def silent(self, now: int) -> list[Presence]:
        """The boards that have been silent for too long; call `gone` for each."""
        if self._listening_since is None:
            return []
        out = []
        for board_id in self._heard:
            board = self._boards[board_id]
            if (board.last_seen or 0) + SILENCE_MS > now:
                break
            out.append(board)
        if self._listening_since + SILENCE_MS <= now:
            out += [board for board in self._boards.values() if board.online is None]
        return out

    def next_due(self) -> int | None:
        """When `silent` may next have something to say, or None."""
        if self._listening_since is None:
            return None
        times = [(self._boards[name].last_seen or 0) for name in list(self._heard)[:1]]
        if any(board.online is None for board in self._boards.values()):
            times.append(self._listening_since)
        return min(times) + SILENCE_MS if times else None
