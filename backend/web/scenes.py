"""Scenes over HTTP: administrators of a site keep its scenes, operators play them.

A scene that belongs to no site is for boards that belong to none, and for administrators of all.
"""

from typing import Any

from protocol.fields import boolean, identifier
from protocol.topics import is_id

from backend.delivery.commands import PAGE_MAX
from backend.errors import Invalid, NotFound
from backend.people.access import ADMIN, OPERATOR, VIEWER, require, sites_with
from backend.people.audit import Noted
from backend.people.credentials import COMMAND
from backend.scenes import rows
from backend.scenes.rows import Scene
from backend.scenes.tasks import CONTROLS, Check, Control, Delete, Save, Start, StopRoom
from backend.service import Backend
from backend.web import render
from backend.web.commands import PAGE
from backend.web.http import (
    BODY_MAX,
    NO_MEMBERS,
    Answer,
    Call,
    Members,
    read_number,
    read_text,
    write_json,
)
from backend.web.routes import API, Route
from backend.web.sites import at_site

FILE_MAX = 4 * BODY_MAX - 1_024  # what the server takes, with room for the rest


def _anything(value: Any) -> str | None:
    return None


def _a_site(value: Any) -> str | None:
    return None if value is None else identifier(value)


_SCENE: dict[str, Any] = {"id": identifier, "site": _a_site}
_CHECK = Members({"scene": _anything}, _SCENE)
_NEW = Members({"scene": _anything}, {**_SCENE, "replace": boolean})
_RUNS = {"scene_id": read_text, "before": read_number(1, 1 << 53),
         "limit": read_number(1, PAGE_MAX)}  # fmt: skip


class SceneRoutes:
    """`/scenes` and `/scene-runs`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        scene, run = f"{API}/scenes/<scene_id>", f"{API}/scene-runs/<scene_run_id>"
        return [
            Route("GET", f"{API}/scenes", self.list),
            Route("POST", f"{API}/scenes", self.save),
            Route("POST", f"{API}/scenes/validate", self.validate),
            Route("GET", scene, self.show),
            Route("DELETE", scene, self.delete),
            Route("POST", f"{scene}/start", self.start, scope=COMMAND),
            Route("POST", f"{scene}/stop-room", self.stop_room, scope=COMMAND),
            Route("GET", f"{API}/scene-runs", self.runs, query=_RUNS),
            Route("GET", run, self.run),
            *(
                Route("POST", f"{run}/{what}", self._controls(what), scope=COMMAND)
                for what in CONTROLS
            ),
        ]

    def list(self, call: Call) -> Answer:
        """The scenes of the sites one has a role at, by id."""
        query, sites = Scene.select().order_by(Scene.id), sites_with(call.who, VIEWER)
        mine = query if sites is None else query.where(Scene.site << sites)
        return Answer({"scenes": [render.scene(rows.public_scene(row)) for row in mine]})

    def save(self, call: Call) -> Answer:
        """201 with a new scene, or one with a new file; `warnings` are no reason not to."""
        asked = call.body(_NEW, most=FILE_MAX)
        site = self._site(call, asked)
        head = asked["scene"] if isinstance(asked["scene"], dict) else {}
        scene_id: Any = asked.get("id") or head.get("sceneId")
        if not is_id(scene_id):
            reason = "must be 1 to 64 of A-Z a-z 0-9 _ -, here or as the file's sceneId"
            raise Invalid("malformed", "id", reason)
        task = Save(scene_id, site, _text(asked), call.who.user, asked.get("replace", False))
        made = self._backend.perform(Noted(task, call.actor, "scene.save", scene_id))
        shown = render.scene(made) | {"warnings": _places(made["warnings"])}
        return Answer(shown, 201, {"Location": f"{API}/scenes/{scene_id}"})

    def validate(self, call: Call) -> Answer:
        """What is wrong with a scene, and what is strange about it, each by its place."""
        asked = call.body(_CHECK, most=FILE_MAX)
        site = self._site(call, asked)
        found = self._backend.perform(Check(_text(asked), site))
        return Answer({name: _places(one) for name, one in found.items()})

    def show(self, call: Call, scene_id: str) -> Answer:
        """One scene with its file."""
        return Answer(render.scene(rows.public_scene(self._scene(call, VIEWER, scene_id), True)))

    def delete(self, call: Call, scene_id: str) -> Answer:
        """Delete a scene that does not run; the history of its runs stays."""
        self._scene(call, ADMIN, scene_id)
        call.body(NO_MEMBERS, empty=True)
        self._backend.perform(Noted(Delete(scene_id), call.actor, "scene.delete", scene_id))
        return Answer(None, 204)

    def start(self, call: Call, scene_id: str) -> Answer:
        """202 with a new run."""
        self._scene(call, OPERATOR, scene_id)
        call.body(NO_MEMBERS, empty=True)
        task = Start(scene_id, call.who.user)
        run = self._backend.perform(Noted(task, call.actor, "scene.start", scene_id))
        return Answer(render.scene_run(run), 202, {"Location": f"{API}/scene-runs/{run['id']}"})

    def stop_room(self, call: Call, scene_id: str) -> Answer:
        """202: every run in the scene's rooms ends, and their boards are told to stop."""
        self._scene(call, OPERATOR, scene_id)
        call.body(NO_MEMBERS, empty=True)
        task = Noted(StopRoom(scene_id, call.who.user), call.actor, "scene.stop_room", scene_id)
        return Answer(self._backend.perform(task), 202)

    def runs(self, call: Call) -> Answer:
        """Runs, newest first; those before `before`."""
        limit = call.query.get("limit", PAGE)
        about = (call.query.get("scene_id"), sites_with(call.who, VIEWER))
        found = rows.runs(*about, call.query.get("before"), limit)
        return Answer({"runs": [render.scene_run(run) for run in found]})

    def run(self, call: Call, scene_run_id: str) -> Answer:
        """One run with its steps, and what lies ahead."""
        return Answer(render.scene_run(rows.run_with_steps(self._run(call, VIEWER, scene_run_id))))

    def _controls(self, what: str) -> Any:
        def control(call: Call, scene_run_id: str) -> Answer:
            row: Any = self._run(call, OPERATOR, scene_run_id)
            call.body(NO_MEMBERS, empty=True)
            task = Control(row.id, what, call.who.user)
            done = self._backend.perform(
                Noted(task, call.actor, f"run.{what}", f"{row.scene_id}/{row.id}")
            )
            return Answer(render.scene_run(done), 202)

        return control

    def _site(self, call: Call, asked: dict[str, Any]) -> str | None:
        """The site that is asked for, where one is its administrator."""
        site: str | None = asked.get("site")
        if site is None:
            require(call.who, ADMIN, None, NotFound("unknown_site", "site", "there is none"))
        else:
            at_site(call, ADMIN, site)
        return site

    def _scene(self, call: Call, role: str, scene_id: str) -> Scene:
        row: Any = rows.scene(scene_id)
        nothing = NotFound("unknown_scene", "scene_id", f"there is no scene {scene_id!r}")
        require(call.who, role, row.site, nothing)
        return rows.scene(scene_id)

    def _run(self, call: Call, role: str, scene_run_id: str) -> rows.SceneRun:
        if not (scene_run_id.isascii() and scene_run_id.isdecimal() and len(scene_run_id) < 19):
            raise NotFound("unknown_run", "scene_run_id", f"there is no run {scene_run_id!r}")
        row: Any = rows.run(int(scene_run_id))
        nothing = NotFound("unknown_run", "scene_run_id", f"there is no run {row.id}")
        require(call.who, role, row.site, nothing)
        found: rows.SceneRun = row
        return found


def _text(asked: dict[str, Any]) -> str:
    """The file as it is kept. Raises Invalid where it holds what no text may."""
    text = write_json(asked["scene"])
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("bad_scene", "scene", "holds half of a character") from None
    if "\\u0000" in text:
        raise Invalid("bad_scene", "scene", "must not contain the character NUL")
    return text


def _places(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"place": place, "reason": reason} for place, reason in found]
