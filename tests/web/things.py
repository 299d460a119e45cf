"""One of each thing that addresses name, made at a site."""

from backend.rollouts.rows import Rollout
from tests.backend.running import eventually
from tests.web.rights import RULE
from tests.web.site import Client

# Those that are known by a number.
NUMBERED = ("rollout_id", "schedule_id", "run_id", "scene_run_id", "automation_id")


def things(client: Client, site_id: str, board_id: str) -> dict[str, str]:
    """{name in a path: its value}, of things that whoever administers the site may see."""
    made = {**planned(client, site_id), **played(client, site_id)}
    rule = client.call("POST", "automations", {**RULE, "board_id": board_id, "notify": True}).json
    return {"rollout_id": ended_rollout(site_id), "automation_id": str(rule["id"]), **made}


def played(client: Client, site_id: str) -> dict[str, str]:
    """A scene at a site that was played and is over, and its run."""
    empty = {"initialState": "A", "states": {"A": {}}}
    asked = {"id": f"show-{site_id}", "site": site_id, "scene": empty}
    assert client.call("POST", "scenes", asked).status == 201
    run = client.call("POST", f"scenes/show-{site_id}/start").json["id"]
    eventually(lambda: client.call("GET", f"scene-runs/{run}").json["status"] == "COMPLETED")
    return {"scene_id": f"show-{site_id}", "scene_run_id": str(run)}


def ended_rollout(site_id: str) -> str:
    """The number of a rollout that has ended at a site."""
    numbers = dict.fromkeys(("canary", "at_once", "per_minute", "error_share", "min_finished"), 1)
    about = {"release": "none", "board": "UNIX", "version": "1", "selection": "{}", "base": ""}
    times = dict.fromkeys(("board_s", "created_at", "deadline_at", "ended_at"), 1)
    more = {"site": site_id, "allow_downgrade": False, "state": "done", "user": "admin"}
    return str(Rollout.create(**numbers, **about, **times, **more).id)


def planned(client: Client, place: str) -> dict[str, str]:
    """A schedule and a run at a site."""
    asked = {"site": place, "command_type": "ping"}
    made = client.call("POST", "schedules", {**asked, "cron": "0 0 1 1 *"}).json
    run = client.call("POST", "bulk", asked).json
    return {"schedule_id": str(made["id"]), "run_id": str(run["id"])}
