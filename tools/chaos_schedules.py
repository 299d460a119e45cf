"""The backend is killed around the second at which schedules are due, and within runs of many.

Every due time must have one run, every board of it one command, and every pulse at a pin its
command: the motors decide what is true. Every other kill is at a point of the backend's own work
(see chaos_crashing), the others at a random moment from a little before the second to after it.
"""

import contextlib
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.brokers.broker import EmbeddedBroker
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site
from tools.chaos_truth import FEEDS, feeder, judge_feeder, pulses_of

PIN = 16
BOARDS = {f"pond-{n}": {"feeder1": feeder(PIN)} for n in (1, 2)}
POINTS = ("before_commit", "after_commit", "between_publishes", "after_publish")
AHEAD_SECONDS = 2
EARLY, LATE = -0.3, 0.7  # seconds around the due one in which it is killed
LIFE = 20  # seconds: a journal has room for 48 commands that have not expired


class Planner:
    """Makes schedules and runs, kills the backend, and remembers what was promised."""

    def __init__(self, site: Site, choice: random.Random, report: Report) -> None:
        self._site, self._random, self._report = site, choice, report
        self._schedules: dict[int, int] = {}  # id -> when it is due (s since 1970)
        self._keys: list[str] = []

    def kill_at_a_moment(self) -> None:
        """The backend dies around the due second; half of the time within a run of many."""
        due = self._schedule(AHEAD_SECONDS)
        moment = due + self._random.uniform(EARLY, LATE)
        if self._random.random() < 0.5:
            self._bulk()
        _at(moment)
        self._site.backend.kill()
        self._report.count("killed around the second")
        self._site.start_backend()
        self._site.proxy.drop()  # so that the boards are heard at once

    def kill_at_a_point(self, point: str) -> None:
        """The backend dies in the middle of what it does when something is due."""
        self._schedule(AHEAD_SECONDS)
        self._site.backend.kill()
        nth = str(self._random.randint(1, 2))
        self._site.backend.start("tools.chaos_crashing", point, nth)
        self._site.proxy.drop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._site.backend.wait(AHEAD_SECONDS + 3)
            self._report.count(f"killed {point}")
        self._site.backend.kill()
        self._site.start_backend()
        self._site.proxy.drop()

    def settled(self) -> None:
        """Wait until every run is over. Raises TimeoutError."""
        until(lambda: all(run["ended_at"] for run in self._runs()))

    def judge(self) -> list[str]:
        """What is wrong with the runs."""
        out = []
        for number, due in self._schedules.items():
            dues = [_seconds(run["due_at"]) for run in self._runs_of(number)]
            if dues != [due]:
                out.append(f"schedule {number} was due at {due}, and ran for {dues}")
        bulk = self._site.api.get("bulk?limit=200")["runs"]
        if len(bulk) != len(self._keys):
            out.append(f"{len(self._keys)} commands to many were taken, {len(bulk)} are there")
        for run in self._runs():
            rows = self._site.api.get(f"bulk/{run['id']}/boards")["boards"]
            if sorted(row["board_id"] for row in rows) != sorted(BOARDS):
                out.append(f"run {run['id']} went to {rows}")
            out += [f"{row} has no command" for row in rows if not row["command_id"]]
            self._report.count("runs")
        return out

    def judge_board(self, board_id: str) -> list[str]:
        """What is wrong with a board's commands and the pulses at its pin."""
        commands = self._site.settle(board_id)
        pulses = pulses_of(self._site.board(board_id), PIN)
        for one in commands:
            self._report.count(f"commands {one['status']} {one['error'] or ''}".rstrip())
        self._report.count("pulses at the pins", len(pulses))
        twice = [cause for cause, n in Counter(c["cause"] for c in commands).items() if n > 1]
        out = [f"{cause} has two commands for {board_id}" for cause in twice]
        wanted = len(self._schedules) + len(self._keys)
        if len(commands) != wanted:
            out.append(f"{board_id} has {len(commands)} commands for {wanted} runs")
        return out + judge_feeder(commands, pulses)

    def _schedule(self, ahead: float) -> int:
        due = int(time.time() + ahead)
        at = datetime.fromtimestamp(due, UTC).isoformat()
        body = {**self._action(), "at": at, "expires_in": LIFE}
        status, made = self._site.api.call("POST", "schedules", body)
        if status != 201:
            raise ValueError(f"{body}: {status} {made}")
        self._schedules[made["id"]] = due
        return due

    def _bulk(self) -> None:
        """Two boards, a second apart: it dies between them, most of the time."""
        self._keys.append(f"many-{len(self._keys)}")
        body = {**self._action(), "per_minute": 60, "expires_in": LIFE}
        status, made = self._site.api.call("POST", "bulk", body, Idempotency_Key=self._keys[-1])
        if status != 202:
            raise ValueError(f"{body}: {status} {made}")

    def _action(self) -> dict[str, Any]:
        amount = {"amount": self._random.choice(FEEDS)}
        feed = {"command_type": "feed", "target": "feeder1", "parameters": amount}
        return {"boards": list(BOARDS), **feed}

    def _runs_of(self, number: int) -> list[Any]:
        found: list[Any] = self._site.api.get(f"schedules/{number}/runs")["runs"]
        return found

    def _runs(self) -> list[Any]:
        found = [run for number in self._schedules for run in self._runs_of(number)]
        return found + list(self._site.api.get("bulk?limit=200")["runs"])


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """`count` due seconds, with a kill at each; `tick` is called after each."""
    report = Report("schedules, and a backend killed when they are due")
    with Site(folder, BOARDS, make_broker) as site:
        planner = Planner(site, random.Random(seed), report)
        for number in range(count):
            if number % 2:
                planner.kill_at_a_point(POINTS[(seed + number // 2) % len(POINTS)])
            else:
                planner.kill_at_a_moment()
            tick()
        planner.settled()
        for board_id in BOARDS:
            report.blame(planner.judge_board(board_id))
        report.blame(planner.judge())
    return report


def _at(moment: float) -> None:
    """When the clock shows this (s since 1970)."""
    threading.Event().wait(max(moment - time.time(), 0))


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
