"""What is kept beside commands: its settings, a fleet that comes and goes, boards that retire."""

import time

import pytest

from backend import settings
from backend.database.models import Board
from backend.database.retention import TABLES
from backend.delivery.core import Batch, Core
from backend.fleet import alerts, boards, downtime
from backend.fleet.alerts import Rule
from backend.fleet.downtime import Downtime
from backend.fleet.provisioning import Retirement
from tests.backend.conftest import START, Desk
from tests.backend.fleet import done

FLEET = 400


def test_the_settings_reach_what_they_are_of() -> None:
    given = {"MESSAGE_LOG": "ALL", "RETENTION": "90, messages=7", "ALERT_AFTER": "5"}
    options = settings.load(given).upkeep
    assert (options.message_log, options.rule) == ("all", Rule(after=5))
    assert options.days == {**dict.fromkeys(TABLES, 90), "messages": 7}
    assert settings.load({}).upkeep == settings.Settings().upkeep


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MESSAGE_LOG", "some"),
        ("RETENTION", "moon=3"),
        ("RETENTION", "messages=-1"),
        ("RETENTION", "30,"),
        ("RETENTION", "999999"),
        ("ALERT_AFTER", "0"),
        ("ALERT_SHARE", "101"),
        ("ALERT_CLEAR_AFTER", "often"),
        ("METRICS", "everybody"),
    ],
)
def test_a_wrong_one_is_named_with_what_to_use(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: .*; use "):
        settings.load({name: text})


def test_a_retired_board_is_neither_away_nor_alerted_of(desk: Desk) -> None:
    desk.startup()
    for _ in range(3):
        desk.ack(desk.post(), "failed", "hardware")
    desk.at(5).status("offline")
    assert downtime.find("pond", 9)[0]["until_at"] is None
    desk.at(9)
    done(desk, Retirement("pond", "ann"))
    assert downtime.find("pond", 9)[0]["until_at"] == desk.now
    assert alerts.find(9)[0]["until_at"] == desk.now
    assert [one["until_at"] for one in desk.out.alerts] == [desk.now]
    desk.at(90).tick()
    assert len(downtime.find("pond", 9)) == 1


def test_a_whole_fleet_that_goes_and_comes_is_written_in_few_statements(desk: Desk) -> None:
    key = boards.credentials("pond")["key"]
    common = {"name": "", "key": key, "password": "", "created_at": START, "boot": "b1"}
    rows = [{"id": f"b{number}", **common} for number in range(FLEET)]
    with desk.database.atomic():
        Board.insert_many(rows).execute()
    desk.restart()
    beat = {"boot": "b1", "session": 1, "uptime": 1, "heap": 1, "rssi": -50,
            "running": {}, "latched": False, "dropped": {}}  # fmt: skip
    said = desk.signed("heartbeat", beat)
    heard = [desk.core.ingest.read(f"devices/b{n}/data/heartbeat", said) for n in range(FLEET)]
    desk.hear(heard)
    statements: list[str] = []
    desk.database.connection().set_trace_callback(statements.append)
    desk.at(36).tick()
    gone = len(statements)
    assert Downtime.select().where(Downtime.until_at.is_null()).count() == FLEET
    began = time.process_time()
    desk.at(60).hear(heard)
    assert time.process_time() - began < 2
    desk.database.connection().set_trace_callback(None)
    assert Downtime.select().where(Downtime.until_at == desk.now).count() == FLEET
    assert gone < 60


def test_a_backend_that_begins_anew_with_a_fleet_reports_no_outage(desk: Desk) -> None:
    desk.startup()
    desk.at(500)
    desk.core = Core(desk.rng)
    desk.core.roster.listen(desk.now)
    out = desk.core.apply(Batch([], [], []), desk.now)
    assert not out.boards and Downtime.select().count() == 0
