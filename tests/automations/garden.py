"""The board `pond` with a sensor and rules, spoken for by the test, in a time of its own."""

from typing import Any

from backend.automations import executions, rules
from backend.automations.models import Automation
from backend.delivery import commands
from backend.delivery.core import Batch
from backend.delivery.work import Task
from tests.backend.conftest import START, Desk

ON: dict[str, Any] = {"board_id": "pond", "command_type": "switch", "target": "light1",
      "parameters": {"state": "on"}}  # fmt: skip
OFF: dict[str, Any] = {**ON, "parameters": {"state": "off"}}
FILL: dict[str, Any] = {"board_id": "pond", "command_type": "water", "target": "valve1",
        "parameters": {"action": "fill", "seconds": 30}}  # fmt: skip
DRAIN: dict[str, Any] = {**FILL, "parameters": {"action": "drain", "seconds": 30}}
OXYGEN: dict[str, Any] = {"name": "Aerator", "board_id": "pond", "sensor": "oxygen1",
          "comparison": "below", "at": 4.0, "hysteresis": 1.0,
          "action": ON, "clear_action": OFF}  # fmt: skip


class Garden:
    """What a test asks of a desk where rules are at work."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.there = desk, True
        desk.startup()

    def leave(self) -> None:
        """The board is offline."""
        self.there = False
        self.desk.status("offline")

    def come(self) -> None:
        """The board is back."""
        self.there = True
        self.desk.heartbeat()

    def perform(self, task: Task) -> Any:
        """What a task answers; its Refusal is raised."""
        self.desk.out = self.desk.core.apply(Batch([], [], [], [("me", task)]), self.desk.now)
        answer = self.desk.out.tasks[0][1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def rule(self, **values: Any) -> int:
        """The id of a new rule, which is OXYGEN but for these values, made two seconds ago."""
        self.desk.now -= 2000
        made = self.perform(rules.Make({**OXYGEN, **values}))
        self.desk.now += 2000
        return int(made["id"])

    def read(self, value: float, sensor: str = "oxygen1", ago: int = 0) -> None:
        """The sensor is read now, or was so many seconds ago; and what follows from it."""
        one = {"sensor": sensor, "value": value, "unit": "mg/l",
               "timestamp": self.desk.now // 1000 - ago}  # fmt: skip
        self.desk.say("data/sensors", "sensors", {"boot": "b1", "readings": [one], "failed": {}})

    def at(self, seconds: float) -> "Garden":
        """Let time pass until so many seconds after the start, stopping where something is due;
        the board beats where it is there.
        """
        until = START + int(seconds * 1000)
        while self.desk.now < until:
            self._pass(min(until, self.desk.now + 10_000))
            if self.there:
                self.desk.heartbeat()
        self.desk.tick()
        return self

    def _pass(self, until: int) -> None:
        while (due := self.desk.core.next_due()) is not None and due <= until:
            self.desk.now = max(due, self.desk.now)
            self.desk.tick()
        self.desk.now = until

    def done(self, state: str = "completed", error: str | None = None, **result: Any) -> None:
        """The board answers the newest command of a rule."""
        command = self.commands()[-1]
        self.desk.ack(command, state, error, **result)

    def commands(self) -> list[dict[str, Any]]:
        """What rules have asked for, oldest first."""
        return [row for row in commands.find(limit=200)[::-1] if row["cause"]]

    def told(self, rule_id: int | None = None) -> list[tuple[str, str, str | None]]:
        """(trigger, status, error) of each execution, oldest first."""
        found = executions.find(200, automation_id=rule_id)[::-1]
        return [(one["trigger"], one["status"], one["error"]) for one in found]

    def last(self, rule_id: int | None = None) -> dict[str, Any]:
        """The newest execution."""
        return executions.find(1, automation_id=rule_id)[0]

    def row(self, rule_id: int) -> Automation:
        """The rule as the table has it."""
        return rules.get(rule_id)
