"""Statistics, alerts, downtimes, messages and metrics over HTTP: what they say, and to whom."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.settings import Settings
from backend.web.app import make_app
from backend.web.server import Server
from tests.backend.running import eventually
from tests.web.pond import Pond
from tests.web.site import Client, Site
from tests.web.village import Village


def done(program: Client, pond: Pond, state: str = "completed", error: str | None = None) -> str:
    """A feed that ended so; its id."""
    posted: str = program.feed().json["id"]
    pond.say(pond.next_command(), state, error)
    eventually(lambda: program.call("GET", f"commands/{posted}").json["status"] == state.upper())
    return posted


def test_the_messages_of_a_command_and_of_its_board(program: Client, pond: Pond) -> None:
    posted = done(program, pond)
    (out, back) = program.call("GET", f"commands/{posted}/messages").json["messages"]
    assert (out["direction"], out["kind"], back["kind"]) == ("out", "feed", "ack")
    newest = program.call("GET", "boards/pond/messages?limit=1").json["messages"]
    assert newest == [back]
    older = program.call("GET", f"boards/pond/messages?before={back['id']}&limit=1").json
    assert older["messages"] == [out]


def test_a_board_that_fails_is_alerted_of_once_on_the_stream(
    site: Site, program: Client, pond: Pond
) -> None:
    with site.station.backend.events.subscribe(None) as events:
        for state, error in [("failed", "hardware")] * 4 + [("completed", None)] * 3:
            done(program, pond, state, error)
        seen: list[Any] = []
        for batch in events:
            seen += [data for _, kind, data in batch if kind == "alert"]
            if len(seen) == 2:
                break
    assert [one["until_at"] is None for one in seen] == [True, False]
    told = program.call("GET", "alerts").json["alerts"][0]
    assert told["board_id"] == "pond" and told["until_at"] is not None
    stats = program.call("GET", "stats").json["rows"][0]
    assert stats["errors"]["hardware"] >= 4 and 0 < stats["success_rate"] < 1
    whole = program.call("GET", "health/summary").json
    assert whole["alerts"] == 0 and whole["boards"]["online"] == 1
    assert whole["commands"]["completed"]["p50"] is not None


def test_when_a_board_was_away(program: Client, pond: Pond) -> None:
    def last() -> Any:
        found = program.call("GET", "boards/pond/downtimes?limit=1").json["downtimes"]
        return found[0] if found else {"until_at": ""}

    pond.leave()
    eventually(lambda: last()["until_at"] is None)
    assert last()["why"] == "will"
    pond.arrive(session=2)
    eventually(lambda: last()["until_at"])
    assert last()["until_at"] >= last()["from_at"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("stats?by=moon", "by"), ("stats?hours=0", "hours"), ("alerts?limit=999", "limit")],
)
def test_a_wrong_query_is_refused_by_name(program: Client, query: str, field: str) -> None:
    reply = program.call("GET", query)
    assert (reply.status, reply.json["field"]) == (400, field)


def test_everybody_sees_their_own_sites_and_no_others(
    site: Site, program: Client, pond: Pond, village: Village
) -> None:
    done(program, pond, "failed", "hardware")
    for _ in range(2):
        done(program, pond, "failed", "hardware")
    vic, eve = village.client("vic"), village.client("eve")
    for path, key in (("stats", "rows"), ("stats?by=site", "rows"), ("alerts", "alerts")):
        assert vic.call("GET", path).json[key], path
        assert eve.call("GET", path).json[key] == [], path
    assert vic.call("GET", "health/summary").json["boards"]["known"] == 1
    assert eve.call("GET", "health/summary").json["commands"]["counts"] == {}
    assert eve.call("GET", "boards/pond/downtimes").status == 403
    assert eve.call("GET", "boards/well/messages").status == 404


def metrics(client: Client, **headers: str) -> dict[str, float]:
    reply = client.call("GET", "/metrics", **headers)
    assert reply.status == 200
    lines = reply.raw.decode().splitlines()
    found = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in found}


def test_metrics_count_what_happens(site: Site, program: Client, pond: Pond) -> None:
    client = site.client()
    before = metrics(client)
    done(program, pond)
    after = metrics(client)
    for name in (
        'answerback_commands_total{command_type="feed",status="COMPLETED"}',
        "answerback_command_completed_seconds_count",
        'answerback_command_completed_seconds_bucket{le="+Inf"}',
        'answerback_messages_total{direction="in",kind="ack"}',
    ):
        assert after[name] == before.get(name, 0) + 1, name
    assert after["answerback_link_up"] == 1 and after["answerback_boards_online"] >= 1
    site.station.board.publish("devices/pond/ack", b"{}")
    refused = "answerback_messages_refused_total{reason="
    eventually(lambda: any(name.startswith(refused) for name in metrics(client)))
    text = client.call("GET", "/metrics").raw.decode()
    assert "pond" not in text and "admin" not in text


@pytest.fixture
def elsewhere(site: Site) -> Iterator[Client]:
    """A client whose requests come through a trusted proxy."""
    server = Server(site.app, "127.0.0.1", 0, trusted_proxy="127.0.0.1")
    server.start()
    yield Client(server.port)
    server.stop()


def test_metrics_are_for_this_machine_and_administrators_tokens(
    site: Site, elsewhere: Client, village: Village
) -> None:
    far = {"X_Forwarded_For": "192.0.2.7"}
    assert elsewhere.call("GET", "/metrics", **far).status == 401
    for user, status in (("vic", 403), ("admin", 200)):
        token = village.client(user).headers["Authorization"]
        assert elsewhere.call("GET", "/metrics", Authorization=token, **far).status == status


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (Settings(metrics="loopback"), 200),
        (Settings(metrics="token"), 401),
        (Settings(metrics="off"), 404),
        (Settings(secure_cookies=True), 401),  # everybody comes from the proxy
    ],
)
def test_who_may_read_metrics_is_a_setting(site: Site, settings: Settings, status: int) -> None:
    app = make_app(site.station.backend, site.accounts, settings)
    server = Server(app, "127.0.0.1", 0)
    server.start()
    try:
        assert Client(server.port).call("GET", "/metrics").status == status
    finally:
        server.stop()
