"""Random scenes among random troubles: nothing raises, and what is recorded is what happened."""

import random
from pathlib import Path
from typing import Any

import pytest

from backend.brokers.outbox import Outbox
from backend.database.models import Command
from backend.errors import Refusal
from backend.scenes import rows
from backend.scenes.rows import SceneRun, SceneStep
from tests.dialects.conftest import START
from tests.scenes.conftest import BOARD, Stage, mqtt

WORDS = {"light": ("ON", "OFF"), "steam": ("1", "0"), "motor1": ("ON:5:L", "DIR:R", "OFF")}
TROUBLES = ("nothing", "nothing", "answer", "answer", "answer", "error", "offline", "online",
            "pause", "resume", "stop", "broker", "button", "person", "kill", "clock")  # fmt: skip
SEEDS = 12


class Day:
    """A stage whose outbox is emptied as time passes; `wire` is what boards were told."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self.stage, self.rng, self.wire = Stage(path), rng, list[tuple[int, str]]()
        self._later: list[tuple[int, str]] = []
        self._ahead()

    def _ahead(self) -> None:
        self.outbox = Outbox()
        self.stage.core.parts.scenes.plays_ahead(self.outbox)

    def scene(self) -> Any:
        """Two states with a few actions, and a button between them."""
        rng = self.rng

        def action() -> Any:
            target = rng.choice(list(WORDS))
            policy = rng.choice(["continue", "retry", "abort", "safe"])
            return mqtt(target, rng.choice(WORDS[target]), onFailure=policy)

        def state(goto: str) -> Any:
            timeline = [{"at": rng.random() * 4, **action()} for _ in range(rng.randrange(5))]
            leaves = [
                {"type": "timeout", "delay": rng.random() * 5, "goto": goto},
                {"type": "mqttMessage", "topic": "room1/go", "message": "1", "goto": "B"},
            ]
            return {"onEnter": [action()], "timeline": timeline, "transitions": leaves}

        return {"initialState": "A", "states": {"A": state("B"), "B": state("END")}}

    def out(self) -> None:
        """What one transaction has said goes out, now or later."""
        stage = self.stage
        for _, row in stage.out.changes:
            if row["cancelling"] or row["status"] != "SENT":
                self.outbox.withdraw(row["id"])
        for _, message in stage.out.publish:
            name = message["command_id"]
            at = stage.out.later.get(name)
            if at is None:
                self.wire.append((stage.now, name))
            else:
                self.outbox.put(name, at, lambda: True)
                self._later.append((at, name))
        stage.out.changes.clear()
        stage.out.publish.clear()

    def until(self, now: int) -> None:
        """Time passes."""
        stage = self.stage
        while (due := stage.core.next_due()) is not None and due <= now:
            stage.now = max(stage.now, due)
            self._send()
            stage.tick()
            self.out()
        stage.now = now
        self._send()

    def _send(self) -> None:
        for one in [one for one in self._later if one[0] <= self.stage.now]:
            self._later.remove(one)
            if self.outbox.withdraw(one[1]):
                self.wire.append(one)

    def trouble(self, what: str, run: int) -> None:
        """Something happens."""
        stage, scenes = self.stage, self.stage.core.parts.scenes
        target = self.rng.choice(list(WORDS))
        if what in ("answer", "error"):
            stage.say(f"room1/{target}/feedback", "OK" if what == "answer" else "ERROR")
        elif what in ("offline", "online"):
            stage.say(f"devices/{BOARD}/status", what)
        elif what in ("pause", "resume", "stop") and run in scenes.going:
            paused = scenes.going[run].run.paused_at is not None
            if paused != (what == "pause"):
                stage.control(run, what)
        elif what == "broker":
            up = stage.core.roster.listening_since(stage.core.roster.all()[1]) is None
            stage.core.roster.listen(stage.now if up else None)
        elif what == "button":
            stage.hear("room1/go", "1")
        elif what == "person":
            stage.post(BOARD, "switch", "light", state="off")
        elif what == "kill":
            self._later.clear()
            stage.restart()
            self._ahead()
            stage.tick()
        elif what == "clock":
            stage.core.clock_set(5_000, stage.now + 5_000)
            self._later = [(at + 5_000, name) for at, name in self._later]
            stage.now += 5_000
        self.out()


@pytest.mark.parametrize("number", range(SEEDS))
def test_records_are_true_whatever_happens(tmp_path: Path, seed: int, number: int) -> None:
    rng = random.Random(seed * 1000 + number)
    day = Day(tmp_path / "test.db", rng)
    stage = day.stage
    run = stage.play(day.scene())
    day.out()
    for _ in range(60):
        day.until(stage.now + rng.randrange(300))
        day.trouble(rng.choice(TROUBLES), run)
        if run not in stage.core.parts.scenes.going and rng.random() < 0.3:
            try:
                run = stage.play(day.scene())
            except Refusal:
                continue
            day.out()
    day.until(stage.now + 200_000)
    judge(day)
    stage.database.close()


def judge(day: Day) -> None:
    """What is in the tables against what went over the wire."""
    going = SceneRun.select().where(SceneRun.status << rows.GOING)
    assert [one.id for one in going if one.status != rows.PAUSED] == []
    told = {name for _, name in day.wire}
    stands = {one.id: one.status for one in Command.select()}
    for step in SceneStep.select():
        about = (step.text, step.status, step.detail, stands.get(str(step.command_id)))
        if step.status in (rows.OK, rows.LATE):
            assert stands[str(step.command_id)] in ("COMPLETED", "FAILED"), about
            assert step.command_id in told, about
        assert step.status not in (rows.SENT, rows.WAITING), about
        if step.status in (rows.SIMULATED, rows.NOT_SENT):
            assert step.command_id not in told, about
    causes = {one.id: one.cause for one in Command.select()}
    of_steps = {one.command_id for one in SceneStep.select()}
    assert all(name in of_steps for name in told if causes[name]), "sent, and no step says so"
    assert day.stage.now > START
