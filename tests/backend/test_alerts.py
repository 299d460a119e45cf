"""Alerts: once when a board fails again and again, once when it is well; across restarts."""

from typing import Any

import pytest

from backend.delivery.core import Core
from backend.delivery.upkeep import Options
from backend.fleet import alerts
from backend.fleet.alerts import Alert, Rule
from tests.backend.conftest import Desk

STEP = 0.1
ENDS = {
    "c": ("completed", None),
    "f": ("failed", "hardware"),
    "r": ("rejected", "busy"),
    "s": ("failed", "stopped"),
    "l": ("rejected", "latched"),
}


class Board:
    """`pond` that does or does not do what it is told; `told` is what was told of it, in order."""

    def __init__(self, desk: Desk, rule: Rule) -> None:
        self.desk, self.rule, self.told, self.second = desk, rule, list[str](), 0.0
        self.restart()
        desk.startup()

    def restart(self) -> None:
        self.desk.core = Core(self.desk.rng, options=Options(rule=self.rule))
        self.desk.core.roster.listen(self.desk.now)
        self.desk.heartbeat() if self.told else None

    def does(self, *states: str) -> "Board":
        """Commands that end so: c(ompleted), f(ailed), r(ejected), s(topped), l(atched)."""
        for state in "".join(states):
            self.second += STEP
            row = self.desk.at(self.second).post()
            out = self.desk.ack(row, *ENDS[state])
            self.told += ["ends" if one["until_at"] else "begins" for one in out.alerts]
        return self


@pytest.fixture
def board(desk: Desk) -> Board:
    return Board(desk, Rule())


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ("ff", ""),
        ("fcfcfc", ""),
        ("fff", "begins"),
        ("frf", "begins"),
        ("slslsl", ""),
        ("fflsf", "begins"),
        ("ffffff", "begins"),
        ("fffcc", "begins"),
        ("fffccc", "begins ends"),
        ("fffccfccc", "begins ends"),
        ("fffcccff", "begins ends"),
        ("fffcccfff", "begins ends begins"),
        ("ccfcffccff", "begins"),  # half of ten
        ("ccfccccffcfccc", ""),
    ],
)
def test_it_is_told_once_when_it_begins_and_once_when_it_ends(
    board: Board, states: str, told: str
) -> None:
    assert " ".join(board.does(states).told) == told
    rows = alerts.find(10)
    assert len(rows) == told.count("begins")
    assert sum(row["until_at"] is None for row in rows) == told.count("begins") - told.count(
        "ends"
    )


def test_it_says_what_failed_last_and_how_often(board: Board) -> None:
    board.does("fffcr")
    (row,) = alerts.find(10)
    assert (row["board_id"], row["failures"], row["error"]) == ("pond", 4, "busy")


@pytest.mark.parametrize("at", range(1, 9))
def test_a_restart_at_any_time_changes_nothing(board: Board, at: int) -> None:
    states = "fffcccfff"
    board.does(states[:at])
    board.restart()
    board.desk.startup()
    board.does(states[at:])
    assert board.told == ["begins", "ends", "begins"]


def test_no_answer_is_a_failure_and_counts_once(board: Board) -> None:
    desk = board.desk
    rows = []
    for target in ("feeder1", "feeder2", "light1"):
        kind: Any = {"command_type": "switch", "parameters": {"state": "off"}}
        rows.append(desk.post(target=target, **(kind if target == "light1" else {})))
    told = []
    for second in range(10, 70, 10):
        told += desk.at(second).heartbeat().alerts
        told += desk.at(second + 5).tick().alerts
    assert [desk.stands(row) for row in rows] == ["UNKNOWN"] * 3
    assert len(told) == 1
    assert not desk.ack(rows[0], "failed", "hardware").alerts
    assert Alert.get().failures == 3


def test_what_expired_unsent_is_no_failure_of_the_board(board: Board) -> None:
    desk = board.desk
    desk.status("offline")
    rows = [desk.post(target=target) for target in ("feeder1", "feeder2") * 2]
    desk.at(100).tick()
    assert [desk.stands(row) for row in rows] == ["EXPIRED"] * 4
    assert alerts.find(10) == []


def test_other_numbers_are_a_setting(desk: Desk) -> None:
    board = Board(desk, Rule(after=5, clear_after=1))
    assert board.does("ffff").told == []
    assert board.does("f").told == ["begins"]
    assert board.does("c").told == ["begins", "ends"]
