"""Commands as users know them: what is asked for, checked, created, cancelled, and looked up."""

import json
import random
import re
import uuid
from typing import Any

from protocol import ProtocolError
from protocol.fields import scalars
from protocol.limits import COMMAND_LIFE_MAX

from backend.database.models import Board, Command, History, as_rows
from backend.database.store import Row, by_ids, by_keys, unfinished_before
from backend.delivery import conditions, lives, priorities
from backend.delivery.dispatcher import Dispatcher, is_stop
from backend.delivery.lifecycle import CANCEL, ENDED, PENDING, STATUSES
from backend.delivery.masking import masked
from backend.delivery.wishes import Cancellation, NewCommand
from backend.delivery.work import Work
from backend.dialects.registry import DIALECTS
from backend.errors import Conflict, Invalid, no_board, no_command
from backend.fleet import boards, logs
from backend.fleet.presence import Roster

PAGE_MAX = 200
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def check(new: NewCommand, roster: Roster) -> None:
    """Raises NotFound, Invalid or Conflict, naming the field, where the board can't be meant."""
    board = roster.get(new.board_id)
    if board is None:
        raise no_board(new.board_id)
    boards.check_active(board)
    try:
        if reason := scalars(new.parameters):
            raise ProtocolError("bad_parameter", "parameters", str(reason))
        asked = (new.command_type, new.target, new.parameters)
        DIALECTS[board.dialect].check(*asked, board.actuators)
    except ProtocolError as why:
        raise Invalid(why.code, why.field, why.reason) from None
    conditions.check(new, board)
    _check_texts(new)


def _check_texts(new: NewCommand) -> None:
    if new.expires_in is not None and not 1 <= new.expires_in <= COMMAND_LIFE_MAX:
        reason = f"must be from 1 to {COMMAND_LIFE_MAX} seconds"
        raise Invalid("bad_parameter", "expires_in", reason)
    if new.idempotency_key is not None and not _KEY.fullmatch(new.idempotency_key):
        reason = "must be 1 to 128 printable ASCII characters without spaces"
        raise Invalid("bad_parameter", "Idempotency-Key", reason)
    if len(new.reason) > 200:
        raise Invalid("bad_parameter", "reason", "must be at most 200 characters")


def create(
    work: Work, dispatcher: Dispatcher, wanted: list[tuple[Any, NewCommand]], rng: random.Random
) -> list[tuple[Any, Any]]:
    """Create the commands of a batch; [(request, (row, created?) or Conflict)].

    A request whose Idempotency-Key was used before gets the command of that time, or Conflict
    where it asks for something else. Ids are drawn from `rng`.
    """
    keys = [(new.user, new.idempotency_key) for _, new in wanted if new.idempotency_key]
    found = work.take(by_keys(keys)) if keys else []
    known = {(row["user"], row["idempotency_key"]): row for row in found}
    rows, answers = [], []
    for request, new in wanted:
        row = known.get((new.user, new.idempotency_key)) if new.idempotency_key else None
        answers.append((request, _again(row, new) if row else None))
        if row is None:
            row = new_row(new, work.now, rng, dispatcher.guesses.life(new))
            known[new.user, new.idempotency_key] = row
            rows.append(row)
            answers[-1] = (request, (row, True))
    if rows:
        work.created(rows)
        priorities.give_way(work, rows, lambda *told: call_off(work, dispatcher, *told))
        for row in rows:
            _begin(work, dispatcher, row)
    return answers


def new_row(new: NewCommand, now: int, rng: random.Random, life: int | None = None) -> Row:
    """The row of a new command, which has no `seq` yet; `life`: see `lives.life_of`."""
    # Whole seconds on the wire: rounded up, so that nothing expires earlier than it was promised.
    life = new.expires_in or life or lives.life_of(new.command_type)
    expires = -(-(now + 1000 * life) // 1000) * 1000
    return {
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "board_id": new.board_id,
        "command_type": new.command_type,
        "target": new.target,
        "parameters": json.dumps(new.parameters),
        "status": PENDING,
        "error": None,
        "message": "",
        "result": "{}",
        "attempt": 0,
        "tries": 0,
        "cancelling": False,
        "boot": "",
        "user": new.user,
        "source": new.source,
        "via": new.via,
        "reason": new.reason,
        "cause": new.cause,
        "priority": new.priority,
        "conditions": json.dumps(new.conditions),
        "idempotency_key": new.idempotency_key,
        "created_at": now,
        "expires_at": expires,
        "updated_at": now,
        "due_at": expires,
    }


def _again(row: Row, new: NewCommand) -> Any:
    """The answer to a repeated Idempotency-Key."""
    same = (
        row["board_id"] == new.board_id
        and row["command_type"] == new.command_type
        and row["target"] == new.target
        and json.loads(row["parameters"])
        in (new.parameters, masked(new.command_type, new.parameters))
        and json.loads(row["conditions"]) == list(new.conditions)
    )
    if same:
        return row, False
    reason = f"was used before for another command, {row['id']}; use a new one"
    return Conflict("key_reused", "Idempotency-Key", reason)


def _begin(work: Work, dispatcher: Dispatcher, row: Row) -> None:
    """Let a new command wait its turn; one that stops something goes now and ends what waits."""
    if not is_stop(row):
        work.wake(row)
        return
    dispatcher.overtake(work, row)
    for older in work.take(unfinished_before(row["board_id"], row["target"], row["seq"])):
        if not is_stop(older):
            actor = f"{row['command_type']} {row['id']}"
            call_off(work, dispatcher, older, actor, {"outranked_by": row["id"]})


def cancel(work: Work, dispatcher: Dispatcher, wish: Cancellation) -> Row:
    """Cancel a command, or ask its board to. Raises NotFound; Conflict where it has ended."""
    rows = work.take(by_ids([wish.command_id]))
    if not rows:
        raise no_command(wish.command_id)
    if rows[0]["status"] in ENDED:
        reason = f"is {rows[0]['status']} already; there is nothing left to cancel"
        raise Conflict("ended", "command_id", reason)
    dialect = dispatcher.guesses.dialect(rows[0])
    if dialect and rows[0]["status"] != PENDING:
        reason = f"was sent, and {dialect.name} boards can't take a command back"
        raise Conflict("no_cancel", "command_id", reason)
    call_off(work, dispatcher, rows[0], wish.user, wish.detail)
    return rows[0]


def call_off(
    work: Work, dispatcher: Dispatcher, row: Row, actor: str, detail: dict[str, Any] | None = None
) -> None:
    """Cancel a command that was not sent; ask the board to drop one that was."""
    waiting = row["status"] == PENDING
    if not waiting and dispatcher.guesses.dialect(row):
        dispatcher.give_up(work, row, "superseded")
        return
    error = "cancelled" if waiting else None
    if work.step(row, CANCEL, error, detail, actor):
        row["error"] = error or row["error"]
        if not waiting:
            dispatcher.cancel(work, row)


def public(row: Row) -> dict[str, Any]:
    """A command as the API shows it; times are ms."""
    hidden = ("tries", "due_at", "idempotency_key", "boot")
    out = {name: value for name, value in row.items() if name not in hidden}
    out["parameters"] = masked(row["command_type"], json.loads(row["parameters"]))
    out["result"] = json.loads(row["result"])
    out["conditions"] = json.loads(row["conditions"])
    out["cancelling"] = bool(row["cancelling"])
    return out


def public_step(entry: Row) -> dict[str, Any]:
    """A history entry as the API shows it; `at` is ms."""
    return {
        "id": entry["id"],
        "at": entry["at"],
        "event": entry["event"],
        "from": entry["from_status"],
        "to": entry["to_status"],
        "error": entry["error"],
        "detail": json.loads(entry["detail"]),
        "actor": entry["actor"],
    }


def get(command_id: str) -> dict[str, Any]:
    """A command with its `history`, and the `log` it brought, or None. Raises NotFound."""
    found = as_rows(Command.select().where(Command.id == command_id))
    if not found:
        raise no_command(command_id)
    row = found[0]
    steps = as_rows(History.select().where(History.command == row["seq"]).order_by(History.id))
    history = [public_step(step) for step in steps]
    return {**public(row), "history": history, "log": logs.text_of(command_id)}


def board_of(command_id: str) -> str:
    """The id of a command's board. Raises NotFound."""
    row = Command.select(Command.board_id).where(Command.id == command_id).tuples().first()
    if row is None:
        raise no_command(command_id)
    return str(row[0])


def find(
    board_id: str | None = None,
    status: str | None = None,
    command_type: str | None = None,
    target: str | None = None,
    before: int | None = None,
    limit: int = 50,
    sites: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Commands, newest first; `before` is the `seq` to go on from. Raises Invalid.

    With `sites`, those of the boards that belong to one of them now.
    """
    if status is not None and status not in STATUSES:
        raise Invalid("bad_parameter", "status", "must be one of " + ", ".join(STATUSES))
    if not 1 <= limit <= PAGE_MAX:
        raise Invalid("bad_parameter", "limit", f"must be from 1 to {PAGE_MAX}")
    query = Command.select().order_by(Command.seq.desc()).limit(limit)
    wanted = (board_id, status, command_type, target)
    columns = (Command.board_id, Command.status, Command.command_type, Command.target)
    for column, value in zip(columns, wanted, strict=True):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(Command.seq < before)
    if sites is not None:
        query = query.where(Command.board_id << Board.select(Board.id).where(Board.site << sites))
    return [public(row) for row in as_rows(query)]
