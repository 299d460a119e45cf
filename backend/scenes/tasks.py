"""What people ask for about scenes, each done in the writer's transaction."""

import json
from dataclasses import dataclass
from typing import Any

from backend.delivery.work import Work
from backend.errors import Conflict, Invalid
from backend.scenes import checks, rows
from backend.scenes.cast import Cast
from backend.scenes.plan import Plan
from backend.scenes.playing import Playing
from backend.scenes.rows import Scene
from backend.scenes.schema import Found

PAUSE, RESUME, STOP = CONTROLS = ("pause", "resume", "stop")


def _checked(work: Work, text: str, site: str | None) -> tuple[Plan | None, Found, Found]:
    plan, errors, warnings = checks.check(json.loads(text))
    if plan is not None:
        cast = Cast(work.parts.scenes.orders.roster, site, plan)
        warnings = [*warnings, *checks.check_cast(plan, cast)]
    return plan, errors, warnings


@dataclass(frozen=True)
class Check:
    """Whether a scene could be kept: {"errors", "warnings"}, lists of (place, reason)."""

    text: str
    site: str | None

    def __call__(self, work: Work) -> dict[str, Found]:
        """Changes nothing."""
        _, errors, warnings = _checked(work, self.text, self.site)
        return {"errors": errors, "warnings": warnings}


@dataclass(frozen=True)
class Save:
    """A scene is to be kept; `replace`: one of this id may be there. `text`: the file, JSON."""

    scene_id: str
    site: str | None
    text: str
    user: str
    replace: bool = False

    def __call__(self, work: Work) -> dict[str, Any]:
        """The scene, with its `warnings`. Raises Invalid naming the place, Conflict."""
        _, errors, warnings = _checked(work, self.text, self.site)
        if errors:
            place, reason = errors[0]
            more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
            raise Invalid("bad_scene", place, reason + more)
        known = Scene.get_or_none(Scene.id == self.scene_id)
        if known and (not self.replace or known.site != self.site):
            where = "" if known.site == self.site else ", at another site"
            raise Conflict("exists", "id", f"there is a scene {self.scene_id!r} already{where}")
        values = {"definition": self.text, "updated_at": work.now, "updated_by": self.user}
        if known:
            changed = Scene.update(**values, revision=Scene.revision + 1)
            changed.where(Scene.id == self.scene_id).execute()
        else:
            Scene.insert(id=self.scene_id, site=self.site, **values).execute()
        _listen(work)
        return {**rows.public_scene(rows.scene(self.scene_id), True), "warnings": warnings}


@dataclass(frozen=True)
class Delete:
    """A scene is wanted no more; its runs stay."""

    scene_id: str

    def __call__(self, work: Work) -> None:
        """Raises NotFound; Conflict while it runs."""
        rows.scene(self.scene_id)
        for playing in work.parts.scenes.going.values():
            if playing.scene_id == self.scene_id:
                raise Conflict("running", "scene_id", f"runs just now: stop {playing.run_id}")
        Scene.delete().where(Scene.id == self.scene_id).execute()
        _listen(work)


@dataclass(frozen=True)
class Start:
    """A scene is to be played."""

    scene_id: str
    user: str

    def __call__(self, work: Work) -> dict[str, Any]:
        """The run. Raises NotFound, Conflict."""
        run_id = work.parts.scenes.begin(work, self.scene_id, self.user)
        return rows.public_run(rows.run(run_id))


@dataclass(frozen=True)
class Control:
    """A run is to pause, resume or stop."""

    run_id: int
    what: str
    user: str

    def __call__(self, work: Work) -> dict[str, Any]:
        """The run as it is then. Raises NotFound, Conflict."""
        rows.run(self.run_id)
        scenes = work.parts.scenes
        playing = scenes.going.get(self.run_id)
        if playing is None:
            raise Conflict("ended", "scene_run_id", "has ended already")
        paused = playing.run.paused_at is not None
        if self.what == STOP:
            scenes.end(self.run_id, rows.STOPPED, f"stopped by {self.user}")
        elif paused == (self.what == PAUSE):
            raise Conflict(
                "as_it_is", "scene_run_id", "is paused already" if paused else "runs already"
            )
        else:
            _hold(work, playing, self.what, self.run_id)
        scenes.steps.changed.add(self.run_id)
        return rows.public_run(rows.run(self.run_id))


@dataclass(frozen=True)
class StopRoom:
    """Everything in the rooms of a scene is to stop, whoever has begun it."""

    scene_id: str
    user: str

    def __call__(self, work: Work) -> dict[str, Any]:
        """{"stopped": runs, "commands": ids}. Raises NotFound."""
        row, scenes = rows.scene(self.scene_id), work.parts.scenes
        wanted = Playing(scenes.orders.roster, row, work.now, True)
        rooms, used = wanted.plan.rooms, wanted.used
        ended = [
            one
            for one in scenes.going.values()
            if one.site == row.site and (one.plan.rooms & rooms or one.used & used)
        ]
        for one in ended:
            scenes.end(one.run_id, rows.STOPPED, f"the room was stopped by {self.user}")
            used |= one.used
        cast = Cast(scenes.orders.roster, row.site, wanted.plan)
        orders = [order.command(None, cause="") for order in cast.halts(rooms, used)]
        made = [scenes.orders.post(work, order)["id"] for order in orders]
        return {"stopped": [one.run_id for one in ended], "commands": made}


@dataclass(frozen=True)
class MediaEnded:
    """The player says that a file has come to its end, or why it could not be played."""

    run_id: int
    channel: str
    file: str
    error: str = ""

    def __call__(self, work: Work) -> None:
        """Nothing, where the run is over."""
        about = (self.run_id, self.channel, self.file, self.error)
        work.parts.scenes.media_ended(work, *about)


def _hold(work: Work, playing: Playing, what: str, run_id: int) -> None:
    (playing.pause if what == PAUSE else playing.resume)(work.now)
    work.out.local += [(run_id, channel, what.upper()) for channel in ("audio", "video")]


def _listen(work: Work) -> None:
    """Have what scenes wait for subscribed to."""
    work.parts.scenes.reload()
    work.parts.scenes.orders.roster.version += 1
