"""Boards that nobody knows: listed, bounded, limited in rate, and never trusted."""

import contextlib
from pathlib import Path

import pytest

from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.database.models import Board
from backend.delivery.core import Batch
from backend.errors import Conflict
from backend.fleet import boards, newcomers
from backend.fleet.newcomers import Announcement, claims_of
from backend.fleet.provisioning import Enrolment, Mapping
from tests.backend.conftest import START, Desk
from tests.backend.fleet import announce, done, site, stands
from tests.backend.running import PASSWORD, Station, eventually
from tests.backend.test_running import resident_bytes
from tests.support.mqtt import Client

FLOOD = 10_000


def test_a_stranger_is_listed_and_may_not_be_commanded(desk: Desk) -> None:
    announce(desk, "new-1", firmware="0.1.0", actuators={"pump": {}, "light": {}}, key="x")
    board = desk.core.roster.get("new-1")
    assert board and (board.state, board.online) == ("pending_mapping", None)
    assert board.claims == {"board": "ESP32", "firmware": "0.1.0", "actuators": "pump, light"}
    assert desk.out.boards["new-1"] is board and desk.out.publish == []
    with pytest.raises(Conflict, match="is pending_mapping: map it to a site first"):
        desk.post("ping", "", board_id="new-1")
    assert "new-1" not in boards.passwords()
    desk.restart()
    again = desk.core.roster.get("new-1")
    assert again and again.claims == board.claims and again.announced_at == desk.now


def test_mapped_it_is_a_board_whose_key_it_has_to_be_given(desk: Desk) -> None:
    site()
    announce(desk, "new-1")
    done(desk, Mapping("new-1", "lake", "ann"))
    assert stands("new-1")[:2] == ("active", "lake") and "new-1" in boards.passwords()
    assert desk.core.ingest.read("devices/new-1/status", b"{}") is None
    assert desk.core.refused["malformed"] + desk.core.refused["bad_signature"] == 1


def test_enrolled_it_is_told_its_key(desk: Desk) -> None:
    announce(desk, "new-1")
    told = done(desk, Enrolment("new-1", "ann", pending=True))
    assert told["password"] == boards.passwords()["new-1"]
    assert stands("new-1")[0] == "pending_mapping"
    announce(desk, "new-1")  # somebody without the key: the row is not a stranger's any more
    assert boards.credentials("new-1") == told


def test_of_another_dialect_it_is_what_its_reader_says(desk: Desk) -> None:
    site()
    one = Announcement("AABBCCDDEEFF", "esp32cam", {"firmware": "3.5.0", "sleeps": True})
    desk.core.apply(Batch([], [], [], announced=[one]), desk.now)
    row = boards.get("AABBCCDDEEFF")
    assert (row.dialect, row.sleeps) == ("esp32cam", True)
    done(desk, Mapping("AABBCCDDEEFF", "lake", "ann"))
    assert stands("AABBCCDDEEFF")[:2] == ("active", "lake")


def test_a_last_will_announces_nobody(desk: Desk) -> None:
    announce(desk, "new-1", leaf="status", status="offline")
    assert desk.core.roster.get("new-1") is None


def test_what_is_said_again_is_noted_once_a_minute(desk: Desk) -> None:
    announce(desk, "new-1", firmware="1")
    announce(desk.at(30), "new-1", firmware="1")
    assert boards.get("new-1").announced_at == START
    announce(desk.at(60), "new-1", firmware="1")
    assert boards.get("new-1").announced_at == desk.now


def test_what_it_says_besides_is_added(desk: Desk) -> None:
    """A board says that it is online before it says what it is."""
    announce(desk, "new-1", "status", status="online")
    announce(desk, "new-1", firmware="2")
    board = desk.core.roster.get("new-1")
    assert board and board.claims == {"board": "ESP32", "status": "online", "firmware": "2"}
    for start in (0, 100):
        said = {f"name{number}": "x" for number in range(start, start + 100)}
        one = Announcement("new-1", "esp32cam", said)
        desk.core.apply(Batch([], [], [], announced=[one]), desk.now)
    assert len(board.claims) == newcomers.CLAIMS_MAX and board.claims["name100"] == "x"


def flood(desk: Desk, count: int) -> None:
    said = [Announcement(f"x-{number}", "answerback", b"{}") for number in range(count)]
    desk.core.apply(Batch([], [], [], announced=said), desk.now)


def test_a_flood_costs_a_few_rows_and_is_counted(desk: Desk) -> None:
    flood(desk, FLOOD)
    assert Board.select().count() == 1 + newcomers.BURST
    assert desk.core.refused["unknown_board"] == FLOOD - newcomers.BURST
    announce(desk.at(2), "honest")
    assert desk.core.roster.get("honest")


def test_the_longest_unheard_go_first_and_those_with_a_key_stay(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "PENDING_MAX", 3)
    done(desk, Enrolment("ours", "ann", pending=True))
    for second in range(6):
        announce(desk.at(second), f"x-{second}")
    announce(desk.at(100), "x-3")
    announce(desk.at(101), "x-6")
    rows = {row.id for row in Board.select()}
    assert rows == {"pond", "ours", "x-3", "x-5", "x-6"}
    assert {board.board_id for board in desk.core.roster.all()} == rows


def test_ten_thousand_strangers_do_not_disturb_the_ones_we_know(tmp_path: Path) -> None:
    """Over a real broker, at full speed."""
    with contextlib.closing(Station(tmp_path, EmbeddedBroker)) as station:
        flooder = Client(station.broker, BACKEND_USER, PASSWORD, client_id="flooder")
        flooder.connect()
        refused = station.backend.health()["refused"]
        assert refused == {}

        def flood(first: int) -> None:
            before = station.backend.health()["refused"].get("unknown_board", 0)
            for number in range(first, first + FLOOD // 2):
                flooder.send(f"devices/x-{number}/data/startup", b'{"firmware": "9"}' * 100)
            seen = station.backend.health
            enough = before + FLOOD // 2 - 2 * newcomers.BURST
            eventually(lambda: seen()["refused"].get("unknown_board", 0) >= enough)

        for first in (0, FLOOD):  # until what is kept, and the database's cache, are full
            flood(first)
        memory = resident_bytes()
        flood(2 * FLOOD)
        posted = station.feed()
        station.answer(station.next_command(), "accepted", "completed")
        eventually(lambda: station.backend.command(posted["id"])["status"] == "COMPLETED")
        assert resident_bytes() - memory < 8_000_000
        assert Board.select().count() < 3 * newcomers.BURST
        flooder.close()


@pytest.mark.parametrize(
    ("said", "claims"),
    [
        (b"\xff\xfe", {}),
        (b"[1]", {}),
        (b"{" * 4000, {}),
        (b'{"firmware": "' + b"x" * 5000 + b'"}', {}),
        (b'{"firmware": "' + b"x" * 500 + b'"}', {"firmware": "x" * 64}),
        (b'{"firmware": "a\\u0000\\ud800"}', {"firmware": "a?"}),
        (b'{"firmware": 1e400, "board": {"b": 1}, "cause": null}', {"board": "b", "cause": None}),
    ],
)
def test_hostile_claims_are_cut_to_size(said: bytes, claims: dict[str, object]) -> None:
    assert claims_of(said) == claims
