"""Limits with hysteresis and a least time, and the news of them."""

from app.clock import ticks_add
from app.thresholds import Limit, News


def low(for_ms=0, hysteresis=0.5):
    return Limit(0, "low_oxygen", False, 4.0, hysteresis, for_ms)


def high():
    return Limit(0, "hot", True, 30, 2, 0)


def changes(limit, values, step_ms=1000, start=0):
    """The values at which it changed, and to what, one value every `step_ms`."""
    out = []
    for i, value in enumerate(values):
        if limit.judge(value, ticks_add(start, i * step_ms)):
            out.append((value, limit.crossed))
    return out


def test_below_and_back_by_the_hysteresis():
    values = [5, 4.0, 3.9, 4.2, 4.4, 3.8, 4.49, 4.5, 4.2]
    assert changes(low(), values) == [(5, False), (3.9, True), (4.5, False)]


def test_above_and_back_by_the_hysteresis():
    values = [20, 30, 31, 29, 28.5, 28, 30]
    assert changes(high(), values) == [(20, False), (31, True), (28, False)]


def test_the_first_that_is_known_is_news():
    assert changes(low(), [3]) == [(3, True)]
    assert changes(low(), [4.2]) == [(4.2, False)]


def test_without_hysteresis_the_limit_itself_is_the_way_back():
    assert changes(low(hysteresis=0), [3, 3.9, 4.0]) == [(3, True), (4.0, False)]


def test_it_has_to_last():
    limit = low(for_ms=3000)
    values = [5, 3, 3, 3, 4.1, 3, 3, 3, 2, 2]
    assert changes(limit, values) == [(5, False), (2, True)]
    assert not limit.pending


def test_it_lasts_over_the_wrap_of_the_ticks():
    start = ticks_add(0, -1500)
    assert changes(low(for_ms=3000), [3, 3, 3, 2], start=start) == [(2, True)]


def test_pending_is_beyond_and_not_yet_for_long_enough():
    limit = low(for_ms=3000)
    for value, now, pending in ((5, 0, False), (3, 1, True), (3, 2, True), (4.2, 3, False)):
        limit.judge(value, now)
        assert limit.pending == pending, value
    limit.judge(3, 4)
    assert limit.judge(3, 5000) and not limit.pending


def told(news):
    """Everything, each confirmed at once."""
    out = []
    while news.waiting:
        out.append(news.take()[1:])
        news.settle(True)
    return out


def flap(news, limit, times, start=0):
    for i in range(times):
        limit.crossed = not limit.crossed
        news.add(limit, i, start + i)


def test_news_comes_in_order_and_again_until_it_is_confirmed():
    limit = low()
    news = News([limit])
    flap(news, limit, 3)
    first = news.take()
    news.settle(False)
    assert news.take() is first
    news.settle(True)
    assert told(news) == [(False, 1, 1), (True, 2, 2)]


def test_flapping_is_dropped_and_counted_and_the_last_stays():
    limit, other = low(), high()
    news = News([limit, other])
    other.crossed = True
    news.add(other, 31, 0)
    flap(news, limit, 101, start=1)
    assert len(news.waiting) <= 6
    heard = told(news)
    assert news.dropped == 102 - len(heard)
    assert heard[0] == (True, 31, 0) and heard[-1] == (True, 100, 101)
    states = [one[0] for one in heard[1:]]
    assert all(states[i] != states[i + 1] for i in range(len(states) - 1))


def test_what_is_on_its_way_is_not_dropped():
    limit, other = low(), high()
    news = News([limit, other])
    flap(news, limit, 3)
    first = news.take()
    flap(news, other, 4)
    assert news.waiting[0] is first and news.dropped == 2
    news.settle(True)
    assert [one[:2] for one in told(news)] == [(False, 1), (True, 2), (True, 0), (False, 3)]


def acted(limit, values, step_ms=1000):
    """When the board was to act, and on what: (ms, crossed), as reflex does it."""
    out = []
    for i, value in enumerate(values):
        now = i * step_ms
        limit.judge(value, now)
        if limit.acts(now):
            out.append((now, limit.crossed))
            limit.reflex[1] = now if limit.crossed else None
    return out


def test_what_the_board_does_is_undone_only_where_it_was_done():
    limit = low()
    limit.reflex = [0, None]
    assert acted(limit, [5, 4.1, 3, 3, 4.2, 5, 5, 3]) == [
        (2000, True),
        (5000, False),
        (7000, True),
    ]


def test_it_is_done_again_while_the_limit_is_crossed():
    limit = low()
    limit.reflex = [2000, None]
    assert acted(limit, [3, 3, 3, 3, 3, 5]) == [
        (0, True),
        (2000, True),
        (4000, True),
        (5000, False),
    ]


def test_a_limit_without_a_reflex_only_tells():
    for reflex in (None, ()):
        limit = low()
        limit.reflex = reflex
        assert acted(limit, [5, 3, 5]) == []
