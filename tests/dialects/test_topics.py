"""The bounds of what is kept of topics and failures, and what survives a restart."""

from pathlib import Path

import pytest

from backend.application import Application
from backend.brokers import parsing, topics
from backend.brokers.parsing import ParsingLog
from backend.brokers.topics import DiscoveredTopic
from backend.settings import Settings
from tests.backend.running import eventually
from tests.dialects.conftest import Hall
from tools.brokers import free_port

STATUS = "devices/esp32_01/status"


def rows() -> dict[str, int]:
    return {row.topic: row.count for row in DiscoveredTopic.select()}


def test_a_flood_of_topics_leaves_room_for_honest_ones(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "STRANGE_MAX", 10)
    for number in range(50):
        hall.say(f"devices/nobody-{number}/ack", "x")
    hall.at(5).say(STATUS, "online")
    listener = hall.core.ingest.listener
    assert len(listener.topics) == 11 and listener.topics.beyond == 40
    hall.at(10).tick()
    assert len(rows()) == 11 and rows()[STATUS] == 1


def test_a_strange_topic_that_is_long_quiet_makes_room(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "STRANGE_MAX", 2)
    for name in ("old", "new"):
        hall.at(7200 * (name == "new")).say(f"devices/{name}/ack", "x")
    hall.tick()
    hall.say("devices/newest/ack", "x")
    hall.at(7300).tick()
    assert set(rows()) == {"devices/new/ack", "devices/newest/ack"}


def test_a_topic_longer_than_any_of_ours_is_not_kept(hall: Hall) -> None:
    hall.say("devices/" + "x" * 60_000, "x")
    assert len(hall.core.ingest.listener.topics) == 0


def test_a_switch_survives_a_restart(hall: Hall) -> None:
    hall.say(STATUS, "online")
    hall.at(2).tick()
    hall.core.ingest.listener.topics.switch(STATUS, False)
    hall.restart()
    hall.say(STATUS, "online")
    assert hall.online("esp32_01") is None
    assert hall.core.refused["switched_off"] == 1
    hall.core.close(hall.now)
    assert rows()[STATUS] == 1 + 1


def test_counts_are_written_when_the_backend_ends(hall: Hall) -> None:
    for _ in range(5):
        hall.say(STATUS, "online")
    hall.core.close(hall.now)
    assert rows()[STATUS] == 5


def test_failures_are_folded_cut_and_bounded(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "KEPT", 5)
    monkeypatch.setattr(parsing, "BUFFERED", 3)
    read = hall.core.ingest.read
    for number in range(6):
        for _ in range(4):
            read(f"devices/esp32_0{number}/ack", b"\x00\xff" * 5000)
    assert hall.core.ingest.listener.parsing.beyond == 3 * 4
    hall.tick()
    assert [row.count for row in ParsingLog.select()] == [4, 4, 4]
    assert {len(row.sample) <= 5000 for row in ParsingLog.select()} == {True}
    for number in range(20):
        hall.at(1 + number).say(f"devices/more-{number}/ack", "x")
    assert ParsingLog.select().count() == 5


def test_a_bug_in_a_parser_is_logged_and_ends_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(payload: bytes) -> str:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("backend.dialects.museum._word", broken)
    hall.say(STATUS, "online")
    row = ParsingLog.get()
    assert (row.error_type, row.exception_type) == ("UNKNOWN_ERROR", "ZeroDivisionError")
    assert "a bug" in row.traceback and hall.core.refused["unknown_error"] == 1


def test_patterns_to_discover_may_be_heard(tmp_path: Path) -> None:
    """The embedded broker grants what the settings ask for, a wildcard's own level too."""
    settings = Settings(
        tmp_path,
        broker_port=free_port(),
        http_port=free_port(),
        dialects=("esp32cam", "museum"),
        discover=("room2/#", "hall/+/button"),
    )
    application = Application(settings)
    application.start()
    try:
        eventually(application.backend.healthy)
        application.enroll("esp32_01", dialect="museum", options={"targets": {"a": "room3/a"}})
        assert ("room3/status", 0) in application.backend.subscriptions()
        eventually(application.backend.healthy)
        assert application.backend.health()["mqtt"]["error"] is None
    finally:
        application.stop()


def test_a_flood_of_failures_is_written_once_a_second(hall: Hall) -> None:
    for number in range(50):
        hall.at(0.1 * number).say(f"devices/nobody-{number}/ack", "x")
    assert 40 < ParsingLog.select().count() < 50
    assert len({row.at for row in ParsingLog.select()}) == 5
    assert (hall.core.next_due() or 0) <= hall.now + parsing.FLUSH_MS
    hall.at(6).tick()
    assert ParsingLog.select().count() == 50
