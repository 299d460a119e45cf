"""Commands over HTTP, end to end: the request, the durable row, the board, and the history."""

import pytest
from protocol import CODES, ack, encode
from protocol.topics import ACK, topic

from backend.delivery.commands import PAGE_MAX
from backend.delivery.texts import TEXTS
from tests.backend.running import eventually
from tests.web.site import FEED, Client, Site


def ended(program: Client, command_id: str) -> bool:
    return bool(program.call("GET", f"commands/{command_id}").json["status"] == "COMPLETED")


def test_a_command_is_taken_sent_done_and_told(site: Site, program: Client) -> None:
    posted = program.feed(12.5)
    assert posted.status == 202
    assert posted.headers["Location"] == f"/api/v1/commands/{posted.json['id']}"
    assert posted.json["source"] == "127.0.0.1"
    command = site.station.next_command()
    assert command["parameters"] == {"amount": 12.5}
    site.station.answer(command, "accepted", "completed")
    eventually(lambda: ended(program, posted.json["id"]))
    shown = program.call("GET", posted.headers["Location"]).json
    assert [step["to"] for step in shown["history"]] == [
        "PENDING",
        "SENT",
        "ACKNOWLEDGED",
        "COMPLETED",
    ]
    assert shown["history"][0]["at"] == posted.json["created_at"]


def test_what_a_board_says_in_a_code_is_shown_in_words(site: Site, program: Client) -> None:
    posted = program.feed(3).json
    said = ack(site.station.next_command()["command_id"], "failed", "b1", error="hardware")
    site.station.board.publish(topic("pond", ACK), encode("ack", said, site.station.key))
    path = f"commands/{posted['id']}"
    eventually(lambda: program.call("GET", path).json["status"] == "FAILED")
    assert program.call("GET", path).json["message"] == TEXTS["hardware"]


def test_every_code_has_its_words() -> None:
    assert sorted(TEXTS) == sorted(CODES.split())


def test_times_are_rfc_3339_with_milliseconds(program: Client) -> None:
    posted = program.feed().json
    for name in ("created_at", "expires_at", "updated_at"):
        assert len(posted[name]) == len("2026-11-21T07:00:00.123Z")
        assert posted[name][10] == "T" and posted[name].endswith("Z")
    program.call("POST", f"commands/{posted['id']}/cancel")


def test_the_same_key_gets_the_same_command(program: Client) -> None:
    first = program.feed(1, Idempotency_Key="once")
    again = program.feed(1, Idempotency_Key="once")
    other = program.feed(2, Idempotency_Key="once")
    assert (first.status, again.status) == (202, 202)
    assert first.json["id"] == again.json["id"]
    assert other.status == 409
    assert other.json["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"board_id": "nowhere"}, 404, "board_id"),
        ({"board_id": 5}, 400, "board_id"),
        ({"command_type": "dance"}, 400, "command_type"),
        ({"command_type": "query"}, 400, "command_type"),
        ({"target": "feeder9"}, 400, "target"),
        ({"target": None}, 400, "target"),
        ({"parameters": []}, 400, "parameters"),
        ({"parameters": {}}, 400, "parameters.amount"),
        ({"parameters": {"amount": True}}, 400, "parameters.amount"),
        ({"parameters": {"amount": 20, "speed": 1}}, 400, "parameters.speed"),
        ({"expires_in": 0}, 400, "expires_in"),
        ({"expires_in": True}, 400, "expires_in"),
        ({"reason": "\ud800"}, 400, "reason"),
        ({"reason": "x" * 201}, 400, "reason"),
        ({"reason": "a\0b"}, 400, "reason"),
        ({"amount": 20}, 400, "amount"),
    ],
)
def test_a_wrong_command_is_refused_by_field(
    program: Client, change: dict[str, object], status: int, field: str
) -> None:
    body = {**FEED, "parameters": {"amount": 20}, **change}
    reply = program.call("POST", "commands", body)
    assert (reply.status, reply.json["field"]) == (status, field)
    assert reply.json["message"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("commands/nope/cancel", {}, "there is no command 'nope'"),
        ("commands", {**FEED, "board_id": "nope"}, "there is no board 'nope'"),
        ("commands", FEED, "parameters.amount is missing"),
        ("commands", {**FEED, "parameters": {"amount": 1}, "expires_in": 0},
         "expires_in must be from 1 to 604800 seconds"),
        ("commands", {**FEED, "extra": 0}, "extra is unknown; use board_id, command_type, target, "
         "parameters, expires_in, reason, conditions, dry_run"),
        ("commands", {**FEED, "command_type": "motor", "parameters": {"action": "stop"}},
         "motor needs a motor"),
        ("tokens", {"name": "tests"},
         "name is in use; choose another name, or revoke that token first"),
    ],
)  # fmt: skip
def test_a_refusal_reads_as_a_sentence(
    program: Client, path: str, body: dict[str, object], message: str
) -> None:
    assert program.call("POST", path, body).json["message"] == message


def test_the_list_pages_and_filters(program: Client) -> None:
    ids = [program.feed(amount).json["id"] for amount in (31, 32, 33, 34, 35)]
    first = program.call("GET", "commands?limit=3&board_id=pond").json
    assert [row["id"] for row in first["commands"]] == ids[:1:-1]
    second = program.call("GET", first["next"]).json
    assert [row["id"] for row in second["commands"]][:2] == ids[1::-1]
    assert len(program.call("GET", f"commands?limit={PAGE_MAX}").json["commands"]) >= 5
    assert program.call("GET", f"commands?limit={PAGE_MAX + 1}").status == 400
    assert program.call("GET", "commands?target=none").json == {"commands": [], "next": None}
    for command_id in ids:
        program.call("POST", f"commands/{command_id}/cancel")
    done = program.call("GET", "commands?status=CANCELLED&command_type=feed").json["commands"]
    assert set(ids[1:]) <= {row["id"] for row in done}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=asc", "sort"),
        ("limit=0", "limit"),
        ("limit=abc", "limit"),
        ("limit=5&limit=6", "limit"),
        ("before=-1", "before"),
        ("status=LOST", "status"),
    ],
)
def test_a_wrong_query_is_refused_by_name(program: Client, query: str, field: str) -> None:
    reply = program.call("GET", f"commands?{query}")
    assert (reply.status, reply.json["field"]) == (400, field)


def test_cancel_answers_202_then_409(site: Site, program: Client) -> None:
    program.feed(1)  # the target is taken, so the next one waits
    waiting = program.feed(2).json["id"]
    reply = program.call("POST", f"commands/{waiting}/cancel")
    assert (reply.status, reply.json["status"]) == (202, "CANCELLED")
    assert program.call("POST", f"commands/{waiting}/cancel", {}).status == 409
    assert program.call("POST", "commands/none/cancel").status == 404
    reply = program.call("POST", f"commands/{waiting}/cancel", {"why": "no"})
    assert (reply.status, reply.json["field"]) == (400, "why")


def test_boards_and_verbs_tell_what_can_be_done(program: Client) -> None:
    board = program.call("GET", "boards/pond").json
    assert board["actuators"] == {"feeder1": {"kind": "feeder"}}
    assert board["online"] is True and board["last_seen"].endswith("Z")
    assert [one["id"] for one in program.call("GET", "boards").json["boards"]] == ["pond"]
    assert program.call("GET", "boards/none").status == 404
    verbs = program.call("GET", "verbs").json["verbs"]
    amount = verbs["feed"]["cases"][0]["required"]["amount"]
    assert amount == {"type": "number", "minimum": 0.1, "maximum": 5000, "x-unit": "g"}
    assert "query" not in verbs
