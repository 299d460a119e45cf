"""What the API's description says of releases and rollouts; rows as in openapi_upkeep."""

from typing import Any

from backend.fleet.selection import BOARDS_MAX
from backend.rollouts.releases import NOTES_MAX
from backend.rollouts.rows import BOARD_STATES, ROLLOUT_STATES
from backend.web.releases import ZIP
from backend.web.rollouts import NUMBERS
from backend.web.schemas import (
    FLAG,
    IDENTIFIER,
    MAYBE_TEXT,
    MAYBE_TIME,
    OBJECT,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)

# The media types of bodies that are no JSON.
MEDIA: dict[str | None, str] = {"Zip": ZIP}

_ABOUT = {
    "canary": "So many boards come first; the others when these have ended well",
    "at_once": "How many boards work on it at a time",
    "per_minute": "How many are sent it in a minute; 0: any number",
    "error_share": "It stops by itself where more % of the boards that finished went wrong",
    "min_finished": "... once so many have finished, and the canary has",
    "board_s": "Seconds that a board may take",
    "deadline_s": "Seconds after which nobody is sent it any more",
}
_NUMBERS: dict[str, Schema] = {
    name: {
        "type": "integer",
        "minimum": low,
        "maximum": high,
        "default": default,
        "description": _ABOUT[name],
    }
    for name, (low, high, default) in NUMBERS.items()
}
_SELECTION = _closed(
    {
        "site": IDENTIFIER,
        "label": IDENTIFIER,
        "boards": {**list_of(IDENTIFIER), "minItems": 1, "maxItems": BOARDS_MAX},
    },
    [],
)
_SELECTION["minProperties"] = 1
_RELEASE = {
    "id": TEXT,
    "board": IDENTIFIER,
    "build": IDENTIFIER,
    "version": TEXT,
    "files": WHOLE,
    "size": WHOLE,
    "notes": TEXT,
    "user": TEXT,
    "created_at": TIME,
}
_ROLLOUT: dict[str, Schema] = {
    "id": WHOLE,
    "site": MAYBE_TEXT,
    "release": TEXT,
    "board": IDENTIFIER,
    "version": TEXT,
    "selection": OBJECT,
    "skipped": OBJECT,
    **{name: WHOLE for name in NUMBERS if name != "deadline_s"},
    "allow_downgrade": FLAG,
    "proved": FLAG,
    "state": {"enum": list(ROLLOUT_STATES)},
    "why": TEXT,
    "user": TEXT,
    "created_at": TIME,
    "deadline_at": TIME,
    "ended_at": MAYBE_TIME,
    "states": _object(dict.fromkeys(BOARD_STATES, WHOLE)),
    "finished": WHOLE,
    "bad": WHOLE,
}
_BOARD = {
    "board_id": IDENTIFIER,
    "state": {"enum": list(BOARD_STATES)},
    "why": TEXT,
    "attempt": WHOLE,
    "command_id": MAYBE_TEXT,
    "sent_at": MAYBE_TIME,
    "updated_at": TIME,
    "firmware": TEXT,
    "slot": TEXT,
    "slot_state": TEXT,
}

SCHEMAS: dict[str, Schema] = {
    "Zip": {"type": "string", "format": "binary"},
    "Release": _object(_RELEASE),
    "Releases": _object({"releases": list_of(ref("Release"))}),
    "NewRollout": _closed(
        {"release": TEXT, "selection": _SELECTION, **_NUMBERS, "allow_downgrade": FLAG},
        ["release", "selection"],
    ),
    "Rollout": _object(_ROLLOUT),
    "Rollouts": _object({"rollouts": list_of(ref("Rollout")), "address": TEXT}),
    "RolloutWithBoards": _object({**_ROLLOUT, "boards": list_of(_object(_BOARD))}),
}

_NOTES = {
    "in": "query",
    "name": "notes",
    "schema": {"type": "string", "maxLength": NOTES_MAX},
    "description": "What people should know of it",
}
_ONE = "/rollouts/{rollout_id}"
_FILE = "/firmware/{board_id}/{release_id}/{seal}/{name}"
_DO = (401, 403, 413, 415)
_ON = (*_DO, 404, 409, 429)
ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/releases", "listReleases", "What boards may be updated to, newest first",
     (200, "Releases"), (401, 403)),
    ("post", "/releases", "addRelease", "Add a release, as `make release` has made it, in a zip "
     "(200: it is there already)", (201, "Release"), (*_DO, 409), "Zip", [_NOTES]),
    ("delete", "/releases/{release_id}", "deleteRelease", "Delete a release that is not in use",
     (204, None), _ON),
    ("get", _FILE, "getFirmware", "A file of a release, also in part, for the board whose address "
     "this is", (200, None), (404, 416), None, [], True, "application/octet-stream", ""),
    ("get", "/rollouts", "listRollouts", "Rollouts, newest first", (200, "Rollouts"), (401, 403)),
    ("post", "/rollouts", "beginRollout", "Bring a release to many boards", (201, "Rollout"),
     _ON, "NewRollout"),
    ("get", _ONE, "getRollout", "A rollout and how it stands with each board",
     (200, "RolloutWithBoards"), (401, 403, 404)),
    ("post", f"{_ONE}/pause", "pauseRollout", "Send nothing more for now", (200, "Rollout"), _ON,
     "Nothing"),
    ("post", f"{_ONE}/resume", "resumeRollout", "Go on", (200, "Rollout"), _ON, "Nothing"),
    ("post", f"{_ONE}/abort", "abortRollout", "Send nothing more, and call off what can be",
     (200, "Rollout"), _ON, "Nothing"),
)  # fmt: skip
