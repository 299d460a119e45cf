"""What is told of a transaction once it is durable: to those who asked, and to those who watch."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from backend.database.store import Row
from backend.delivery.commands import public
from backend.delivery.events import Event, command_event
from backend.delivery.work import Outcome
from backend.errors import Refusal
from backend.fleet.presence import Presence


class Shown:
    """Commands as the API shows them, each made once for its answer and all of its events."""

    def __init__(self) -> None:
        self._made: dict[int, dict[str, Any]] = {}

    def of(self, row: Row) -> dict[str, Any]:
        """One of them."""
        if row["seq"] not in self._made:
            self._made[row["seq"]] = public(row)
        return self._made[row["seq"]]


def answer_all(outcome: Outcome, shown: Shown) -> None:
    """Answer every request of the transaction."""
    for answer, result in outcome.answers:
        refused = isinstance(result, Refusal)
        _tell(answer, result if refused else (shown.of(result[0]), result[1]))
    for answer, result in outcome.tasks:
        _tell(answer, result)


def events(
    outcome: Outcome, shown: Shown, show_board: Callable[[Presence], dict[str, Any]]
) -> list[Event]:
    """All that has happened in it."""
    out: list[Event] = [command_event(entry, shown.of(row)) for entry, row in outcome.changes]
    out += [(None, "board", show_board(board)) for board in outcome.boards.values()]
    out += [(None, "alert", alert) for alert in outcome.alerts]
    return out + [(None, kind, data) for kind, data in outcome.news]


def _tell(answer: Future[Any], result: Any) -> None:
    if isinstance(result, Refusal):
        answer.set_exception(result)
    else:
        answer.set_result(result)
