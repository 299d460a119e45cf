"""A scene as it is played: states with what happens in them and what ends them. Times are ms.

Made of a file whose form was checked. Every action keeps its place in that file, so that what is
said of it can be found there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from backend.scenes.schema import CHANNELS, CONTINUE, SAFE, is_flat, place_of

TEXT_MAX = 200
END = "END"
FLAT = "timeline"  # the name of the one state of a flat list


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `kind`: mqtt, command, audio or video; `on_failure`: one of POLICIES."""

    place: str
    kind: str
    topic: str = ""
    message: str = ""
    board: str = ""
    target: str = ""
    command_type: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    on_failure: str = CONTINUE

    @property
    def text(self) -> str:
        """What people are shown of it."""
        if self.kind == "command":
            said = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
            words = (self.board, self.target, self.command_type, said)
            return " ".join(filter(None, words))[:TEXT_MAX]
        return f"{self.topic or self.kind} {self.message}"


@dataclass(frozen=True, slots=True)
class Cue:
    """What is done `at` ms after a state was entered."""

    at: int
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """What leads to the state `goto`, or to END. `kind` as the file has it."""

    place: str
    kind: str
    goto: str
    delay: int = 0
    topic: str = ""
    message: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """One state; `timeline` in the order of time."""

    name: str
    on_enter: tuple[Action, ...] = ()
    on_exit: tuple[Action, ...] = ()
    timeline: tuple[Cue, ...] = ()
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole scene. `topics`: {topic: (board, target)}; `media`: {file: ms};
    `safe_state`: what takes the place of switching off what was used, or None.
    """

    states: dict[str, State]
    initial: str
    events: tuple[Transition, ...] = ()  # that hold in every state
    topics: dict[str, tuple[str, str]] = field(default_factory=dict)
    media: dict[str, int] = field(default_factory=dict)
    room: str = ""
    default: bool = False
    description: str = ""
    at_end: str = SAFE
    on_interrupt: str = SAFE
    safe_state: tuple[Action, ...] | None = None

    def actions(self) -> Iterator[Action]:
        """All there are."""
        for state in self.states.values():
            yield from state.on_enter
            yield from state.on_exit
            for cue in state.timeline:
                yield from cue.actions
        yield from self.safe_state or ()

    def transitions(self) -> Iterator[Transition]:
        """All there are."""
        yield from self.events
        for state in self.states.values():
            yield from state.transitions

    @property
    def rooms(self) -> set[str]:
        """The rooms it plays in: the first levels of its topics."""
        topics = {action.topic.split("/")[0] for action in self.actions() if action.topic}
        return topics | ({self.room} if self.room else set())


def plan_of(raw: Any) -> Plan:
    """The plan of a file in which `schema.errors` found none."""
    head: dict[str, Any] = raw if isinstance(raw, dict) else {}
    policy = head.get("onFailure", CONTINUE)
    safe = head.get("safeState")
    states = _flat(raw, policy) if is_flat(raw) else _states(raw, policy)
    return Plan(
        states,
        FLAT if is_flat(raw) else raw["initialState"],
        _transitions(head.get("globalEvents", []), ["globalEvents"]),
        {topic: (to["board"], to["target"]) for topic, to in head.get("topics", {}).items()},
        {file: round(seconds * 1000) for file, seconds in head.get("media", {}).items()},
        head.get("room", ""),
        head.get("default", False),
        head.get("description", ""),
        head.get("atEnd", SAFE),
        head.get("onInterrupt", SAFE),
        None if safe is None else _actions(safe, ["safeState"], policy),
    )


def _flat(raw: Any, policy: str) -> dict[str, State]:
    path, entries = ([], raw) if isinstance(raw, list) else (["actions"], raw["actions"])
    cues = []
    for index, one in enumerate(entries):
        at = one.get("at", one.get("timestamp", 0))
        cues.append(Cue(round(at * 1000), (_action(one, [*path, index], policy),)))
    return {FLAT: State(FLAT, timeline=tuple(sorted(cues, key=lambda cue: cue.at)))}


def _states(raw: Any, policy: str) -> dict[str, State]:
    return {name: _state(name, one, policy) for name, one in raw["states"].items()}


def _state(name: str, raw: Any, policy: str) -> State:
    path = ["states", name]
    cues = [
        _cue(one, [*path, "timeline", index], policy)
        for index, one in enumerate(raw.get("timeline", []))
    ]
    return State(
        name,
        _actions(raw.get("onEnter", []), [*path, "onEnter"], policy),
        _actions(raw.get("onExit", []), [*path, "onExit"], policy),
        tuple(sorted(cues, key=lambda cue: cue.at)),
        _transitions(raw.get("transitions", []), [*path, "transitions"]),
    )


def _cue(raw: Any, path: list[Any], policy: str) -> Cue:
    if "actions" in raw:
        actions = _actions(raw["actions"], [*path, "actions"], policy)
    else:
        actions = (_action(raw, path, policy),)
    return Cue(round(raw["at"] * 1000), actions)


def _actions(raw: Any, path: list[Any], policy: str) -> tuple[Action, ...]:
    return tuple(_action(one, [*path, index], policy) for index, one in enumerate(raw))


def _action(raw: Any, path: list[Any], policy: str) -> Action:
    """A topic that ends in /audio or /video is the host's own, however the action is called."""
    kind, last = raw.get("action", "mqtt"), raw.get("topic", "").rsplit("/", 1)[-1]
    names = ("topic", "message", "board", "target", "command_type", "parameters")
    members = {name: raw[name] for name in names if name in raw}
    kind = last if kind == "mqtt" and last in CHANNELS else kind
    return Action(place_of(path), kind, on_failure=raw.get("onFailure", policy), **members)


def _transitions(raw: Any, path: list[Any]) -> tuple[Transition, ...]:
    return tuple(
        Transition(
            place_of([*path, index]),
            one["type"],
            one["goto"],
            round(one.get("delay", 0) * 1000),
            **{name: one[name] for name in ("topic", "message", "target") if name in one},
        )
        for index, one in enumerate(raw)
    )
