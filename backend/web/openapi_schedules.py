"""What the API's description says of schedules, and of commands to many boards.

A row: method, path, name, summary, (status, schema), problems, body, parameters.
"""

from typing import Any

from backend.database.models import MANUAL_COMMAND
from backend.fleet.selection import BOARDS_MAX
from backend.schedules.actions import PER_MINUTE_MAX
from backend.schedules.models import CATCH_UPS, HOWS, STATES
from backend.schedules.rules import CATCH_UP_MAX_S, PRIORITY
from backend.schedules.times import DAYS
from backend.schedules.timetable import PREVIEW_MAX
from backend.web.schedules import PAGE, PAGE_MAX
from backend.web.schemas import (
    EXPIRES_IN,
    FLAG,
    IDENTIFIER,
    MAYBE_TEXT,
    MAYBE_TIME,
    OBJECT,
    REASON,
    TARGET,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)


def _maybe(shape: Schema) -> Schema:
    return {"anyOf": [shape, {"type": "null"}]}


_RATE = {"type": "integer", "minimum": 1, "maximum": PER_MINUTE_MAX}
_CLOCK = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}
_DAY = {"type": "string", "format": "date"}
# Local times: `from` and `until` are both included, and go over midnight where they end before
# they begin.
_WINDOW = _closed(
    {
        "days": list_of({"enum": list(DAYS)}),
        "from": _CLOCK,
        "until": _CLOCK,
        "first_date": _DAY,
        "last_date": _DAY,
    },
    [],
)
_DOES = {
    "label": _maybe(IDENTIFIER),
    "boards": _maybe({**list_of(IDENTIFIER), "minItems": 1, "maxItems": BOARDS_MAX}),
    "target": TARGET,
    "parameters": OBJECT,
    "expires_in": _maybe(EXPIRES_IN),
    "per_minute": _maybe(_RATE),
}
_TIMES = {
    "cron": TEXT,  # five fields; or `at`: once
    "at": MAYBE_TEXT,  # 2027-05-01T08:00 (local), or with an offset
    "timezone": TEXT,  # "": the site's
    "window": _WINDOW,
}
_VALUES = {
    "name": TEXT,
    "enabled": FLAG,
    "catch_up": {"enum": list(CATCH_UPS), "default": CATCH_UPS[0]},
    "catch_up_s": {"type": "integer", "minimum": 0, "maximum": CATCH_UP_MAX_S},
    "priority": {
        "type": "integer",
        "minimum": 0,
        "maximum": MANUAL_COMMAND - 1,
        "default": PRIORITY,
    },
    **_DOES,
    **_TIMES,
}
_RUN = {
    "id": WHOLE,
    "schedule": _maybe(WHOLE),
    "site": MAYBE_TEXT,
    "command_type": TEXT,
    **_DOES,
    "priority": WHOLE,
    "due_at": TIME,
    "at": TIME,
    "how": {"enum": list(HOWS)},
    "missed_from": MAYBE_TIME,
    "state": {"enum": list(STATES)},
    "user": TEXT,
    "via": TEXT,
    "source": TEXT,
    "reason": TEXT,
    "ended_at": MAYBE_TIME,
    "counts": {"type": "object", "additionalProperties": WHOLE},
    "total": WHOLE,
}
_SCHEDULE = {
    "id": WHOLE,
    "site": MAYBE_TEXT,
    "command_type": TEXT,
    **_VALUES,
    "zone": TEXT,  # the one it goes by
    "words": TEXT,
    "next_at": MAYBE_TIME,
    "next_local": MAYBE_TEXT,
    "created_at": TIME,
    "created_by": TEXT,
    "last_run": _maybe(ref("Run")),
}
_BOARD = {
    "number": WHOLE,
    "board_id": IDENTIFIER,
    "status": TEXT,
    "command_id": MAYBE_TEXT,
    "error": TEXT,
}
_PREVIEW = {
    "zone": TEXT,
    "words": TEXT,
    "times": list_of(_object({"at": TIME, "local": TEXT})),
}
_COUNT = {"type": "integer", "minimum": 1, "maximum": PREVIEW_MAX, "default": 5}

SCHEMAS: dict[str, Schema] = {
    "Schedule": _object(_SCHEDULE),
    "Schedules": _object({"schedules": list_of(ref("Schedule"))}),
    "NewSchedule": _closed(
        {"site": IDENTIFIER, "command_type": TEXT, **_VALUES}, ["command_type"]
    ),
    "ScheduleChange": _closed({"command_type": TEXT, **_VALUES}, []),
    "NewPreview": _closed({"site": IDENTIFIER, "count": _COUNT, **_TIMES}, []),
    "Preview": _object(_PREVIEW),
    "Run": _object(_RUN),
    "Runs": _object({"runs": list_of(ref("Run"))}),
    "NewBulk": _closed(
        {"site": _maybe(IDENTIFIER), "command_type": TEXT, "reason": REASON, **_DOES},
        ["command_type"],
    ),
    "RunBoards": _object({"boards": list_of(_object(_BOARD))}),
}


def _query(name: str, shape: Schema, about: str) -> Schema:
    return {"in": "query", "name": name, "schema": shape, "description": about}


def _limit(usual: int) -> Schema:
    shape = {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": usual}
    return _query("limit", shape, "How many at most")


_PAGES = [_query("before", WHOLE, "Only older than this `id`"), _limit(PAGE)]
_BOARD_PAGES = [
    _query("after", WHOLE, "Only after this `number`"),
    _query("status", TEXT, "Only in this status"),
    _limit(PAGE_MAX),
]
_KEY = [
    {
        "in": "header",
        "name": "Idempotency-Key",
        "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
        "description": "The same key gets the same run again (202), and 409 for something else",
    }
]
_SEEN, _DO, _ACT = (401, 403), (401, 403, 413, 415), (401, 403, 404, 409, 413, 415, 429)
_ONE, _RUN_PATH = "/schedules/{schedule_id}", "/bulk/{run_id}"
ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/schedules", "listSchedules", "The schedules, what is due first is first",
     (200, "Schedules"), _SEEN),
    ("post", "/schedules", "createSchedule", "Make a schedule", (201, "Schedule"),
     (*_DO, 404, 409, 429), "NewSchedule"),
    ("post", "/schedules/preview", "previewSchedule", "The next due times, or what is wrong",
     (200, "Preview"), (*_DO, 404), "NewPreview"),
    ("get", _ONE, "getSchedule", "One schedule", (200, "Schedule"), (*_SEEN, 404)),
    ("patch", _ONE, "changeSchedule",
     "Change a schedule; another action calls off what was not sent", (200, "Schedule"), _ACT,
     "ScheduleChange"),
    ("delete", _ONE, "deleteSchedule", "Delete a schedule; what was not sent is called off",
     (204, None), _ACT),
    ("get", _ONE + "/runs", "listRuns", "What a schedule did, newest first", (200, "Runs"),
     (*_SEEN, 404), None, _PAGES),
    ("post", _ONE + "/run", "runSchedule", "Have it do now what it does", (202, "Run"), _ACT,
     "Nothing"),
    ("post", _ONE + "/pause", "pauseSchedule", "Let nothing be due; call off what was not sent",
     (200, "Schedule"), _ACT, "Nothing"),
    ("post", _ONE + "/resume", "resumeSchedule", "Go on with what is due from now on",
     (200, "Schedule"), _ACT, "Nothing"),
    ("get", "/bulk", "listBulk", "Commands to many boards, newest first", (200, "Runs"), _SEEN,
     None, _PAGES),
    ("post", "/bulk", "postBulk", "Send a command to many boards", (202, "Run"), _ACT, "NewBulk",
     _KEY),
    ("get", _RUN_PATH, "getRun", "How a command to many boards goes", (200, "Run"),
     (*_SEEN, 404)),
    ("get", _RUN_PATH + "/boards", "listRunBoards", "Its boards, in the order of their turns",
     (200, "RunBoards"), (*_SEEN, 404), None, _BOARD_PAGES),
    ("post", _RUN_PATH + "/cancel", "cancelRun", "Call off what was not sent", (202, "Run"), _ACT,
     "Nothing"),
    ("post", _RUN_PATH + "/pause", "pauseRun", "Hold back the boards that wait for their turn",
     (202, "Run"), _ACT, "Nothing"),
    ("post", _RUN_PATH + "/resume", "resumeRun", "Go on with them", (202, "Run"), _ACT,
     "Nothing"),
)  # fmt: skip
