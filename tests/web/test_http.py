"""What HTTP demands, whatever the route: sizes, types, methods, one shape for every refusal."""

import http.client
import json
import socket
from typing import Any

import pytest

from backend.delivery.wishes import NewCommand
from backend.errors import Slow
from backend.web.http import BODY_MAX
from tests.backend.running import PATIENCE
from tests.web.site import FEED, Client, Site


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "nowhere", 404),
        ("PUT", "commands", 405),
        ("DELETE", "boards", 405),
        ("GET", "/page/../app.py", 404),
        ("GET", "/page/%2e%2e%2fapp.py", 404),
    ],
)
def test_what_is_not_there_is_json_too(
    program: Client, method: str, path: str, status: int
) -> None:
    reply = program.call(method, path)
    assert reply.status == status
    assert set(reply.json) == {"error", "field", "message"}
    assert reply.headers["Content-Type"].startswith("application/json")


def test_405_says_what_is_allowed(program: Client) -> None:
    assert set(program.call("PUT", "commands").headers["Allow"].split(",")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"amount": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * BODY_MAX, 400),
        (b'{"\\ud800": 1}', 400),
        (b'{"board_id": "pond", "parameters": {"\\ud800": 1}}', 400),
        (b'{"a":' + b"1" * 10_000 + b"}", 400),
        (b" " * (BODY_MAX + 1), 413),
    ],
)
def test_a_body_that_is_no_command(program: Client, body: bytes, status: int) -> None:
    reply = program.call("POST", "commands", body, Content_Type="application/json")
    assert reply.status == status
    assert reply.json["error"] and reply.json["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"board_id": "pond", "board_id": "lake"}', "board_id"),
        (b'{"parameters": {"amount": 1, "speed": 2, "amount": 300}}', "amount"),
    ],
)
def test_what_is_said_twice_is_refused_by_name(program: Client, body: bytes, field: str) -> None:
    reply = program.call("POST", "commands", body, Content_Type="application/json")
    assert (reply.status, reply.json["field"]) == (400, field)
    assert reply.json["message"] == f"{field} is given twice"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "commands"),
        ("POST", "commands/x/cancel"),
        ("GET", "commands/x"),
        ("DELETE", "session"),
        ("DELETE", "tokens/1"),
        ("GET", "session"),
        ("GET", "openapi.json"),
        ("GET", "/health"),
    ],
)
def test_a_query_nobody_asked_for_is_refused_by_name(
    program: Client, method: str, path: str
) -> None:
    reply = program.call(method, path + "?foo=1", None if method == "GET" else FEED)
    assert (reply.status, reply.json["field"]) == (400, "foo")


def test_the_page_may_be_linked_to_with_anything_behind_it(site: Site) -> None:
    assert site.client().call("GET", "/?from=mail").status == 200


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (b"POST /api/v1/commands HTTP/1.1\r\nContent-Length: 80000\r\n\r\n", 413, "too_large"),
        (b"POST /api/v1/releases HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n", 413, "too_large"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * BODY_MAX + b"\r\n\r\n", 431, "too_large"),
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "malformed"),
    ],
)
def test_what_is_refused_before_any_route_is_json_too(
    site: Site, sent: bytes, status: int, error: str
) -> None:
    with socket.create_connection(("127.0.0.1", site.server.port), PATIENCE) as connection:
        connection.sendall(sent)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        told = json.loads(answer.read())
    assert (answer.status, told["error"], told["field"]) == (status, error, None)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_chunked_body_is_measured_too(program: Client) -> None:
    program.connection.request(
        "POST",
        "/api/v1/commands",
        iter([b" " * BODY_MAX, b"  "]),
        {**program.headers, "Content-Type": "application/json"},
        encode_chunked=True,
    )
    assert program.connection.getresponse().status == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_read(program: Client, kind: str) -> None:
    reply = program.call("POST", "commands", json.dumps(FEED).encode(), Content_Type=kind)
    assert (reply.status, reply.json["error"]) == (415, "not_json")


def test_charset_behind_the_type_is_fine(program: Client) -> None:
    body = json.dumps({**FEED, "parameters": {"amount": 0}}).encode()
    kind = "application/json; charset=utf-8"
    assert program.call("POST", "commands", body, Content_Type=kind).status == 400


def test_health_is_open_and_says_little(site: Site) -> None:
    reply = site.client().call("GET", "/health")
    told = reply.json
    assert (reply.status, told.pop("uptime") >= 0) == (200, True)
    healthy = {"mqtt": {"connected": True}, "commandQueue": {"running": True}}
    assert told == {"status": "healthy", **healthy}


def test_health_in_full_is_for_who_has_signed_in(site: Site, program: Client) -> None:
    assert site.client().call("GET", "health").status == 401
    told = program.call("GET", "health").json
    assert told["mqtt"]["connected"] and told["boards"] == {"online": 1, "known": 1, "pending": 0}


def test_too_much_at_once_is_429_with_the_time_to_wait(
    site: Site, program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.station.backend, "_window", -1)
    reply = program.feed()
    assert (reply.status, reply.json["error"]) == (429, "busy")
    assert reply.headers["Retry-After"] == "1"


def test_a_fault_of_ours_is_500_without_a_traceback(
    site: Site, program: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(site.station.backend, "_core", None)
    reply = program.call("GET", "boards")
    assert (reply.status, reply.json["error"]) == (500, "internal")
    assert b"Traceback" not in reply.raw
    assert "Traceback" in capfd.readouterr().err  # but the log has it


def test_a_database_that_can_not_be_used_is_503(site: Site) -> None:
    asked = site.program()
    asked.headers["Authorization"] = "Bearer ab_never_seen"
    database: Any = site.station.database
    database.execute_sql("ALTER TABLE credential RENAME TO elsewhere")
    try:
        reply = asked.call("GET", "boards")
    finally:
        database.execute_sql("ALTER TABLE elsewhere RENAME TO credential")
    assert (reply.status, reply.json["error"]) == (503, "database_busy")
    assert int(reply.headers["Retry-After"]) > 0
    assert asked.call("GET", "boards").status == 401


def test_what_takes_too_long_is_503_and_says_when_to_ask_again(
    site: Site, program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(new: NewCommand) -> None:
        raise Slow("slow", "", "nobody can say yet whether it was taken", 2)

    monkeypatch.setattr(site.station.backend, "post", late)
    reply = program.feed()
    assert (reply.status, reply.json["error"], reply.headers["Retry-After"]) == (503, "slow", "2")


def test_nothing_is_cached_and_types_are_not_guessed(program: Client) -> None:
    headers = program.call("GET", "boards").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_forbids_everything_from_elsewhere(site: Site) -> None:
    client = site.client()
    reply = client.call("GET", "/")
    assert reply.status == 200
    assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
    assert b"<script>" not in reply.raw and b"style=" not in reply.raw
    again = client.call("GET", "/", If_None_Match=reply.headers["ETag"])
    assert (again.status, again.raw) == (304, b"")
