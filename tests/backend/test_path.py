"""One command from the click to the end, and every way it can go wrong on the way."""

import pytest

from backend.database import store
from backend.delivery import commands
from backend.errors import Conflict, Invalid, NotFound
from backend.web.boards import CATALOGUE
from tests.backend.conftest import Desk


def test_the_straight_way(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    assert desk.sent() == [("feed", row["id"])]
    desk.ack(row, "accepted", within=2)
    desk.ack(row, "completed", grams=20)
    assert desk.steps(row) == ["PENDING", "SENT", "ACKNOWLEDGED", "COMPLETED"]
    assert commands.get(row["id"])["result"] == {"grams": 20}
    desk.at(1).tick()  # its topics are noted
    assert desk.core.next_due() == desk.now + 34_000  # only the board's silence is waited for


def test_a_startup_is_answered_with_the_time_and_its_echo(desk: Desk) -> None:
    out = desk.startup("abc", 7)
    _, message = out.publish[0]
    assert message["command_type"] == "time"
    assert message["parameters"] == {"boot": "abc", "session": 7}
    assert message["timestamp"] == desk.now // 1000


def test_it_waits_for_a_board_that_is_away_and_no_try_is_burned(desk: Desk) -> None:
    row = desk.post()
    assert desk.sent() == []
    desk.at(50).startup()
    assert desk.sent() == [("feed", row["id"])]
    assert commands.get(row["id"])["attempt"] == 1


def test_never_sent_and_too_late_is_expired(desk: Desk) -> None:
    row = desk.post(expires_in=10)
    assert desk.core.next_due() == desk.now + 10_000
    desk.at(10).tick()
    assert desk.stands(row) == "EXPIRED"
    desk.at(11).startup()
    assert desk.sent() == []


def test_no_answer_is_sent_again_under_the_same_id_three_times(desk: Desk) -> None:
    desk.startup()
    row = desk.post(expires_in=3600)
    sent = desk.sent()
    for second in range(1, 200):
        desk.at(second).heartbeat()
        sent += desk.sent()
        desk.tick()
        sent += desk.sent()
    assert sent[:4] == [("feed", row["id"])] * 4
    assert {kind for kind, _ in sent[4:]} == {"query"}
    assert desk.stands(row) == "UNKNOWN"


def test_sent_and_never_answered_is_an_open_question_not_a_failure(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.status("offline")
    desk.at(63).tick()
    assert desk.stands(row) == "UNKNOWN"
    assert store.next_due() is None
    desk.at(900).startup("b2")
    assert desk.sent() == [("query", row["id"])]
    desk.ack(row, "failed", "never", boot="b2")
    assert desk.stands(row) == "FAILED"
    assert commands.get(row["id"])["error"] == "never"


def test_a_board_that_rebooted_in_the_middle_is_asked(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.ack(row, "accepted", within=30)
    desk.at(5).startup("b2")
    assert desk.stands(row) == "UNKNOWN"
    assert desk.sent() == [("query", row["id"])]
    desk.ack(row, "unknown", "interrupted", boot="b2", ran_ms=700)
    assert desk.stands(row) == "UNKNOWN"
    assert commands.get(row["id"])["error"] == "interrupted"
    desk.at(900).startup("b3")
    assert desk.sent() == []  # it has said all it knows


def test_a_board_that_may_know_more_later_is_asked_again(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.ack(row, "unknown", "storage")
    assert desk.stands(row) == "UNKNOWN"
    desk.at(15).tick()
    assert desk.sent() == [("query", row["id"])]
    desk.ack(row, "failed", "never")
    assert desk.stands(row) == "FAILED"


def test_the_same_boot_connecting_again_goes_on(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.ack(row, "accepted", within=30)
    desk.at(5).startup("b1", 2)
    assert desk.stands(row) == "ACKNOWLEDGED"


def test_no_result_in_time_is_asked_about(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.ack(row, "accepted", within=2)
    desk.at(6.9).tick()
    assert desk.stands(row) == "ACKNOWLEDGED"
    desk.at(7).tick()
    assert desk.stands(row) == "UNKNOWN"
    assert desk.sent() == [("query", row["id"])]
    desk.ack(row, "completed", grams=20)
    assert desk.stands(row) == "COMPLETED"


def test_late_and_doubled_answers_change_nothing(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    for state in ("accepted", "completed", "accepted", "failed", "completed", "unknown"):
        desk.ack(row, state)
    assert desk.steps(row) == ["PENDING", "SENT", "ACKNOWLEDGED", "COMPLETED"]
    assert desk.core.refused["illegal_transition"] == 4


def test_a_board_can_answer_only_for_its_own_commands(desk: Desk) -> None:
    desk.startup()
    row = desk.post()
    desk.ack({"id": "someone-elses"}, "completed")
    assert desk.core.refused["unknown_command"] == 1
    assert desk.stands(row) == "SENT"


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("devices/nobody/ack", "unknown_board"),
        ("devices/p@nd/ack", "malformed"),
        (f"devices/{'x' * 65}/status", "malformed"),
        ("devices/pond/ack", "bad_signature"),
    ],
)
def test_what_is_not_understood_is_counted_by_reason(desk: Desk, topic: str, reason: str) -> None:
    assert desk.core.ingest.read(topic, b"{}") is None
    assert desk.core.refused == {reason: 1}


def test_one_at_a_time_on_a_target_and_others_beside_it(desk: Desk) -> None:
    desk.startup()
    first, second, other = desk.post(), desk.post(), desk.post(target="feeder2")
    assert [desk.stands(row) for row in (first, second, other)] == ["SENT", "PENDING", "SENT"]
    desk.ack(first, "accepted", within=2)
    assert desk.sent() == []
    desk.ack(first, "completed")
    assert desk.sent() == [("feed", second["id"])]


def test_a_restart_of_the_backend_loses_nothing(desk: Desk) -> None:
    desk.startup()
    sent, waiting = desk.post(), desk.post()
    desk.restart()
    desk.at(1).heartbeat()
    assert desk.sent() == [("feed", sent["id"])]
    desk.ack(sent, "rejected", "busy")
    assert desk.sent() == [("feed", waiting["id"])]


def test_cancel_before_it_was_sent_is_certain(desk: Desk) -> None:
    row = desk.post()
    assert desk.cancel(row)["status"] == "CANCELLED"
    assert isinstance(desk.cancel(row), Conflict)
    assert isinstance(desk.cancel({"id": "no-such"}), NotFound)


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [("cancelled", "cancelled", "CANCELLED"), ("completed", None, "COMPLETED"),
     ("failed", "stopped", "FAILED"), ("failed", "never", "CANCELLED")],
)  # fmt: skip
def test_cancel_later_is_asked_and_the_board_decides(
    desk: Desk, answer: str, error: str | None, status: str
) -> None:
    desk.startup()
    row = desk.post()
    assert desk.cancel(row)["status"] == "SENT"
    assert desk.sent() == [("cancel", row["id"])]
    desk.at(15).heartbeat()
    assert desk.sent() == [("cancel", row["id"])]
    desk.ack(row, answer, error)
    assert desk.stands(row) == status


def test_a_stop_overtakes_and_calls_off_what_waits(desk: Desk) -> None:
    desk.startup()
    running = desk.post("water", "valve1", parameters={"action": "fill", "seconds": 60})
    desk.ack(running, "accepted", within=60)
    waiting = desk.post("water", "valve1", parameters={"action": "drain", "seconds": 60})
    stop = desk.post("water", "valve1", parameters={"action": "stop"})
    assert desk.sent() == [("water", stop["id"])]
    assert desk.stands(waiting) == "CANCELLED"
    assert desk.stands(running) == "ACKNOWLEDGED"  # the board ends it and says so


def test_a_stop_also_asks_for_what_was_sent_and_not_answered(desk: Desk) -> None:
    desk.startup()
    lost = desk.post()
    stop = desk.post("emergency_stop", "")
    assert desk.sent() == [("emergency_stop", stop["id"]), ("cancel", lost["id"])]


def test_nothing_starts_while_a_stop_of_the_whole_board_is_under_way(desk: Desk) -> None:
    desk.startup()
    stop = desk.post("stop", "")
    after = desk.post()
    assert desk.stands(after) == "PENDING"
    desk.ack(stop, "completed")
    assert desk.sent() == [("feed", after["id"])]


def test_a_repeated_idempotency_key_is_the_same_command(desk: Desk) -> None:
    first = desk.post(idempotency_key="k1")
    assert desk.post(idempotency_key="k1")["id"] == first["id"]
    assert desk.post(idempotency_key="k2")["id"] != first["id"]
    assert desk.post(idempotency_key="k1", user="bob")["id"] != first["id"]
    assert isinstance(desk.post(idempotency_key="k1", target="feeder2"), Conflict)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"command_type": "dance"}, "command_type"),
        ({"command_type": "query"}, "command_type"),
        ({"target": "feeder9"}, "target"),
        ({"target": "light1"}, "target"),
        ({"parameters": {}}, "parameters.amount"),
        ({"parameters": {"amount": -1}}, "parameters.amount"),
        ({"parameters": {"amount": 1, "x": 1}}, "parameters.x"),
        ({"expires_in": 0}, "expires_in"),
        ({"idempotency_key": ""}, "Idempotency-Key"),
        ({"reason": "x" * 201}, "reason"),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(
    desk: Desk, wrong: dict[str, object], field: str
) -> None:
    desk.startup()
    with pytest.raises(Invalid) as why:
        desk.post(**wrong)  # type: ignore[arg-type]
    assert why.value.field == field
    assert commands.find() == []


def test_how_long_it_may_wait_goes_by_what_it_is(desk: Desk) -> None:
    release = {"version": "1", "url": "http://x/r", "sha256": "0a" * 32}
    lives = [
        ("feed", "feeder1", {"amount": 1}, 60),
        ("clear_stop", "", {}, 60),
        ("get_config", "", {}, 60),
        ("update_config", "", {"hold_s": 5}, 86_400),
        ("set_wake_schedule", "", {"seconds": 60}, 86_400),
        ("update_firmware", "", release, 86_400),
        ("send_image", "", {}, 86_400),
    ]
    for command_type, target, parameters, seconds in lives:
        row = desk.post(command_type, target, parameters=parameters)
        assert row["expires_at"] - desk.now == seconds * 1000, command_type
        assert CATALOGUE[command_type]["life"] == seconds
    assert desk.post(expires_in=7)["expires_at"] - desk.now == 7000
