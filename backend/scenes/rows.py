"""The tables: scenes, their runs, and each run's steps, with how people are shown them.

A step that went to a board names its command; what became of that is the command's own story, and
is shown beside the step as it is now. Times are ms since 1970.
"""

import json
from typing import Any

from peewee import AutoField, BigIntegerField, BooleanField, IntegerField, TextField

from backend.database.models import Base, Command, as_rows
from backend.errors import NotFound
from backend.scenes.plan import Plan, plan_of

RUNNING, PAUSED, COMPLETED, STOPPED, ABORTED, INTERRUPTED = RUN_STATUSES = (
    "RUNNING",
    "PAUSED",
    "COMPLETED",
    "STOPPED",
    "ABORTED",
    "INTERRUPTED",
)
GOING = (RUNNING, PAUSED)

WAITING, SENT, OK, LATE, FAILED, SILENT, SUPERSEDED, NOT_SENT, SIMULATED, PLAYED = (
    STEP_STATUSES
) = (
    "WAITING",  # its command is made, and not sent yet
    "SENT",
    "OK",
    "LATE",  # it answered after the time for that
    "FAILED",
    "NO_FEEDBACK",
    "SUPERSEDED",  # another command followed, so no answer tells anything of this one
    "NOT_SENT",
    "SIMULATED",  # there is no broker, or no player
    "PLAYED",  # nothing answers to it
)
AHEAD_MAX = 100


class Scene(Base):
    """A scene as it was given: `definition` is JSON. `revision` goes up with each change."""

    id = TextField(primary_key=True)
    site = TextField(null=True, index=True)
    definition = TextField()
    revision = IntegerField(default=1)
    updated_at = BigIntegerField()
    updated_by = TextField()


class SceneRun(Base):
    """One time a scene was played. `entered_at`: when its `state` was entered, by plan;
    `simulated`: something was not sent because the broker was away; `reason`: why it ended.
    """

    id = AutoField()
    scene_id = TextField(index=True)
    site = TextField(null=True)
    definition = TextField()
    status = TextField(default=RUNNING)
    state = TextField(default="")
    entered_at = BigIntegerField()
    simulated = BooleanField(default=False)
    reason = TextField(default="")
    user = TextField()
    started_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)


class SceneStep(Base):
    """One thing that a run has done. `place`: where it stands in the file, or why it was done."""

    id = AutoField()
    run_id = IntegerField(index=True)
    number = IntegerField()
    state = TextField()
    place = TextField()
    text = TextField()
    board_id = TextField(default="")
    target = TextField(default="")
    command_id = TextField(null=True)
    planned_at = BigIntegerField()
    sent_at = BigIntegerField(null=True)
    feedback_at = BigIntegerField(null=True)
    status = TextField()
    detail = TextField(default="")


def scene(scene_id: str) -> Scene:
    """A scene's row. Raises NotFound."""
    found = Scene.get_or_none(Scene.id == scene_id)
    if not isinstance(found, Scene):
        raise NotFound("unknown_scene", "scene_id", f"there is no scene {scene_id!r}")
    return found


def run(run_id: int) -> SceneRun:
    """A run's row. Raises NotFound."""
    found = SceneRun.get_or_none(SceneRun.id == run_id)
    if not isinstance(found, SceneRun):
        raise NotFound("unknown_run", "scene_run_id", f"there is no run {run_id}")
    return found


def public_scene(row: Scene, whole: bool = False) -> dict[str, Any]:
    """A scene; the file itself only where it is asked for."""
    raw = json.loads(row.definition)
    plan = plan_of(raw)
    last = SceneRun.select().where(SceneRun.scene_id == row.id).order_by(SceneRun.id.desc())
    newest = last.first()
    return {
        "id": row.id,
        "site": row.site,
        "description": plan.description,
        "rooms": sorted(plan.rooms),
        "states": len(plan.states),
        "actions": sum(1 for _ in plan.actions()),
        "revision": row.revision,
        "updated_at": row.updated_at,
        "updated_by": row.updated_by,
        "last_run": public_run(newest) if newest else None,
        **({"scene": raw} if whole else {}),
    }


def public_run(row: SceneRun) -> dict[str, Any]:
    """A run without its steps."""
    names = ("id", "scene_id", "site", "status", "state", "entered_at", "simulated", "reason",
             "user", "started_at", "ended_at")  # fmt: skip
    return {name: getattr(row, name) for name in names}


def run_with_steps(row: SceneRun) -> dict[str, Any]:
    """A run with its `steps`, and what lies `ahead` in the state it is in."""
    shown = public_run(row)
    return {**shown, "steps": steps_of(row.id), "ahead": _ahead(row)}


def steps_of(run_id: int) -> list[dict[str, Any]]:
    """The steps of a run, each with its command's status, or None."""
    steps = as_rows(
        SceneStep.select().where(SceneStep.run_id == run_id).order_by(SceneStep.number)
    )
    wanted = [step["command_id"] for step in steps if step["command_id"]]
    found: Any = Command.select(Command.id, Command.status).where(Command.id << wanted)
    stands = {row.id: row.status for row in found}
    hidden = ("id", "run_id")
    return [
        {name: value for name, value in step.items() if name not in hidden}
        | {"command_status": stands.get(step["command_id"])}
        for step in steps
    ]


def _ahead(row: SceneRun) -> list[dict[str, Any]]:
    plan = plan_of(json.loads(row.definition))
    state = plan.states.get(row.state)
    if row.status not in GOING or state is None:
        return []
    steps = SceneStep.select(SceneStep.place, SceneStep.planned_at)
    mine = (SceneStep.run_id == row.id) & (SceneStep.planned_at >= row.entered_at)
    done = {one.place for one in steps.where(mine)}
    coming = [
        {
            "planned_at": row.entered_at + cue.at,
            "place": one.place,
            "text": one.text,
            "board_id": one.board,
            "target": one.target,
        }
        for cue in state.timeline
        for one in cue.actions
        if one.place not in done
    ]
    return coming[:AHEAD_MAX]


def runs(scene_id: str | None, sites: list[str] | None, before: int | None, limit: int) -> Any:
    """Runs, newest first; `sites`: only of scenes at these; None: of all."""
    query = SceneRun.select().order_by(SceneRun.id.desc()).limit(limit)
    if scene_id is not None:
        query = query.where(SceneRun.scene_id == scene_id)
    if before is not None:
        query = query.where(SceneRun.id < before)
    if sites is not None:
        query = query.where(SceneRun.site << sites)
    return [public_run(row) for row in query]


def levels_watched() -> set[str]:
    """The first levels of all topics that scenes listen to."""
    plans = (plan_of(json.loads(row.definition)) for row in Scene.select())
    return {topic.split("/")[0] for plan in plans for topic in watched(plan)}


def watched(plan: Plan) -> set[str]:
    """The topics that a scene listens to: its rooms' buttons and stops, and what it waits for."""
    buttons = {
        f"{room}/{leaf}" for room in plan.rooms for leaf in ("scene", "start_scene", "STOP")
    }
    return buttons | {one.topic for one in plan.transitions() if one.kind == "mqttMessage"}
