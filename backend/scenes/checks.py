"""Whether a scene makes sense: what its form alone does not say. Gives (errors, warnings)."""

from collections.abc import Iterator
from typing import Any

from backend.delivery.masking import why_secret
from backend.dialects import museum
from backend.scenes import schema
from backend.scenes.cast import Cast, obeyed
from backend.scenes.media import why_not_media
from backend.scenes.plan import END, Plan, Transition, plan_of
from backend.scenes.schema import ACTIONS_MAX, CHANNELS, Found

_ANSWERS = ("feedback", "status")  # last levels on which boards answer


def check(raw: Any) -> tuple[Plan | None, Found, Found]:
    """(plan, errors, warnings) of a file, as far as it can be told without knowing boards."""
    found = schema.errors(raw) or list(_untimed(raw))
    if found:
        return None, found, []
    plan = plan_of(raw)
    return plan, [*_errors(plan)], [*_unknown(raw), *_warnings(plan)]


def check_cast(plan: Plan, cast: Cast) -> Found:
    """The actions that no board would play as things are now."""
    playing = (one for one in plan.actions() if one.kind not in CHANNELS)
    told = ((one.place, obeyed(cast, one)[1]) for one in playing)
    return [(place, f"{why}: nothing would be sent") for place, why in told if why]


def _untimed(raw: Any) -> Iterator[tuple[str, str]]:
    if not schema.is_flat(raw):
        return
    path, entries = ([], raw) if isinstance(raw, list) else (["actions"], raw["actions"])
    for index, one in enumerate(entries):
        if "at" not in one and "timestamp" not in one:
            yield schema.place_of([*path, index, "at"]), "is missing"


def _errors(plan: Plan) -> Iterator[tuple[str, str]]:
    if END in plan.states:
        yield f"states.{END}", "must have another name: END ends a scene"
    if plan.initial not in plan.states:
        yield "initialState", f"names the state {plan.initial!r}, which there is not"
    for one in plan.transitions():
        if one.goto != END and one.goto not in plan.states:
            yield f"{one.place}.goto", f"names the state {one.goto!r}, which there is not"
        if one.topic.rsplit("/", 1)[-1] in _ANSWERS:
            yield f"{one.place}.topic", "is where boards answer; wait for another one"
    yield from _topics(plan)
    for one in plan.events:
        if _at_once(one):
            yield one.place, "would hold at once in every state; give it a delay"
    yield from _loops(plan)
    yield from _local(plan)
    if sum(1 for _ in plan.actions()) > ACTIONS_MAX:
        yield "states", f"must have at most {ACTIONS_MAX} actions in all"


def _topics(plan: Plan) -> Iterator[tuple[str, str]]:
    named = [(one.place, one.topic) for one in plan.actions()]
    named += [(one.place, one.topic) for one in plan.transitions()]
    for place, topic in named:
        if topic and not museum.is_topic(topic):
            yield f"{place}.topic", "must be a topic of a room, such as room1/light"
    if plan.room in museum.TAKEN:
        yield "room", "must be a room"


def _local(plan: Plan) -> Iterator[tuple[str, str]]:
    for action in plan.actions():
        why = why_not_media(action.message) if action.kind in CHANNELS else ""
        if why:
            yield f"{action.place}.message", why
        if why := why_secret(action.command_type, action.parameters):
            yield f"{action.place}.parameters", why


def _at_once(one: Transition) -> bool:
    return one.kind == "always" or (one.kind == "timeout" and one.delay == 0)


def _loops(plan: Plan) -> Iterator[tuple[str, str]]:
    """States that lead back to themselves without any time passing."""
    ways = {
        name: next((one for one in state.transitions if _at_once(one)), None)
        for name, state in plan.states.items()
    }
    told: set[str] = set()
    for name in plan.states:
        walked: list[str] = []
        here: str | None = name
        while here is not None and here not in walked:
            walked.append(here)
            way = ways.get(here)
            here = way.goto if way and way.goto in plan.states else None
        if here is not None and here not in told:
            told |= set(walked)
            way = ways[here]
            chain = " -> ".join([*walked[walked.index(here) :], here])
            yield (way.place if way else name), f"leads {chain} without end; give it a delay"


def _warnings(plan: Plan) -> Iterator[tuple[str, str]]:
    reached, left = set[str](), [plan.initial, *(one.goto for one in plan.events)]
    while left:
        name = left.pop()
        if name not in reached and name in plan.states:
            reached.add(name)
            left += [one.goto for one in plan.states[name].transitions]
    for name in plan.states:
        if name not in reached:
            yield f"states.{name}", "is never reached"


def _unknown(raw: Any) -> Iterator[tuple[str, str]]:
    for name in raw if isinstance(raw, dict) else ():
        if name not in schema.KNOWN:
            yield str(name)[:64], "is unknown and does nothing"
