"""Log lines: text or JSON, and no secrets in either."""

import json
import logging
import sys

import pytest

from backend.loglines import JsonLine, TextLine, begin
from tests.backend.conftest import Desk

SECRETS = "mqtt://ann:hunter2@pond, Authorization: Bearer eyJhbGciOi.x.y, ab_0123456789abcdefghij"


def record(message: str, *arguments: object, **about: str) -> logging.LogRecord:
    made = logging.LogRecord("backend.x", logging.ERROR, "x.py", 1, message, arguments, None)
    made.__dict__.update(about)
    return made


def test_a_json_line_says_what_it_is_about() -> None:
    line = JsonLine().format(record('can\'t send "%s"\nto it', "c-1", board="pond", command="c-1"))
    assert "\n" not in line
    said = json.loads(line)
    assert said["message"] == 'can\'t send "c-1"\nto it'
    assert {name: said[name] for name in ("level", "logger", "board", "command")} == {
        "level": "ERROR",
        "logger": "backend.x",
        "board": "pond",
        "command": "c-1",
    }
    assert said["time"].endswith("Z") and len(said["time"]) == 24


def test_a_line_of_the_backend_says_which_board(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk.startup()
    desk.ack({"id": "no-command"}, "completed")
    said = json.loads(JsonLine().format(caplog.records[-1]))
    assert (said["board"], said["command"]) == ("pond", "no-command")
    assert "no command of it" in said["message"]


def test_a_json_line_has_the_traceback() -> None:
    made = record("it ends")
    try:
        raise ValueError("of mqtt://ann:hunter2@pond")
    except ValueError:
        made.exc_info = sys.exc_info()
    said = json.loads(JsonLine().format(made))
    assert "ValueError: of mqtt://ann:***@pond" in said["exception"]


@pytest.mark.parametrize("layout", [TextLine(), JsonLine()])
def test_secrets_are_not_in_it(layout: logging.Formatter) -> None:
    line = layout.format(record("connected to %s", SECRETS))
    assert not [secret for secret in ("hunter2", "eyJ", "0123456789") if secret in line]
    assert "mqtt://ann:***@pond" in line


def test_queries_are_not_logged_at_any_level() -> None:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    root.handlers.clear()
    try:
        begin("DEBUG", "json")
        assert root.isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("peewee").isEnabledFor(logging.DEBUG)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
