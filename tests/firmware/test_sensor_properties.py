"""Any values around a limit, any fate of what is told: looked for with hypothesis."""

from typing import Any

from app.readings import Readings
from app.thresholds import Limit, News
from hypothesis import given
from hypothesis import strategies as st

near = st.floats(3, 5.5) | st.sampled_from((4.0, 4.5))
steps = st.integers(0, 5000)
ROOM = 5


@given(st.lists(st.tuples(near, steps)), st.booleans(), st.sampled_from((0, 500, 3000)))
def test_never_twice_the_same_and_each_for_a_reason(
    given_values: list[tuple[float, int]], above: bool, for_ms: int
) -> None:
    limit: Any = Limit(0, "l", above, 4.0, 0.5, for_ms)
    now, since, last = 0, None, None
    for value, step in given_values:
        now += step
        beyond = value > 4.0 if above else value < 4.0
        since = (now if since is None else since) if beyond else None
        if limit.judge(value, now):
            assert limit.crossed is not last
            assert beyond == limit.crossed
            assert since is None or now - since >= for_ms
            assert last is None or beyond or (value <= 3.5 if above else value >= 4.5)
            last = limit.crossed
        elif since is not None and now - since >= for_ms:
            assert limit.crossed


@given(st.lists(st.sampled_from(["a", "b", "take", "lost", "arrived"]), min_size=20, max_size=80))
def test_news_ends_with_how_things_are(said: list[str]) -> None:
    limits: dict[str, Any] = {name: Limit(0, name, True, 0, 0, 0) for name in "ab"}
    news: Any = News(list(limits.values()))
    heard: list[tuple[str, bool]] = []
    taken = None

    def settle(arrived: bool) -> None:
        if taken is not None:
            if arrived:
                heard.append((taken[0].name, taken[1]))
            news.settle(arrived)

    for what in [*said, "arrived"]:
        if what in limits:
            limits[what].crossed = not limits[what].crossed
            news.add(limits[what], 0, 0)
        elif what != "take":
            settle(what == "arrived")
            taken = None
        elif taken is None and news.waiting:
            taken = news.take()
    while news.waiting:
        taken = news.take()
        settle(True)
    changes = sum(what in limits for what in said)
    assert len(heard) + news.dropped == changes
    for name, limit in limits.items():
        mine = [state for who, state in heard if who == name]
        assert (mine[-1] if mine else None) == limit.crossed
        assert all(one is not other for one, other in zip(mine, mine[1:], strict=False))


@given(
    st.lists(st.sampled_from(("add", "add", "take", "lost", "arrived")), min_size=20, max_size=60)
)
def test_every_reading_arrives_or_is_counted(said: list[str]) -> None:
    readings: Any = Readings(ROOM)
    arrived: list[int] = []
    taken: list[int] | None = None
    added = 0
    for what in said:
        if what == "add":
            readings.add(added % 200, added, 0)
            added += 1
        elif what == "take" and taken is None:
            taken = [value for _, value, _ in readings.take(2)]
        elif what in ("lost", "arrived") and taken is not None:
            readings.settle(what == "arrived")
            arrived += taken if what == "arrived" else []
            taken = None
    if taken is not None:
        readings.settle(False)
    rest = [value for _, value, _ in readings.take(ROOM)]
    assert len(arrived) + len(rest) + readings.dropped == added
    assert arrived + rest == sorted({*arrived, *rest}), "in order, each of them once"
    assert rest == list(range(added))[added - len(rest) :]
