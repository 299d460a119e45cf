"""Which boards are meant: those of a site, those with a label, some by their ids, or what is all
of these at once.

A selection is an object with one or more of `site` (an id), `label` (a word) and `boards` (a list
of ids); a board is meant where all that is said fits it and it is active. Labels are words that
administrators give to boards, for nothing but this.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.fields import identifier

from backend.database.models import ACTIVE
from backend.delivery.work import Work
from backend.errors import Invalid
from backend.fleet import boards
from backend.fleet.presence import Presence, Roster

LABELS_MAX = 16
BOARDS_MAX = 200

Selection = Mapping[str, Any]


def select(roster: Roster, wanted: Selection) -> list[str]:
    """The ids of the boards that are meant; those of `boards` in their order, else by id."""
    named = wanted.get("boards")
    found = roster.all() if named is None else map(roster.get, dict.fromkeys(named))
    return [board.board_id for board in found if board and _fits(board, wanted)]


def _fits(board: Presence, wanted: Selection) -> bool:
    site, label = wanted.get("site", board.site), wanted.get("label")
    return board.state == ACTIVE and board.site == site and (not label or label in board.labels)


def check(wanted: Any) -> str | None:
    """None, or the reason why this is no selection: a check of web.http."""
    if type(wanted) is not dict or not wanted or wanted.keys() - _CHECKS.keys():
        return "must be an object with `site`, `label` or `boards`"
    for name, reason in ((name, _CHECKS[name](value)) for name, value in wanted.items()):
        if reason:
            return f"must be of boards there can be: {name} {reason}"
    return None


def check_labels(words: Any) -> str | None:
    """None, or why these can't be a board's labels."""
    return _ids(words, 0, LABELS_MAX)


def check_boards(words: Any) -> str | None:
    """None, or why these can't be the ids of some boards."""
    return _ids(words, 1, BOARDS_MAX)


def _ids(words: Any, least: int, most: int) -> str | None:
    if type(words) is not list or not least <= len(words) <= most:
        return f"must be a list of {least} to {most}"
    return next((f"holds one that {why}" for why in map(identifier, words) if why), None)


_CHECKS = {
    "site": identifier,
    "label": identifier,
    "boards": check_boards,
}


@dataclass(frozen=True, slots=True)
class Labels:
    """The wish that a board have these labels and no others."""

    board_id: str
    labels: tuple[str, ...]

    def __call__(self, work: Work) -> None:
        """Raises NotFound, Invalid."""
        row, reason = boards.get(self.board_id), check_labels(list(self.labels))
        if reason:
            raise Invalid("bad_parameter", "labels", reason)
        boards.change(row.id, labels=json.dumps(sorted(set(self.labels))))
