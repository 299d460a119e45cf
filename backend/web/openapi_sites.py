"""What the API's description says of sites, and of boards on their way in and out."""

from typing import Any

from backend.database.models import BOARD_STATES
from backend.fleet.selection import LABELS_MAX
from backend.web.schemas import (
    FLAG,
    IDENTIFIER,
    MAYBE_TEXT,
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

_SITE_VALUES = {
    "name": TEXT,
    "owner": TEXT,
    "programme": TEXT,
    "timezone": TEXT,
    "wake_cron": TEXT,
    "private": FLAG,
    "settings": OBJECT,
}
_SITE = {"id": IDENTIFIER, **_SITE_VALUES, "created_at": TIME, "boards": WHOLE}
_MAPPING = {"site": IDENTIFIER, "name": TEXT, "sleeps": FLAG}
_ENROLMENT = {"board_id": IDENTIFIER, **_MAPPING, "pending": FLAG}
_MOVE = {
    "at": TIME,
    "user": TEXT,
    "site_from": MAYBE_TEXT,
    "site_to": MAYBE_TEXT,
    "state": {"enum": list(BOARD_STATES)},
}

SCHEMAS: dict[str, Schema] = {
    "Site": _object(_SITE),
    "Sites": _object({"sites": list_of(ref("Site"))}),
    "NewSite": _closed({"id": IDENTIFIER, **_SITE_VALUES}, ["id"]),
    "SiteChange": _closed(_SITE_VALUES, []),
    "NewBoard": _closed(_ENROLMENT, ["board_id"]),
    "BoardChange": _closed({"labels": {**list_of(IDENTIFIER), "maxItems": LABELS_MAX}}),
    "BoardWithSecrets": _object({"board_id": IDENTIFIER, "key": TEXT, "password": TEXT}),
    "Mapping": _closed(_MAPPING, ["site"]),
    "Mapped": _object({"board": ref("Board"), "queued": list_of(TEXT)}),
    "Retired": _object({"board": ref("Board"), "cancelled": list_of(TEXT)}),
    "Moves": _object({"moves": list_of(_object(_MOVE))}),
}

_LOOK, _DO = (401, 403, 404), (401, 403, 413, 415)
_CHANGED = "Change a site; boards that sleep are told of other wake times"
ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/sites", "listSites", "The sites one has a role at", (200, "Sites"), (401, 403)),
    ("post", "/sites", "createSite", "Make a site", (201, "Site"), (*_DO, 409), "NewSite"),
    ("get", "/sites/{site_id}", "getSite", "One site", (200, "Site"), _LOOK),
    ("patch", "/sites/{site_id}", "changeSite", _CHANGED,
     (200, "Site"), (*_DO, 404, 429), "SiteChange"),
    ("delete", "/sites/{site_id}", "deleteSite", "Delete a site without boards",
     (204, None), (*_DO, 404, 409)),
    ("get", "/sites/{site_id}/labels", "getLabels", "A site's labels, to be printed",
     (200, None), _LOOK, None, [], False, "text/html"),
    ("patch", "/boards/{board_id}", "changeBoard", "Give a board other labels",
     (200, "Board"), (*_DO, 404, 429), "BoardChange"),
)  # fmt: skip
