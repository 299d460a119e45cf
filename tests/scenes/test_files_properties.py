"""Whatever a scene's file holds: it is refused by a place, or it plays; nothing raises."""

import copy
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend.scenes.checks import check
from backend.scenes.run import Run
from tests.scenes.test_files import FLAT, MUSEUM

WORDS = ("A", "INTRO", "END", "mqtt", "audio", "always", "timeout", "audioEnd", "PLAY:a.wav:5",
         "STOP", "room1/light", "", "x" * 201)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(0, 9) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["at", "type", "goto", "action", "delay", "x"]), inner)
    ),
    max_leaves=5,
)


def nodes(raw: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a file."""
    keys = raw if isinstance(raw, dict) else range(len(raw)) if isinstance(raw, list) else ()
    return [(raw, key) for key in keys] + [pair for key in keys for pair in nodes(raw[key])]


@given(st.integers(), st.lists(VALUES, min_size=1, max_size=3), st.sampled_from([MUSEUM, FLAT]))
def test_a_file_is_refused_or_plays(seed: int, values: list[Any], whole: Any) -> None:
    raw, rng = copy.deepcopy(whole), random.Random(seed)
    for value in values:
        there = nodes(raw)
        if there:
            container, key = rng.choice(there)
            container[key] = value
    plan, errors, _ = check(raw)
    assert all(place and reason for place, reason in errors)
    if plan is None or errors:
        assert errors
        return
    run, now = Run(plan, 0), 0
    while not run.over and (due := run.next_due()) is not None and now < 60_000:
        now = max(now, due)
        run.copy().turn(now + 300)
        run.turn(now)
        assert all(one.at <= now for one in run.take())
        run.hear("room1/panic", "no", now)
