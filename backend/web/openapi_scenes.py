"""What the API's description says of scenes and their runs."""

from typing import Any

from backend.scenes.rows import RUN_STATUSES, STEP_STATUSES
from backend.web.schemas import (
    FLAG,
    IDENTIFIER,
    MAYBE_TEXT,
    MAYBE_TIME,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    _closed,
    _object,
    list_of,
    ref,
)

_FILE: Schema = {
    "type": ["object", "array"],
    "description": "A scene file: states with onEnter, onExit, timeline and transitions, or a list"
    " of timed actions",
}
_PLACES = list_of(_object({"place": TEXT, "reason": TEXT}))
_MAYBE_RUN: Schema = {"anyOf": [ref("SceneRun"), {"type": "null"}]}
_SCENE = {
    "id": IDENTIFIER,
    "site": MAYBE_TEXT,
    "description": TEXT,
    "rooms": list_of(TEXT),
    "states": WHOLE,
    "actions": WHOLE,
    "revision": WHOLE,
    "updated_at": TIME,
    "updated_by": TEXT,
    "last_run": _MAYBE_RUN,
}
_RUN = {
    "id": WHOLE,
    "scene_id": IDENTIFIER,
    "site": MAYBE_TEXT,
    "status": {"enum": list(RUN_STATUSES)},
    "state": TEXT,
    "entered_at": TIME,
    "simulated": FLAG,  # the broker was away: something was not sent
    "reason": TEXT,
    "user": TEXT,
    "started_at": TIME,
    "ended_at": MAYBE_TIME,
}
_STEP = {
    "number": WHOLE,
    "state": TEXT,
    "place": TEXT,
    "text": TEXT,
    "board_id": TEXT,
    "target": TEXT,
    "command_id": MAYBE_TEXT,
    "command_status": MAYBE_TEXT,
    "planned_at": TIME,
    "sent_at": MAYBE_TIME,
    "feedback_at": MAYBE_TIME,
    "status": {"enum": list(STEP_STATUSES)},
    "detail": TEXT,
}
_AHEAD = {name: _STEP[name] for name in ("planned_at", "place", "text", "board_id", "target")}
_SITE = {"site": MAYBE_TEXT, "id": IDENTIFIER}

SCHEMAS: dict[str, Schema] = {
    "Scene": _object(_SCENE),
    "Scenes": _object({"scenes": list_of(ref("Scene"))}),
    "SceneWithFile": _object({**_SCENE, "scene": _FILE}),
    "SavedScene": _object({**_SCENE, "scene": _FILE, "warnings": _PLACES}),
    "NewScene": _closed({**_SITE, "scene": _FILE, "replace": FLAG}, ["scene"]),
    "SceneToCheck": _closed({**_SITE, "scene": _FILE}, ["scene"]),
    "SceneCheck": _object({"errors": _PLACES, "warnings": _PLACES}),
    "SceneRun": _object(_RUN),
    "SceneRuns": _object({"runs": list_of(ref("SceneRun"))}),
    "SceneRunWithSteps": _object(
        {**_RUN, "steps": list_of(_object(_STEP)), "ahead": list_of(_object(_AHEAD))}
    ),
    "RoomStopped": _object({"stopped": list_of(WHOLE), "commands": list_of(TEXT)}),
}

_LOOK, _DO = (401, 403, 404), (401, 403, 404, 409, 413, 415, 429)
_QUERY: list[Schema] = [
    {"in": "query", "name": name, "schema": shape, "description": about}
    for name, shape, about in (
        ("scene_id", TEXT, "Only of this scene"),
        ("before", WHOLE, "Only older than the run of this id"),
        ("limit", WHOLE, "How many at most"),
    )
]
_CONTROL = (
    ("pause", "pauseSceneRun", "Let a run stand still; outputs stay as they are"),
    ("resume", "resumeSceneRun", "Let a run go on; all that is to come is later by as much"),
    ("stop", "stopSceneRun", "End a run; what it has used is switched off"),
)
_ONE_RUN = "/scene-runs/{scene_run_id}"
ROWS: tuple[tuple[Any, ...], ...] = (
    ("get", "/scenes", "listScenes", "Scenes, by id", (200, "Scenes"), (401, 403)),
    ("post", "/scenes", "saveScene", "Keep a scene; `warnings` are no reason not to",
     (201, "SavedScene"), _DO, "NewScene"),
    ("post", "/scenes/validate", "checkScene", "What is wrong with a scene, by place",
     (200, "SceneCheck"), _DO, "SceneToCheck"),
    ("get", "/scenes/{scene_id}", "getScene", "A scene with its file",
     (200, "SceneWithFile"), _LOOK),
    ("delete", "/scenes/{scene_id}", "deleteScene", "Delete a scene; its runs stay",
     (204, None), _DO),
    ("post", "/scenes/{scene_id}/start", "startScene", "Play a scene", (202, "SceneRun"), _DO,
     "Nothing"),
    ("post", "/scenes/{scene_id}/stop-room", "stopRoom", "Stop all in the rooms of a scene",
     (202, "RoomStopped"), _DO, "Nothing"),
    ("get", "/scene-runs", "listSceneRuns", "Runs of scenes, newest first", (200, "SceneRuns"),
     (401, 403), None, _QUERY),
    ("get", _ONE_RUN, "getSceneRun", "A run with its steps, and what lies ahead",
     (200, "SceneRunWithSteps"), _LOOK),
    *(
        ("post", f"{_ONE_RUN}/{what}", name, about, (202, "SceneRun"), _DO, "Nothing")
        for what, name, about in _CONTROL
    ),
)  # fmt: skip
