"""A pond in virtual time: rules, people, a board that answers, and everything that goes wrong."""

import functools
import heapq
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peewee import fn

from backend.automations import rules
from backend.automations.models import Automation, AutomationExecution
from backend.database.models import Command, as_rows
from backend.delivery.lifecycle import IN_FLIGHT, OPEN, PENDING
from tests.automations.garden import DRAIN, FILL, OFF, ON, Garden
from tests.backend.conftest import Desk

TARGETS = ("valve1", "light1")
COOLDOWNS, HOLDS = (0, 20, 90), (0, 30, 120)
_UNDER_WAY = (PENDING, *IN_FLIGHT)


class Board:
    """Obeys as the firmware does: each id once, one dose at a time, asked again it says the same.

    `say(id, state, error, result)` answers; `later(ms, call)` plans.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.known: dict[str, tuple[str, str | None]] = {}
        self._dosing: set[str] = set()

    def hear(self, message: dict[str, Any]) -> None:
        kind, name = message["command_type"], message["command_id"]
        if kind in ("query", "cancel") and name in self._dosing and kind == "cancel":
            self._dosing.discard(name)
            self.known[name] = ("failed", "stopped")
        if name not in self.known:
            self.known[name] = self._begin(kind, message)
        state, error = self.known[name]
        self._world.answer(name, state, error, {"within": 40} if state == "accepted" else {})

    def _begin(self, kind: str, message: dict[str, Any]) -> tuple[str, str | None]:
        name, fate = message["command_id"], self._world.rng.random()
        if kind in ("query", "cancel"):
            return "failed", "never"
        if message["expires_at"] * 1000 < self._world.desk.now:
            return "rejected", "expired"
        if fate < 0.1:
            return ("rejected", "latched") if fate < 0.05 else ("failed", "hardware")
        if kind != "water" or message["parameters"]["action"] == "stop":
            return "completed", None
        self._dosing.add(name)
        self._world.later(message["parameters"]["seconds"] * 1000, lambda: self._end(name))
        return "accepted", None

    def _end(self, name: str) -> None:
        if name in self._dosing:
            self._dosing.discard(name)
            self.known[name] = ("completed", None)
            self._world.answer(name, "completed", None, {})


class World:
    """One run. `faults`: how likely a message is lost."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.desk = Desk(folder / f"{seed}.db")
        self.garden = Garden(self.desk)
        self.board, self.there = Board(self), True
        self.faults = self.rng.choice((0.0, 0.1, 0.4))
        self.counts: Counter[str] = Counter()
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._planned, self._judged = 0, 0
        self._plan_beats()

    def later(self, ms: int, call: Callable[[], object]) -> None:
        self._planned += 1
        heapq.heappush(self._events, (self.desk.now + ms, self._planned, call))

    def answer(self, name: str, state: str, error: str | None, result: dict[str, Any]) -> None:
        if self.there and self.rng.random() >= self.faults:
            delay = self.rng.randrange(2000)
            said = {"id": name}, state, error
            self.later(delay, lambda: self.desk.ack(*said, **result))

    def run(self, seconds: int) -> None:
        """Let time pass, with what was planned, and look after each transaction."""
        until = self.desk.now + seconds * 1000
        while True:
            due = self.desk.core.next_due()
            event = self._events[0][0] if self._events else until + 1
            at = min(event, until + 1 if due is None else max(due, self.desk.now))
            if at > until:
                break
            self.desk.now = max(at, self.desk.now)
            if event <= at:
                heapq.heappop(self._events)[2]()
            else:
                self.desk.tick()
            self.settle()
        self.desk.now = until

    def settle(self) -> None:
        """Hand on what was published, and hold the tables against the rules."""
        for _, message in self.desk.out.publish:
            if self.there and self.rng.random() >= self.faults:
                self.later(self.rng.randrange(1500), functools.partial(self.board.hear, message))
        self.desk.out.publish.clear()
        if self.desk.out.changes or self.desk.out.news:  # else nothing of this can have changed
            self.check()

    def anything(self) -> None:
        """Something happens."""
        what = self.rng.choices(
            (self.read, self.person, self.restart, self.leave, self.rule, self.switch),
            (70, 6, 3, 3, 2, 2),
        )[0]
        self.counts[what.__name__] += 1
        what()
        self.settle()

    def read(self) -> None:
        sensor = self.rng.choice(("oxygen1", "temperature1"))
        value = round(self.rng.gauss(4, 1.2), 2)
        self.garden.read(value, sensor, ago=self.rng.choice((0, 0, 0, 1, 5, 200)))

    def person(self) -> None:
        action = self.rng.choice((ON, OFF, FILL, DRAIN))
        if self.rng.random() < 0.2:
            self.desk.post("stop", "")
        else:
            asked = (action["command_type"], action["target"])
            self.desk.post(*asked, parameters=action["parameters"])

    def restart(self) -> None:
        self.desk.restart()
        self.desk.tick()

    def leave(self) -> None:
        self.there = not self.there
        if self.there:
            self.desk.heartbeat()
        else:
            self.desk.status("offline")

    def rule(self) -> None:
        actions = self.rng.choice(((ON, OFF), (FILL, DRAIN), (DRAIN, None), (OFF, ON)))
        self.garden.rule(
            name=f"rule {self.desk.now}",
            sensor=self.rng.choice(("oxygen1", "temperature1")),
            comparison=self.rng.choice(("above", "below")),
            for_s=self.rng.choice((0, 0, 20)),
            cooldown_s=self.rng.choice(COOLDOWNS),
            manual_hold_s=self.rng.choice(HOLDS),
            repeat_s=self.rng.choice((0, 0, 100)),
            silent_s=self.rng.choice((0, 50)),
            on_silence="clear" if actions[1] and self.rng.random() < 0.5 else "nothing",
            priority=self.rng.choice((300, 500, 500, 700)),
            action=actions[0],
            clear_action=actions[1],
        )

    def switch(self) -> None:
        found = list(Automation.select())
        if not found:
            return
        rule = self.rng.choice(found)
        wish = rules.Change(rule.id, {"enabled": not rule.enabled})
        self.garden.perform(self.rng.choice((wish, wish, rules.Remove(rule.id))))

    def check(self) -> None:
        """What must be true after every transaction."""
        rows = {row["id"]: row for row in as_rows(Command.select())}
        for one in AutomationExecution.select():
            command = rows.get(one.command_id)
            if one.status == "COMPLETED":
                assert command and command["status"] == "COMPLETED", one.id
            elif one.status in ("PENDING", "EXECUTING"):
                assert command and command["status"] in _UNDER_WAY, one.id
            if one.error == "outranked":
                assert json.loads(one.detail)["outranked_by"], one.id
        for row in rows.values():
            if row["cause"] and row["status"] in _UNDER_WAY:
                self._check_rank(row, rows)
        self._check_cooldown()

    def _check_rank(self, row: dict[str, Any], rows: dict[str, dict[str, Any]]) -> None:
        """Nothing weaker goes on beside something stronger on its target."""
        for other in rows.values():
            same = (other["board_id"], other["target"]) == (row["board_id"], row["target"])
            if same and other["status"] in _UNDER_WAY and other["priority"] > row["priority"]:
                mine = other["cause"].rpartition("/")[0] == row["cause"].rpartition("/")[0]
                assert mine or row["cancelling"], (row, other)
        if row["seq"] > self._judged:
            self._judged = row["seq"]
            self.counts["commands of rules"] += 1
            self._check_hold(row, rows)

    def _check_hold(self, row: dict[str, Any], rows: dict[str, dict[str, Any]]) -> None:
        rule = Automation.get_or_none(Automation.id == int(row["cause"].split("/")[1]))
        by_hand = [one for one in rows.values() if not one["cause"] and one["seq"] < row["seq"]
                   and (one["target"] == row["target"] or one["command_type"] == "stop")
                   and one["status"] not in _UNDER_WAY]  # fmt: skip
        last = max(by_hand, key=lambda one: one["seq"], default=None)
        if rule and last and last["status"] in ("COMPLETED", "FAILED", "UNKNOWN"):
            free_at = last["updated_at"] + rule.manual_hold_s * 1000
            assert row["created_at"] >= free_at or last["updated_at"] > row["created_at"]

    def _check_cooldown(self) -> None:
        for rule in Automation.select():
            mine = AutomationExecution.select().where(
                AutomationExecution.automation_id == rule.id,
                AutomationExecution.trigger == "crossed",
                AutomationExecution.command_id.is_null(False),
            )
            times = sorted(one.created_at for one in mine)
            for first, second in zip(times, times[1:], strict=False):
                assert second - first >= rule.cooldown_s * 1000, rule.id

    def open_ones(self) -> int:
        """How many executions have not ended."""
        where = AutomationExecution.status << ("PENDING", "EXECUTING")
        return int(
            AutomationExecution.select(fn.COUNT(AutomationExecution.id)).where(where).scalar()
        )

    def _plan_beats(self) -> None:
        if self.there:
            self.desk.heartbeat()
        self.later(10_000, self._plan_beats)


assert set(_UNDER_WAY) < set(OPEN)
