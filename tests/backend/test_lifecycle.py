"""The table itself: every walk through it goes forward."""

import pytest
from protocol.messages import ACCEPTED, PROGRESS, RESULTS

from backend.delivery.lifecycle import (
    ENDED,
    OPEN,
    START,
    STATUSES,
    TABLE,
    UNKNOWN,
    IllegalTransition,
    move,
)


def test_an_ended_command_never_moves_again() -> None:
    assert not [entry for entry in TABLE if entry[0] in ENDED]


def test_no_walk_comes_back_to_a_status_it_has_left() -> None:
    onward = {
        s: {new for (old, _), new in TABLE.items() if old == s and new != s} for s in STATUSES
    }

    def reach(status: str) -> set[str]:
        return onward[status].union(*(reach(new) for new in onward[status]))

    for status in STATUSES:
        assert status not in reach(status)


def test_every_status_can_be_reached_and_every_open_one_can_end() -> None:
    reached, todo = {START}, [START]
    while todo:
        status = todo.pop()
        for (old, _), new in TABLE.items():
            if old == status and new not in reached:
                reached.add(new)
                todo.append(new)
    assert reached == set(STATUSES)
    assert set(OPEN) | set(ENDED) == set(STATUSES)


@pytest.mark.parametrize("state", [ACCEPTED, PROGRESS, *RESULTS])
def test_unknown_can_be_settled_by_whatever_the_board_says(state: str) -> None:
    assert move(UNKNOWN, state) in STATUSES


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("event", sorted({event for _, event in TABLE}))
def test_what_is_not_in_the_table_is_refused(status: str, event: str) -> None:
    if (status, event) in TABLE:
        assert move(status, event) == TABLE[status, event]
    else:
        with pytest.raises(IllegalTransition):
            move(status, event)
