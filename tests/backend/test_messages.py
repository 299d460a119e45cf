"""The message log: what went out and came in, beside its command, without secrets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.delivery import messages
from backend.delivery.core import Core
from backend.delivery.messages import ALL, COMMANDS, OFF, MessageLog
from backend.delivery.upkeep import Options
from tests.backend.conftest import Desk

Told = list[tuple[str, str]]


def told(rows: list[dict[str, Any]]) -> Told:
    return [(row["direction"], row["kind"]) for row in rows]


@pytest.fixture
def logging_as(desk: Desk) -> Callable[[str], Desk]:
    """The same desk with another setting."""

    def begin(mode: str) -> Desk:
        desk.core = Core(desk.rng, options=Options(mode))
        desk.core.roster.listen(desk.now)
        return desk

    return begin


def test_a_command_has_all_that_was_said_about_it(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.at(13).tick()
    desk.ack(row, "accepted", within=5)
    desk.ack(row, "completed", grams=20)
    rows = messages.of_command(row["id"], 10)
    assert told(rows) == [("out", "feed"), ("out", "feed"), ("in", "ack"), ("in", "ack")]
    assert '"amount":20' in rows[0]["sample"] and '"grams":20' in rows[3]["sample"]
    assert all(row["size"] > 50 and row["board_id"] == "pond" for row in rows)
    assert [row["at"] for row in rows] == [desk.now - 13_000, *[desk.now] * 3]


@pytest.mark.parametrize(("mode", "logged"), [(OFF, 0), (COMMANDS, 1), (ALL, 4)])
def test_how_much_is_logged_is_a_setting(
    logging_as: Callable[[str], Desk], mode: str, logged: int
) -> None:
    desk = logging_as(mode)
    desk.startup()  # and the time it is told
    desk.heartbeat()
    desk.post()
    assert len(messages.of_board("pond", 10)) == logged


def test_secrets_are_in_no_row_and_not_in_the_file(
    logging_as: Callable[[str], Desk], tmp_path: Path
) -> None:
    desk = logging_as(ALL)
    desk.startup(has="sensors")
    wanted = {"wifi-0-ssid": "pond", "wifi-0-password": "hush-hush", "trial_s": 60}
    row = desk.post("update_config", "", parameters=wanted)
    desk.ack(row, "accepted", within=5)
    told: dict[str, Any] = {"broker-password": "hush-hush", "hold_s": 3}
    desk.ack(row, "completed", **told)
    samples = [one["sample"] for one in messages.of_command(row["id"], 10)]
    assert '"wifi-0-password":"***"' in samples[0] and '"wifi-0-ssid":"pond"' in samples[0]
    assert '"broker-password":"***"' in samples[2]
    assert "hush-hush" not in str([one.sample for one in MessageLog.select()])


def test_a_sample_is_bounded(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.ack(row, "completed", **{f"n{number}": "x" * 60 for number in range(10)})
    (said,) = messages.of_command(row["id"], 10)[1:]
    assert len(said["sample"]) == messages.SAMPLE < said["size"]


def test_pages_go_on_where_the_last_one_ended(desk: Desk) -> None:
    desk.startup()
    rows = [desk.post(target=target) for target in ("feeder1", "feeder2")]
    first = messages.of_board("pond", 1)
    assert [one["command_id"] for one in first] == [rows[1]["id"]]
    rest = messages.of_board("pond", 5, first[0]["id"])
    assert [one["command_id"] for one in rest] == [rows[0]["id"]]


def test_both_questions_are_answered_by_an_index(desk: Desk) -> None:
    for where, name in (
        ("command_id = 'x' AND (command_id <> '')", "message_log_command"),
        ("board_id = 'x' ORDER BY id DESC", "message_log_board"),
    ):
        plan = desk.database.execute_sql(
            f"EXPLAIN QUERY PLAN SELECT * FROM message_log WHERE {where}"
        ).fetchall()
        assert name in str(plan)
