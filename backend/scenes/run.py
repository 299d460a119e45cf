"""One scene being played: where it is, and what is due. Pure: time is an argument, in ms.

What is due at a time of the plan counts from that time, however late it is looked at: a state that
a time-out leads to was entered when the time-out was over. Of what is due at the same time,
actions come before transitions, and the first transition in the list wins, global ones first.
"""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from backend.scenes import media
from backend.scenes.plan import END, Action, Plan, State, Transition
from backend.scenes.schema import AUDIO, CHANNELS, VIDEO

MOVES_MAX, MOVES_MS = 100, 1_000  # changes of state; more in that time, and it runs away
BEHIND_MS = 5_000


class Played(NamedTuple):
    """An action whose turn has come: the time it was planned for, and in which state."""

    action: Action
    at: int
    state: str


class Due(NamedTuple):
    """What is due at a time; `rank` orders what is due at the same time."""

    at: int
    rank: int
    what: Any


class Run:
    """A run of `plan` that begins at `now`; `take` gives what is to be done.

    `over`: why it has ended ("end": by the plan), or "". `nulls`: no player, so what is played
    ends by the plan's own durations.
    """

    def __init__(self, plan: Plan, now: int, nulls: bool = True) -> None:
        self.plan, self._nulls, self.over = plan, nulls, ""
        self.paused_at: int | None = None
        self._played: list[Played] = []
        self._playing: dict[tuple[str, str], int | None] = {}  # (channel, file): when it ends
        self._ended: dict[tuple[str, str], int] = {}
        self._moves, self._counted_at = 0, now
        self._enter(plan.initial, now)

    def copy(self) -> "Run":
        """The same once more, to look ahead with."""
        other = copy.copy(self)
        other._played, other._playing, other._ended = [], {**self._playing}, {**self._ended}
        return other

    def take(self) -> list[Played]:
        """What has come to its turn since the last time."""
        out, self._played = self._played, []
        return out

    def turn(self, now: int) -> None:
        """Do all that is due, in order."""
        while not self.over and self.paused_at is None:
            due = self._next()
            if due is None or due.at > now:
                return
            if due.at < now - BEHIND_MS:
                self.over = "behind"
            elif isinstance(due.what, tuple):
                channel, file = due.what
                self.media_ended(channel, file, due.at)
            elif isinstance(due.what, Transition):
                self._go(due.what.goto, due.at)
            else:
                self._cue += 1
                for action in due.what.actions:
                    self._do(action, due.at)

    def hear(self, topic: str, message: str, now: int) -> None:
        """Take in what somebody has said on a topic."""
        if self.over or self.paused_at is not None:
            return
        for one in self._transitions():
            if one.kind == "mqttMessage" and (one.topic, one.message) == (topic, message):
                self._go(one.goto, now)
                return

    def next_due(self) -> int | None:
        """When `turn` has something to do, or None."""
        due = None if self.over or self.paused_at is not None else self._next()
        return due and due.at

    def _do(self, action: Action, at: int) -> None:
        if action.kind in CHANNELS:
            self._note(action.kind, media.said(action.message), at)
        self._played.append(Played(action, at, self.state.name))

    def _note(self, channel: str, said: media.Said, at: int) -> None:
        if said.verb == media.PLAY:
            lasts = self.plan.media.get(said.file, media.UNKNOWN_MS)
            self._playing[channel, said.file] = at + lasts if self._nulls else None
            self._ended.pop((channel, said.file), None)
        elif said.verb == media.STOP:
            for key in [key for key in self._playing if key[0] == channel]:
                if said.file in ("", key[1]):
                    del self._playing[key]

    def media_ended(self, channel: str, file: str, at: int) -> None:
        """Note that a file has come to its end, or could not be played."""
        self._playing.pop((channel, file), None)
        self._ended[channel, file] = at

    def pause(self, now: int) -> None:
        """Stand still."""
        self.paused_at = now

    def resume(self, now: int) -> None:
        """Go on where it stood still."""
        by, self.paused_at = now - (self.paused_at or now), None
        self._move(by)

    def shift(self, by: int) -> None:
        """The clock was set by so many ms."""
        self._move(by)
        if self.paused_at is not None:
            self.paused_at += by

    def _move(self, by: int) -> None:
        self.entered += by
        self._counted_at += by
        self._playing = {key: None if at is None else at + by for key, at in self._playing.items()}
        self._ended = {key: at + by for key, at in self._ended.items()}

    def _transitions(self) -> tuple[Transition, ...]:
        return self.plan.events + self.state.transitions

    def _next(self) -> Due | None:
        found = [*self._coming()]
        return min(found, key=lambda due: due[:2]) if found else None

    def _coming(self) -> Iterator[Due]:
        timeline = self.state.timeline
        if self._cue < len(timeline):
            cue = timeline[self._cue]
            yield Due(self.entered + cue.at, 0, cue)
        for key, at in self._playing.items():
            if at is not None:
                yield Due(at, 0, key)
        for one in self._transitions():
            at = self._holds_at(one)
            if at is not None:
                yield Due(at, 1, one)
        if not self._transitions():  # nothing else could end it
            last = timeline[-1].at if timeline else 0
            yield Due(self.entered + last, 2, Transition("", "always", END))

    def _holds_at(self, one: Transition) -> int | None:
        """From when on a transition holds, as far as that is known."""
        if one.kind in ("timeout", "always"):
            return self.entered + one.delay
        if one.kind == "mqttMessage":
            return None
        channel = AUDIO if one.kind == "audioEnd" else VIDEO
        if one.target:
            at = self._ended.get((channel, one.target))
            return None if at is None else max(at, self.entered)
        ends = [at for key, at in self._ended.items() if key[0] == channel and at >= self.entered]
        return min(ends, default=None)

    def _go(self, name: str, at: int) -> None:
        for action in self.state.on_exit:
            self._do(action, at)
        if at - self._counted_at > MOVES_MS:
            self._moves, self._counted_at = 0, at
        self._moves += 1
        if name == END:
            self.over = "end"
        elif self._moves > MOVES_MAX:
            self.over = "runaway"
        else:
            self._enter(name, at)

    def _enter(self, name: str, at: int) -> None:
        self.state: State = self.plan.states[name]
        self.entered, self._cue = at, 0
        for action in self.state.on_enter:
            self._do(action, at)
