"""Users: they post, repeat themselves, lose patience, and remember what they were promised."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from backend.delivery.dispatcher import stops
from backend.delivery.wishes import Cancellation, NewCommand
from backend.errors import Refusal
from tests.simulation.backend import Backend
from tests.simulation.board import SENSOR
from tests.simulation.world import World

# (command type, target, weight): what is asked for, and how often.
WISHES = (
    ("feed", "feeder1", 44),
    ("water", "valve1", 18),
    ("motor", "motor1", 9),
    ("switch", "light1", 6),
    ("switch", "air1", 3),
    ("ping", "", 5),
    ("stop", "feeder1", 2),
    ("stop", "valve1", 2),
    ("stop", "", 1),
    ("emergency_stop", "", 1),
    ("clear_stop", "", 6),
    ("restart", "", 2),
    ("feed", "nobody", 1),
    ("feed", "valve1", 1),
)
_KINDS = [(kind, target) for kind, target, _ in WISHES]
_WEIGHTS = [weight for _, _, weight in WISHES]

GAPS_MS = (200, 1_500, 4_000, 8_000)

# (seconds a command may wait, weight); None: the default.
LIVES = ((None, 50), (1, 5), (3, 8), (8, 8), (20, 8), (60, 5), (300, 12), (1800, 4))


class Users:
    """They post to `boards`, `gap_ms` apart on average, until `enough()`.

    `promised`: {id: what was asked for} of all that was answered 202. `broken`: promises that were
    not kept, as text.
    """

    def __init__(
        self, world: World, backend: Backend, boards: list[str], enough: Callable[[], bool]
    ) -> None:
        self._world, self._backend, self._boards = world, backend, boards
        self._enough, self._gap_ms = enough, world.rng.choice(GAPS_MS)
        self._by_key: dict[str, str] = {}
        self.promised: dict[str, NewCommand] = {}
        self.broken: list[str] = []
        self.posted = 0
        world.after(1000, self._next)

    def _next(self) -> None:
        if self._enough():
            return
        new = self._wish()
        self.posted += 1
        self._post(new)
        if new.idempotency_key and self._world.chance(0.3):
            self._world.after(self._world.between(0, 30_000), self._post, new)
        if new.idempotency_key and self._world.chance(0.05):
            other = replace(new, parameters={**new.parameters, "seconds": 7})
            self._world.after(self._world.between(0, 30_000), self._post, other)
        gap = self._world.rng.expovariate(1 / self._gap_ms)
        self._world.after(1 + min(int(gap), 20 * self._gap_ms), self._next)

    def _wish(self) -> NewCommand:
        rng = self._world.rng
        kind, target = rng.choices(_KINDS, _WEIGHTS)[0]
        lives = rng.choices([life for life, _ in LIVES], [weight for _, weight in LIVES])[0]
        key = f"key-{self.posted}" if self._world.chance(0.4) else None
        board = rng.choice(self._boards)
        parameters = self._parameters(kind, target)
        only_if = () if stops(kind, parameters) or self._world.chance(0.8) else self._conditions()
        about = (lives, "ann", key)
        return NewCommand(board, kind, target, parameters, *about, conditions=only_if)

    def _conditions(self) -> tuple[dict[str, Any], ...]:
        """One or two things a command depends on."""
        world, made = self._world, []
        for _ in range(world.between(1, 2)):
            if world.chance(0.5):
                limit, value = world.rng.choice(("below", "above")), world.between(1, 9)
                made.append({"sensor": SENSOR, limit: value, "max_age_s": world.between(1, 8)})
            else:
                output = world.rng.choice(("feeder1", "valve1", "motor1", "light1", "air1"))
                made.append({"output": output, "is": world.rng.choice(("on", "off", "off"))})
        return tuple(made)

    def _parameters(self, kind: str, target: str) -> dict[str, Any]:
        world = self._world
        seconds = world.between(1, 12) if world.chance(0.95) else world.between(30, 120)
        if kind == "feed":
            return {"amount": round(world.rng.uniform(0.1, 12.0) * seconds, 1)}
        if kind == "water":
            action = world.rng.choices(("fill", "drain", "stop"), (45, 45, 10))[0]
            return {"action": action} | ({} if action == "stop" else {"seconds": seconds})
        if kind == "motor":
            return self._motor(seconds)
        if kind == "switch":
            on = {"state": "on"} | ({"seconds": seconds} if world.chance(0.5) else {})
            return on if world.chance(0.7) else {"state": "off"}
        return {}

    def _motor(self, seconds: int) -> dict[str, Any]:
        speed = self._world.between(1, 100)
        start = {"action": "start", "speed": speed, "seconds": seconds}
        others: list[dict[str, Any]] = [{"action": "speed", "speed": speed}, {"action": "stop"}]
        return self._world.rng.choices([start, *others], (60, 20, 20))[0]

    def _post(self, new: NewCommand, tries: int = 0) -> None:
        self._world.note("POST", new.board_id, new.command_type, new.target, new.parameters)
        heard: list[Any] = []

        def on_answer(answer: Any) -> None:
            heard.append(answer)
            self._answered(new, answer)

        try:
            there = self._backend.ask(new, on_answer)
        except Refusal as why:
            self._world.counts["refused_" + why.code] += 1
            return
        if tries < 3:
            wait = self._world.between(1_000, 15_000)
            self._world.after(wait if there else 2_000, self._insist, new, heard, tries + 1)

    def _insist(self, new: NewCommand, heard: list[Any], tries: int) -> None:
        """No answer: who has a key may ask again without harm."""
        if not heard and new.idempotency_key:
            self._world.counts["posted_again"] += 1
            self._post(new, tries)

    def _answered(self, new: NewCommand, answer: Any) -> None:
        if isinstance(answer, Refusal):
            self._world.counts["refused_" + answer.code] += 1
            return
        row, created = answer
        self._world.note("202", row["id"], "" if created else "again")
        self.promised.setdefault(row["id"], new)
        self._check_key(new, row["id"])
        if created and self._world.chance(0.12):
            self._world.after(self._world.between(0, 30_000), self._cancel, row["id"])

    def _check_key(self, new: NewCommand, command_id: str) -> None:
        if new.idempotency_key is None:
            return
        if self._by_key.setdefault(new.idempotency_key, command_id) != command_id:
            self.broken.append(f"{new.idempotency_key} made a second command, {command_id}")

    def _cancel(self, command_id: str) -> None:
        self._world.note("CANCEL", command_id)
        self._world.counts["cancels"] += 1
        self._backend.ask(Cancellation(command_id, "ann"), self._cancelled)

    def _cancelled(self, answer: Any) -> None:
        if isinstance(answer, Refusal):
            self._world.counts["cancel_" + answer.code] += 1
