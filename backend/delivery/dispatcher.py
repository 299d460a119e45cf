"""What goes out, when, and again: sending, asking, and the timers of open commands.

Rules of this file:
- the same command is always sent under the same id, however often;
- only to a board that is online is anything sent, and a stop to one that may be;
- after `expires_at` a command is never sent: the board would have to refuse it. It is asked about;
- a board whose dialect has no ids can't be asked, nor take anything back: see `guesses`.
Times are ms; `Work` collects what is to be published after the commit.
"""

import json
import random
from typing import Any

from protocol.catalogue import VERBS
from protocol.conditions import wrap
from protocol.limits import ATTEMPTS_MAX
from protocol.verbs import STOP, case_of

from backend.database import store
from backend.database.store import Row
from backend.delivery import updates
from backend.delivery.guesses import Guesses
from backend.delivery.lifecycle import (
    ACKNOWLEDGED,
    ASK,
    EXPIRE,
    GIVE_UP,
    OVERDUE,
    PENDING,
    REBOOTED,
    SEND,
    SENT,
    UNKNOWN,
)
from backend.delivery.work import Work
from backend.dialects.dialect import BY_TOPIC, Dialect
from backend.fleet.presence import Presence, Roster

ACK_TIMEOUT_MS = 10_000
RETRIES = 3
ASK_AGAIN_MAX_MS = 300_000
RESULT_GRACE_MS = 5_000
EXPIRY_GRACE_MS = 2_000
DUE_BATCH = 500
# What a board answers where it will never know more.
CANT_TELL = ("interrupted", "forgotten")


def stops(command_type: str, parameters: dict[str, Any]) -> bool:
    """True for a command that ends something and so overtakes everything."""
    known = command_type in VERBS  # other dialects have words of their own; none of them stops
    return known and bool(case_of(command_type, parameters).kind == STOP)


def is_stop(row: Row) -> bool:
    """`stops` of a row."""
    return stops(row["command_type"], json.loads(row["parameters"]))


class Dispatcher:
    """Sends what may be sent. `rng` spreads the retries of many boards."""

    def __init__(self, roster: Roster, rng: random.Random) -> None:
        self._roster, self._rng = roster, rng
        self.guesses = Guesses(roster)

    def send_ready(self, work: Work) -> None:
        """Send the next command of every target that has become free."""
        groups = {group for group in work.groups if self._roster.is_online(group[0])}
        work.groups.clear()
        if not groups:
            return
        work.flush()
        whole = [board for board, target in groups if target == ""]
        if whole:  # what ended may have been a stop that held every target of the board
            groups.update(store.waiting_groups(whole))
        for row in work.take(store.sendable(sorted(groups))):
            self.send(work, row)

    def overtake(self, work: Work, row: Row) -> None:
        """Send a command that waits for nobody, also to a board that was not heard yet.

        If the board is away, or we are, it goes out the moment the board is heard.
        """
        if self._roster.may_hear(row["board_id"]):
            self.send(work, row)

    def send(self, work: Work, row: Row) -> None:
        """Send a command that is PENDING, or send it again, or ask to drop it if so wanted."""
        if row["expires_at"] <= work.now:
            self.look(work, row)
        elif row["cancelling"]:
            self._ask(work, row)
        elif not self.guesses.held(row) and work.step(
            row, SEND, detail={**self.guesses.sending(row), **work.when}
        ):
            self._publish(work, row, row["command_type"], json.loads(row["parameters"]))
            row["due_at"] = min(self._answer_by(work, row), row["expires_at"] + EXPIRY_GRACE_MS)

    def look(self, work: Work, row: Row) -> None:
        """Do what the time demands for a command whose `due_at` has come."""
        status = row["status"]
        if status == PENDING:
            self._pending_due(work, row)
        elif status == SENT:
            self._sent_due(work, row)
        elif status == ACKNOWLEDGED:
            self._acknowledged_due(work, row)
        elif status == UNKNOWN:
            self.ask(work, row)

    def ask(self, work: Work, row: Row) -> None:
        """Ask the board what became of an UNKNOWN command, unless it has said it can't tell."""
        if row["error"] in CANT_TELL or self.guesses.dialect(row):
            self._wait(work, row, None)
        else:
            self._ask(work, row)

    def give_up(self, work: Work, row: Row, error: str) -> None:
        """A command to a board that can't be asked stays an open question."""
        event = GIVE_UP if row["status"] == SENT else OVERDUE
        if work.step(row, event, error=error, detail=BY_TOPIC):
            row["error"] = error
            self._wait(work, row, None)

    def rouse(self, work: Work, board: Presence) -> None:
        """A board has been heard anew: send again, ask again, and send what has waited."""
        exact = self.guesses.exact(board)
        find = store.open_of_board if exact else store.unfinished_of_board
        for row in work.take(find(board.board_id)):
            row["tries"] = 0
            if row["status"] == PENDING and is_stop(row):
                self.send(work, row)
            elif row["status"] == PENDING:
                work.wake(row)
            elif row["status"] == SENT and exact:
                self.send(work, row)
            elif row["status"] == ACKNOWLEDGED and exact and row["boot"] != board.boot:
                work.step(row, REBOOTED)
            updates.settle(work, board, row)
            if row["status"] == UNKNOWN:
                self.ask(work, row)

    def accepted(self, work: Work, row: Row, within: int) -> None:
        """Set the time by which an accepted command must have a result (`within`: seconds)."""
        deadline = work.now + within * 1000 + RESULT_GRACE_MS
        if row["cancelling"]:
            deadline = min(deadline, self._backoff(work, row))
        self._wait(work, row, deadline)

    def unsure(self, work: Work, row: Row) -> None:
        """The board can't tell what becomes of it: ask again where it may know more later."""
        self._wait(work, row, None if row["error"] in CANT_TELL else self._backoff(work, row))

    def cancel(self, work: Work, row: Row) -> None:
        """Ask the board to drop or stop a command that it may have."""
        row["cancelling"], row["tries"] = True, 0
        work.touch(row)
        self._ask(work, row)

    def _pending_due(self, work: Work, row: Row) -> None:
        if row["expires_at"] <= work.now:
            row["error"] = "expired"
            work.step(row, EXPIRE, error="expired")
        else:
            self._wait(work, row, row["expires_at"])

    def _sent_due(self, work: Work, row: Row) -> None:
        online = self._roster.is_online(row["board_id"])
        dialect = self.guesses.dialect(row)
        if dialect:
            self._unanswered(work, row, dialect, online)
        elif row["expires_at"] <= work.now or (online and row["tries"] > RETRIES):
            if work.step(row, GIVE_UP, error="no_answer"):
                row["error"] = "no_answer"
                self.ask(work, row)
        elif online:
            self.send(work, row)
        else:
            self._wait(work, row, row["expires_at"] + EXPIRY_GRACE_MS)

    def _unanswered(self, work: Work, row: Row, dialect: Dialect, online: bool) -> None:
        mute = row["command_type"] in dialect.mute
        harmless = dialect.repeatable(row["command_type"], json.loads(row["parameters"]))
        again = harmless and not mute and online and row["tries"] <= dialect.retries
        if again and row["expires_at"] > work.now:
            self.send(work, row)
        else:
            self.give_up(work, row, "no_answer_possible" if mute else "unanswered")

    def _acknowledged_due(self, work: Work, row: Row) -> None:
        online = self._roster.is_online(row["board_id"])
        if row["cancelling"] and online and row["tries"] <= RETRIES:
            self._ask(work, row)
        elif self.guesses.dialect(row):
            self.give_up(work, row, "unanswered")
        elif work.step(row, OVERDUE, error="no_result"):
            row["error"] = "no_result"
            self.ask(work, row)

    def _ask(self, work: Work, row: Row) -> None:
        """Say `query` or `cancel` under the command's own id, if the board is there to hear it.

        If it is not, one in flight keeps its deadline, and an UNKNOWN one waits for the board.
        """
        if not self._roster.is_online(row["board_id"]):
            if row["status"] == UNKNOWN:
                self._wait(work, row, None)
            return
        kind = "cancel" if row["cancelling"] else "query"
        if row["status"] == UNKNOWN:
            work.step(row, ASK, error=row["error"], detail={"ask": kind})
        self._publish(work, row, kind, {})
        self._wait(work, row, self._backoff(work, row))

    def _publish(self, work: Work, row: Row, kind: str, parameters: dict[str, Any]) -> None:
        work.touch(row)
        row["tries"] += 1
        row["attempt"] = min(row["attempt"] + 1, ATTEMPTS_MAX)
        message = {
            "command_id": row["id"],
            "command_type": kind,
            "target": row["target"] if kind == row["command_type"] else "",
            "parameters": parameters,
            "timestamp": work.now // 1000,
            "expires_at": row["expires_at"] // 1000,
            "attempt": row["attempt"],
        }
        if kind == row["command_type"]:
            message = wrap(message, json.loads(row["conditions"]))
        work.out.publish.append((row["board_id"], message))
        if work.when:
            work.out.later[row["id"]] = work.when["not_before"]

    def _answer_by(self, work: Work, row: Row) -> int:
        within = self.guesses.wait_ms(row)
        return self._backoff(work, row) if within is None else work.now + within

    def _backoff(self, work: Work, row: Row) -> int:
        delay = min(ACK_TIMEOUT_MS * 2 ** max(row["tries"] - 1, 0), ASK_AGAIN_MAX_MS)
        return work.now + int(delay * self._rng.uniform(0.9, 1.2))

    @staticmethod
    def _wait(work: Work, row: Row, until: int | None) -> None:
        work.touch(row)
        row["due_at"] = until
