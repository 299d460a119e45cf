"""Every route there is: who may at the least, and what a token must be good for."""

from typing import Any, NamedTuple

from backend.people.credentials import ADMINISTER, COMMAND, READ
from tests.web.site import FEED

# Who may at the least, each may what those before may: see village.PEOPLE.
ANYBODY, SIGNED_IN, VIEWER, OPERATOR, SITE_ADMIN, ADMIN = range(6)
USERS = {"eve": SIGNED_IN, "vic": VIEWER, "oda": OPERATOR, "sam": SITE_ADMIN, "admin": ADMIN}


class Row(NamedTuple):
    """`answer`: what it answers to whoever may; chosen so that nothing is lost by asking."""

    least: int
    scope: str
    answer: int
    body: Any = None


A = "/api/v1"
ROLLOUT = {"release": "none", "selection": {"site": "north"}}
MANY = {"site": "north", "command_type": "ping", "expires_in": 0}  # too soon
TABLE = {
    ("GET", "/"): Row(ANYBODY, "", 200),
    ("GET", "/page/<name>"): Row(ANYBODY, "", 404),
    ("GET", "/lifecycle"): Row(ANYBODY, "", 200),
    ("GET", "/health"): Row(ANYBODY, "", 200),
    ("GET", f"{A}/openapi.json"): Row(ANYBODY, "", 200),
    ("POST", f"{A}/session"): Row(ANYBODY, "", 400, {}),
    ("POST", f"{A}/token"): Row(ANYBODY, "", 400, {}),
    ("GET", f"{A}/session"): Row(SIGNED_IN, "", 200),
    ("DELETE", f"{A}/session"): Row(SIGNED_IN, "", 400),
    ("DELETE", f"{A}/token"): Row(SIGNED_IN, "", 400),
    ("POST", f"{A}/password"): Row(SIGNED_IN, ADMINISTER, 400, {}),
    ("POST", f"{A}/tokens"): Row(SIGNED_IN, ADMINISTER, 400, {}),
    ("GET", f"{A}/tokens"): Row(SIGNED_IN, ADMINISTER, 200),
    ("DELETE", f"{A}/tokens/<token_id>"): Row(SIGNED_IN, ADMINISTER, 404),
    ("GET", f"{A}/users"): Row(SITE_ADMIN, ADMINISTER, 200),
    ("POST", f"{A}/users"): Row(ADMIN, ADMINISTER, 400, {}),
    ("GET", f"{A}/users/<name>"): Row(ADMIN, ADMINISTER, 404),
    ("PATCH", f"{A}/users/<name>"): Row(ADMIN, ADMINISTER, 404, {"disabled": True}),
    ("DELETE", f"{A}/users/<name>"): Row(ADMIN, ADMINISTER, 404),
    ("DELETE", f"{A}/users/<name>/sessions"): Row(ADMIN, ADMINISTER, 404),
    ("PUT", f"{A}/users/<name>/sites/<site>"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("DELETE", f"{A}/users/<name>/sites/<site>"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("GET", f"{A}/audit"): Row(ADMIN, ADMINISTER, 200),
    ("GET", f"{A}/boards"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/boards/<board_id>"): Row(VIEWER, READ, 200),
    ("POST", f"{A}/boards"): Row(ADMIN, ADMINISTER, 400, {"board_id": "no id"}),
    ("PATCH", f"{A}/boards/<board_id>"): Row(SITE_ADMIN, ADMINISTER, 400, {}),
    ("POST", f"{A}/boards/<board_id>/credentials"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("POST", f"{A}/boards/<board_id>/map"): Row(SITE_ADMIN, ADMINISTER, 400, {}),
    ("POST", f"{A}/boards/<board_id>/retire"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("POST", f"{A}/boards/<board_id>/restore"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("GET", f"{A}/boards/<board_id>/moves"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/boards/<board_id>/label.svg"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/sites"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/sites"): Row(ADMIN, ADMINISTER, 400, {}),
    ("GET", f"{A}/sites/<site_id>"): Row(VIEWER, READ, 200),
    ("PATCH", f"{A}/sites/<site_id>"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("DELETE", f"{A}/sites/<site_id>"): Row(ADMIN, ADMINISTER, 409),
    ("GET", f"{A}/sites/<site_id>/labels"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/connections"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/sites/<site>/connection"): Row(SITE_ADMIN, READ, 404),
    ("PUT", f"{A}/sites/<site>/connection"): Row(SITE_ADMIN, ADMINISTER, 400, {}),
    ("DELETE", f"{A}/sites/<site>/connection"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("POST", f"{A}/sites/<site>/connection/start"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("POST", f"{A}/sites/<site>/connection/stop"): Row(SITE_ADMIN, ADMINISTER, 404),
    ("GET", f"{A}/sites/<site>/connection/log"): Row(SITE_ADMIN, READ, 404),
    ("GET", f"{A}/topics"): Row(ADMIN, READ, 200),
    ("PATCH", f"{A}/topics"): Row(ADMIN, ADMINISTER, 400, {}),
    ("GET", f"{A}/parsing-log"): Row(ADMIN, READ, 200),
    ("GET", f"{A}/verbs"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/health"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/events"): Row(SIGNED_IN, READ, 400),
    ("POST", f"{A}/commands"): Row(OPERATOR, COMMAND, 400, FEED),  # without its amount
    ("GET", f"{A}/commands"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/commands/<command_id>"): Row(VIEWER, READ, 200),
    ("POST", f"{A}/commands/<command_id>/cancel"): Row(OPERATOR, COMMAND, 409),
}
TABLE |= {
    ("GET", "/metrics"): Row(ANYBODY, "", 200),
    ("GET", f"{A}/stats"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/health/summary"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/alerts"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/boards/<board_id>/downtimes"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/boards/<board_id>/messages"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/commands/<command_id>/messages"): Row(VIEWER, READ, 200),
}
TABLE |= {
    ("GET", "/firmware/<board_id>/<release_id>/<seal>/<name:path>"): Row(ANYBODY, "", 404),
    ("GET", f"{A}/releases"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/releases"): Row(ADMIN, ADMINISTER, 415, {}),
    ("DELETE", f"{A}/releases/<release_id>"): Row(ADMIN, ADMINISTER, 404),
    ("GET", f"{A}/rollouts"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/rollouts"): Row(SITE_ADMIN, ADMINISTER, 404, ROLLOUT),
    ("GET", f"{A}/rollouts/<rollout_id>"): Row(VIEWER, READ, 200),
    ("POST", f"{A}/rollouts/<rollout_id>/pause"): Row(OPERATOR, ADMINISTER, 409),
    ("POST", f"{A}/rollouts/<rollout_id>/resume"): Row(OPERATOR, ADMINISTER, 409),
    ("POST", f"{A}/rollouts/<rollout_id>/abort"): Row(OPERATOR, ADMINISTER, 409),
}
SCHEDULE, RUN = f"{A}/schedules/<schedule_id>", f"{A}/bulk/<run_id>"
TABLE |= {
    ("GET", f"{A}/schedules"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/schedules"): Row(SITE_ADMIN, ADMINISTER, 400, MANY),
    ("POST", f"{A}/schedules/preview"): Row(SIGNED_IN, READ, 400, {}),
    ("GET", SCHEDULE): Row(VIEWER, READ, 200),
    ("PATCH", SCHEDULE): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("DELETE", SCHEDULE): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("GET", SCHEDULE + "/runs"): Row(VIEWER, READ, 200),
    ("POST", SCHEDULE + "/run"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("POST", SCHEDULE + "/pause"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("POST", SCHEDULE + "/resume"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("GET", f"{A}/bulk"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/bulk"): Row(OPERATOR, COMMAND, 400, MANY),
    ("GET", RUN): Row(VIEWER, READ, 200),
    ("GET", RUN + "/boards"): Row(VIEWER, READ, 200),
    ("POST", RUN + "/cancel"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("POST", RUN + "/pause"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("POST", RUN + "/resume"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
}
_PICTURES = f"{A}/boards/<board_id>/pictures"
TABLE |= {
    ("GET", f"{A}/pictures"): Row(SIGNED_IN, READ, 200),
    ("GET", _PICTURES): Row(VIEWER, READ, 200),
    ("GET", f"{_PICTURES}.zip"): Row(VIEWER, READ, 400),
    ("GET", f"{_PICTURES}/<image_id>"): Row(VIEWER, READ, 404),
    ("GET", f"{_PICTURES}/<image_id>.jpg"): Row(VIEWER, READ, 404),
    ("GET", f"{_PICTURES}/<image_id>/thumbnail.jpg"): Row(VIEWER, READ, 404),
    ("DELETE", f"{_PICTURES}/<image_id>"): Row(SITE_ADMIN, ADMINISTER, 404),
}
_SCENE = {"scene": 1, "site": "north"}
TABLE |= {
    ("GET", f"{A}/scenes"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/scenes"): Row(SITE_ADMIN, ADMINISTER, 400, _SCENE),
    ("POST", f"{A}/scenes/validate"): Row(SITE_ADMIN, ADMINISTER, 200, _SCENE),
    ("GET", f"{A}/scenes/<scene_id>"): Row(VIEWER, READ, 200),
    ("DELETE", f"{A}/scenes/<scene_id>"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("POST", f"{A}/scenes/<scene_id>/start"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("POST", f"{A}/scenes/<scene_id>/stop-room"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("GET", f"{A}/scene-runs"): Row(SIGNED_IN, READ, 200),
    ("GET", f"{A}/scene-runs/<scene_run_id>"): Row(VIEWER, READ, 200),
    **{
        ("POST", f"{A}/scene-runs/<scene_run_id>/{what}"): Row(OPERATOR, COMMAND, 409)
        for what in ("pause", "resume", "stop")
    },
}
RULE = {"name": "Aerator", "board_id": "pond", "sensor": "oxygen1"}  # which does nothing
TABLE |= {
    ("GET", f"{A}/automations"): Row(SIGNED_IN, READ, 200),
    ("POST", f"{A}/automations"): Row(SITE_ADMIN, ADMINISTER, 400, RULE),
    ("GET", f"{A}/automations/<automation_id>"): Row(VIEWER, READ, 200),
    ("PATCH", f"{A}/automations/<automation_id>"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("DELETE", f"{A}/automations/<automation_id>"): Row(SITE_ADMIN, ADMINISTER, 400, {"x": 1}),
    ("POST", f"{A}/automations/<automation_id>/enable"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("POST", f"{A}/automations/<automation_id>/disable"): Row(OPERATOR, COMMAND, 400, {"x": 1}),
    ("GET", f"{A}/executions"): Row(SIGNED_IN, READ, 200),
}
_SENSORS = f"{A}/boards/<board_id>/sensors"
TABLE |= {
    ("GET", _SENSORS): Row(VIEWER, READ, 200),
    ("PUT", f"{_SENSORS}/<sensor>"): Row(SITE_ADMIN, ADMINISTER, 404, {}),
    ("GET", f"{A}/boards/<board_id>/readings"): Row(VIEWER, READ, 200),
    ("GET", f"{A}/boards/<board_id>/readings.csv"): Row(VIEWER, READ, 200),
}
# What is asked so that it ends, and what stands in the paths for what is not made first.
QUERY = {f"{A}/events": "?last_event_id=wrong"}  # else it would not end
NAMES = {
    "board_id": "pond",
    "site": "north",
    "site_id": "north",
    "name": "stranger",
    "token_id": "999999",
    "release_id": "none",
    "seal": "none",
    "image_id": "none",
    "sensor": "moon1",
}
