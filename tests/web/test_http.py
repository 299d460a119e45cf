"""What HTTP demands, whatever the route: sizes, types, methods, one shape for every refusal."""

import json

import pytest

from backend.web.http import BODY_MAX
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
        (b'{"a":' + b"1" * 10_000 + b"}", 400),
        (b" " * (BODY_MAX + 1), 413),
    ],
)
def test_a_body_that_is_no_command(program: Client, body: bytes, status: int) -> None:
    reply = program.call("POST", "commands", body, Content_Type="application/json")
    assert reply.status == status
    assert reply.json["error"] and reply.json["message"]


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
    assert (reply.status, reply.json) == (200, {"status": "healthy"})


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
