"""What the core keeps beside the commands: messages, counters, alerts, and for how long.

All of it happens in the core's transaction; see `messages`, `tally`, `alerts` and `retention`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.database.retention import Sweep
from backend.delivery.messages import COMMANDS, IN, OUT, MessageRows
from backend.delivery.tally import Tally
from backend.delivery.work import Work
from backend.fleet.alerts import Alerts, Rule
from backend.fleet.presence import Roster
from backend.gallery.bounds import Bounds


@dataclass(frozen=True)
class Options:
    """`message_log`: one of messages.MODES; `days`: see `Sweep`; `rule`: see `alerts`;
    `pictures`: see `gallery`.
    """

    message_log: str = COMMANDS
    days: Mapping[str, int] = field(default_factory=dict)
    rule: Rule = Rule()
    pictures: Bounds = Bounds()


class Upkeep:
    """One for each core."""

    def __init__(self, roster: Roster, options: Options) -> None:
        self.tally, self.alerts = Tally(), Alerts(roster, options.rule)
        self.sweep = Sweep(options.days)
        self._messages = MessageRows(options.message_log)

    def figures(self) -> tuple[Tally, dict[str, int]]:
        """(counters, {table: rows deleted}): copies, for the writer goes on counting."""
        return self.tally.copy(), dict(self.sweep.deleted)

    def take(self, work: Work, heard: list[Any]) -> None:
        """Note what was heard (see ingest.Heard) and what has come of it."""
        for one in heard:
            self.tally.messages[IN, one.kind] += 1
            self._messages.heard(work.now, one.board.board_id, one.kind, one.message, one.size)
        for board_id, message in work.out.publish:
            self.tally.messages[OUT, message["command_type"]] += 1
            self._messages.sent(work.now, board_id, message)
        self._messages.write()
        if work.out.changes:
            self.tally.take(work.out.changes)
            self.alerts.take(work)
