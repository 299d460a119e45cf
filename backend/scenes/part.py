"""Plays scenes: all runs that are going on, in the core's transaction.

Rules of this file:
- a board's actuator belongs to one run at a time;
- a run that ends switches off what it has used, whatever ended it, but where its scene says
  `atEnd` or `onInterrupt` is `keep`, or a step's policy is `abort`;
- a run of a backend that was killed ends as INTERRUPTED at the next start, and is not taken up;
- a stop of a whole board that a run uses, or of its room, ends the run.
"""

import json
import logging

from backend.brokers.outbox import Outbox
from backend.database.store import Row
from backend.delivery.part import Orders, Part
from backend.delivery.work import Work
from backend.dialects import museum
from backend.dialects.museum import MUSEUM
from backend.errors import Conflict, NotFound, Refusal
from backend.fleet.presence import Presence
from backend.scenes import rows
from backend.scenes.asked import Step
from backend.scenes.plan import Plan, plan_of
from backend.scenes.playing import Playing
from backend.scenes.rows import Scene, SceneRun
from backend.scenes.schema import ABORT, CHANNELS, CONTINUE, RETRY
from backend.scenes.settling import settle_left
from backend.scenes.steps import Steps

log = logging.getLogger(__name__)

RETRIES = 2
LEAD_MS = 300  # longer than a commit takes, on a slow disk, too
ECHO_MS = 5_000  # our own word to a room comes back by the broker, within that
_ENDS = {
    "end": (rows.COMPLETED, ""),
    "behind": (rows.INTERRUPTED, "it was too far behind its plan"),
    "runaway": (rows.ABORTED, "it changed its state too often"),
}


class Scenes(Part):
    """All scenes and their runs. `has_player`: sound and picture are really played."""

    def __init__(self, orders: Orders) -> None:
        super().__init__(orders)
        self.has_player = False
        self.steps, self._lead = Steps(orders), 0
        self.going: dict[int, Playing] = {}
        self._left = True  # runs of a backend that was killed, perhaps
        self._endings: list[tuple[int, str, str, bool]] = []  # run, status, reason, safe?
        self._echoes: dict[tuple[str, str], list[int]] = {}
        self._known: dict[str, tuple[str | None, Plan]] = {}
        self._topics: dict[str, set[str | None]] = {}
        self.reload()

    def reload(self) -> None:
        """Take over the scenes as they are in the database now."""
        self._known = {
            row.id: (row.site, plan_of(json.loads(row.definition))) for row in Scene.select()
        }
        topics: dict[str, set[str | None]] = {}
        for site, plan in self._known.values():
            for topic in rows.watched(plan):
                topics.setdefault(topic, set()).add(site)
        self._topics = topics

    def plays_ahead(self, outbox: Outbox) -> None:
        """From now on write down what is to come LEAD_MS before, and have it go out in time."""
        self.steps.outbox, self._lead = outbox, LEAD_MS

    def topics(self) -> tuple[str, ...]:
        """What has to be listened to; may be asked from any thread."""
        return tuple(self._topics)

    def watches(self, topic: str, link: str) -> bool:
        """Whether what is said there is for scenes."""
        sites = self._topics.get(topic, ())
        return any(self._link_at(site) == link for site in sites)

    def begin(self, work: Work, scene_id: str, user: str) -> int:
        """Start a scene: its run. Raises NotFound; Conflict where another one uses a target."""
        row = rows.scene(scene_id)
        playing = Playing(self.orders.roster, row, work.now, not self.has_player, lead=self._lead)
        for other in self.going.values():
            for board_id, target in sorted(playing.used & other.used):
                what = f"{target or 'the whole'} of {board_id}"
                reason = f"{what} is used by the run {other.run_id} of {other.scene_id}; stop that"
                raise Conflict("in_use", "scene_id", reason)
        playing.write(user, work.now)
        self.going[playing.run_id] = playing
        self.steps.changed.add(playing.run_id)
        return playing.run_id

    def end(self, run_id: int, status: str, reason: str, safe: bool = True) -> None:
        """Have a run ended in this transaction, or the next one."""
        self._endings.append((run_id, status, reason, safe))

    def media_ended(self, work: Work, run_id: int, channel: str, file: str, error: str) -> None:
        """The player has come to the end of a file, or could not play it."""
        playing = self.going.get(run_id)
        if playing is None:
            return
        playing.run.media_ended(channel, file, work.now)
        if error:
            asked = playing.asked(channel, f"{channel} {file}", work.now, CONTINUE)
            self.steps.record(asked, rows.FAILED, error[:200])

    def hear(self, work: Work) -> None:
        """Buttons, room stops, and what runs wait for."""
        for word in work.words:
            for playing in self.going.values():
                if self._link_at(playing.site) == word.link:
                    playing.run.hear(word.topic, word.text, work.now)
            room, _, leaf = word.topic.partition("/")
            if leaf == "STOP":
                self._room_stop(work, room, word.link)
            elif leaf == "scene" and word.text.strip().upper() == "START":
                self._pressed(work, self._default(room, word.link), word.topic)
            elif leaf == "start_scene":
                name = word.text.strip().removesuffix(".json")
                known = name in self._known and self._at(name) == word.link
                self._pressed(work, name if known else None, word.topic)

    def act(self, work: Work) -> None:
        """Play what is due, and see to what has failed or ended."""
        if self._left:
            self._left = False
            settle_left(work, self.orders, self.steps)
        self._end_those(work)
        for playing in self.going.values():
            playing.turn(work, self.steps)
        self.steps.look(work)
        failed, self.steps.failed = self.steps.failed, []
        for step in failed:
            self._failed(work, step)
        for playing in self.going.values():
            if playing.run.over:
                status, reason = _ENDS[playing.run.over]
                self.end(playing.run_id, status, reason, playing.ends_safe(status))
        self._end_those(work)
        self._tell(work)

    def follow(self, work: Work, changes: list[tuple[Row, Row]]) -> None:
        """What became of our commands, and whether somebody has stopped one of our boards."""
        self.steps.follow(work, changes)
        for entry, row in changes:
            if row["command_type"] in ("stop", "emergency_stop") and row["target"] == "":
                self._stopped(work, entry["event"], row)
        self._tell(work)

    def next_due(self) -> int | None:
        """When something is due, or an answer is overdue."""
        if self._endings:
            return 0
        times = [self.steps.next_due()]
        times += [playing.next_due(self.steps) for playing in self.going.values()]
        return min((time for time in times if time is not None), default=None)

    def shift(self, by: int) -> None:
        """Scenes go by the time that really passes."""
        self.steps.shift(by)
        for playing in self.going.values():
            playing.run.shift(by)

    def _link_at(self, site: str | None) -> str:
        """The link of the boards of a site; None: of those that belong to none."""
        return self.orders.roster.link_of(Presence("", b"", site=site))

    def _at(self, scene_id: str) -> str:
        return self._link_at(self._known[scene_id][0])

    def _default(self, room: str, link: str) -> str | None:
        """The scene that a room's button starts: its default, or the only one."""
        there = [
            name
            for name, (_, plan) in self._known.items()
            if room in plan.rooms and self._at(name) == link
        ]
        chosen = [name for name in there if self._known[name][1].default] or there
        return chosen[0] if len(chosen) == 1 else None

    def _pressed(self, work: Work, scene_id: str | None, topic: str) -> None:
        try:
            if scene_id is None:
                raise NotFound("unknown_scene", "", "there is none, or more than one could be")
            self.begin(work, scene_id, f"button {topic}"[:64])
        except Refusal as why:
            log.warning("%s: nothing is started: %s", topic, why)

    def _room_stop(self, work: Work, room: str, link: str) -> None:
        times = self._echoes.get((link, room), [])
        self._echoes[link, room] = times = [at for at in times if at > work.now]
        if times:
            times.pop(0)
            return
        for playing in self.going.values():
            if room in playing.plan.rooms and self._link_at(playing.site) == link:
                self.end(playing.run_id, rows.STOPPED, f"{room}/STOP was heard")

    def _stopped(self, work: Work, event: str, row: Row) -> None:
        board = self.orders.roster.get(row["board_id"])
        if event == "send" and board and board.dialect == MUSEUM.name:
            for room in museum.rooms(board.actuators):
                key = self.orders.roster.link_of(board), room
                awaited = [at for at in self._echoes.get(key, []) if at > work.now]
                self._echoes[key] = [*awaited, work.now + ECHO_MS]
        for playing in self.going.values() if event == "create" else ():
            mine = row["cause"] == playing.cause
            if not mine and row["board_id"] in {board_id for board_id, _ in playing.used}:
                who = row["cause"] or row["user"]
                why = f"{row['command_type']} of {row['board_id']} by {who}"
                self.end(playing.run_id, rows.STOPPED, why)

    def _failed(self, work: Work, step: Step) -> None:
        """What a step's policy says."""
        playing, policy = self.going.get(step.asked.run_id), step.asked.policy
        if playing is None or policy == CONTINUE:
            return
        if policy == RETRY:
            if step.asked.tries < RETRIES:
                playing.again(work, self.steps, step)
            return
        reason = f"{step.asked.place}: {step.asked.text}: {step.status}"
        self.end(playing.run_id, rows.ABORTED, reason, policy != ABORT)

    def _end_those(self, work: Work) -> None:
        endings, self._endings = self._endings, []
        for run_id, status, reason, safe in endings:
            playing = self.going.pop(run_id, None)
            if playing is None:
                continue
            playing.take_back(work, self.steps)
            self.steps.finish(work, run_id)
            if safe:
                playing.make_safe(work, self.steps)
            work.out.local += [(run_id, channel, "STOP") for channel in CHANNELS]
            ended = {"status": status, "reason": reason[:300], "ended_at": work.now}
            SceneRun.update(ended).where(SceneRun.id == run_id).execute()
            self.steps.changed.add(run_id)

    def _tell(self, work: Work) -> None:
        if not self.steps.changed:
            return
        for found in SceneRun.select().where(SceneRun.id << [*self.steps.changed]):
            about = {"site": found.site, "scene_id": found.scene_id, "run": found.id}
            work.out.news.append(("scene", {**about, "status": found.status}))
        self.steps.changed.clear()
