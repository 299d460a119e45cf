"""The stream of what changes, for a watcher who comes back."""

import pytest

from backend.delivery import events
from backend.delivery.events import REPLAY_MAX, Hub, replay
from tests.backend.conftest import Desk


def test_who_is_up_to_date_gets_nothing_again(desk: Desk) -> None:
    desk.post()
    newest, events = replay(0)
    assert [event[0] for event in events] == [newest]
    assert replay(newest) == (newest, [])


def test_who_knows_of_a_future_that_never_was_begins_anew(desk: Desk) -> None:
    desk.post()
    hub = Hub()
    with hub.subscribe(1_000_000) as subscription:
        stream = iter(subscription)
        newest = replay(0)[0]
        assert next(stream) == [(newest, "reset", {})]
        hub.publish([(newest + 1, "command", {})])
        assert next(stream) == [(newest + 1, "command", {})]


def test_who_missed_too_much_begins_anew(desk: Desk) -> None:
    for _ in range(REPLAY_MAX + 1):
        desk.post()
    newest, events = replay(0)
    assert events == [(newest, "reset", {})]
    assert newest > REPLAY_MAX


def test_what_happens_without_an_event_leaves_a_watcher_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = Hub()
    monkeypatch.setattr(events, "QUEUE_LENGTH", 1)
    with hub.subscribe(None):
        for _ in range(3):
            hub.publish([])
        assert hub.watched, "there was nothing to be slow with"
