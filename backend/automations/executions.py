"""Executions: their rows, and how they follow their commands; see models for their lifecycle.

What people do by hand is shown as executions too (MANUAL_COMMAND), but it is not written twice:
those are the commands themselves.
"""

import json
from typing import Any

from peewee import SQL

from backend.automations.models import (
    COMPLETED,
    EXECUTING,
    FAILED,
    IS_OPEN,
    PENDING,
    Automation,
    AutomationExecution,
)
from backend.database import store
from backend.database.models import Board, Command, as_rows
from backend.database.store import Row
from backend.delivery import lifecycle
from backend.delivery.priorities import ALL_STOPS
from backend.delivery.queueing import SYSTEM

AUTOMATION, MANUAL = TYPES = ("AUTOMATION", "MANUAL_COMMAND")
KIND = "automation"  # of a cause
UNKNOWN = "unknown"  # the error where the board may still tell what became of it
_STATUS = {
    lifecycle.PENDING: PENDING,
    lifecycle.SENT: EXECUTING,
    lifecycle.ACKNOWLEDGED: EXECUTING,
    lifecycle.COMPLETED: COMPLETED,
}
_COMMANDS = {
    PENDING: (lifecycle.PENDING,),
    EXECUTING: lifecycle.IN_FLIGHT,
    COMPLETED: (lifecycle.COMPLETED,),
    FAILED: ("FAILED", "REJECTED", "EXPIRED", "CANCELLED", "UNKNOWN"),
}


_ACKS = {"accepted": EXECUTING, "progress": EXECUTING, "completed": COMPLETED}


def status_of(command: str) -> str:
    """The status of an execution whose command has this one."""
    return _STATUS.get(command, FAILED)


def ids_of(cause: str) -> tuple[int, int] | None:
    """(rule, execution) of a command's cause, or None where it is of something else."""
    kind, *numbers = cause.split("/")
    if kind != KIND or len(numbers) != 2:
        return None
    return int(numbers[0]), int(numbers[1])


def begin(
    rule: Automation,
    trigger: str,
    value: float | None,
    board_id: str,
    now: int,
    local_id: str | None = None,
) -> int:
    """The id of a new execution, PENDING. `local_id`: of what a board does by itself, which may be
    while there is an open one of the backend's, too.
    """
    made: int = AutomationExecution.insert(
        automation_id=rule.id,
        board_id=board_id,
        trigger=trigger,
        value=value,
        priority=rule.priority,
        local_id=local_id,
        created_at=now,
        updated_at=now,
    ).execute()
    return made


def change(execution_id: int, now: int, **values: Any) -> None:
    """Write other values; the time it ended goes with its status."""
    if values.get("status") in (COMPLETED, FAILED):
        values["until_at"] = now
    where = AutomationExecution.id == execution_id
    AutomationExecution.update(updated_at=now, **values).where(where).execute()


def get(execution_id: int) -> AutomationExecution | None:
    """A row, or None where it is too old to be kept."""
    found = AutomationExecution.get_or_none(AutomationExecution.id == execution_id)
    return found if isinstance(found, AutomationExecution) else None


def open_ones() -> dict[int, tuple[int, str]]:
    """{rule: (its open execution, what that is for)}."""
    rows = AutomationExecution.select().where(SQL(IS_OPEN))
    return {row.automation_id: (row.id, row.trigger) for row in rows}


def follow(entry: Row, command: Row, execution: AutomationExecution, now: int) -> str | None:
    """Let an execution be what its command is. Returns its new status if it ended by this."""
    detail = json.loads(entry["detail"])
    kept = {**json.loads(execution.detail), **_why(detail)}
    status = status_of(command["status"])
    settled = execution.status == FAILED and execution.error == UNKNOWN
    if execution.status in (COMPLETED, FAILED) and not settled:
        return None
    error = None if status != FAILED else _error(command, entry, kept)
    if (
        error == "stopped"
        and "because" not in kept
        and (stop := store.stop_after(command, ALL_STOPS))
    ):
        kept["stopped_by"] = stop["id"]
    if (status, error, kept) == (execution.status, execution.error, json.loads(execution.detail)):
        return None
    text = command["message"] or command["error"] or ""
    told = {"status": status, "error": error, "detail": json.dumps(kept), "message": text}
    change(execution.id, now, **told)
    return status if status in (COMPLETED, FAILED) and not settled else None


def of_board(
    rule: Automation, trigger: str, ack: dict[str, Any], value: float | None, now: int
) -> None:
    """What a board says of something it did by itself; see pushing. What it began before, and
    never told the end of, is an open question.
    """
    table, local_id = AutomationExecution, ack["command_id"]
    status = _ACKS.get(ack["state"], FAILED)
    known = table.get_or_none(table.local_id == local_id)
    if known is None:
        mine = (table.automation_id == rule.id) & table.local_id.is_null(False)
        for old in list(table.select(table.id).where(mine, table.until_at.is_null())):
            change(old.id, now, status=FAILED, error=UNKNOWN)
        execution_id = begin(rule, trigger, value, rule.board_id, now, local_id)
    elif known.until_at is not None and known.error != UNKNOWN:
        return
    else:
        execution_id = known.id
    error = ack["error"] or ack["state"] if status == FAILED else None
    told = {"status": status, "error": error, "message": ack["message"]}
    change(execution_id, now, **told)


def _why(detail: dict[str, Any]) -> dict[str, Any]:
    names = ("outranked_by", "cause", "priority", "because")
    return {name: detail[name] for name in names if name in detail}


def _error(command: Row, entry: Row, kept: dict[str, Any]) -> str:
    if command["status"] == lifecycle.UNKNOWN:
        return UNKNOWN
    if "outranked_by" in kept:
        return "outranked"
    return str(command["error"] or entry["error"] or command["status"].lower())


def public(row: dict[str, Any]) -> dict[str, Any]:
    """An execution as the API shows it; times are ms."""
    return {**row, "type": AUTOMATION, "detail": json.loads(row["detail"])}


def find(
    limit: int,
    before: int | None = None,
    automation_id: int | None = None,
    board_id: str | None = None,
    status: str | None = None,
    sites: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Executions of rules, newest first; `before` is the id to go on from."""
    table = AutomationExecution
    query = table.select().order_by(table.id.desc()).limit(limit)
    wanted = {table.automation_id: automation_id, table.board_id: board_id, table.status: status}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(table.id < before)
    if sites is not None:
        query = query.where(table.board_id << Board.select(Board.id).where(Board.site << sites))
    return [public(row) for row in as_rows(query)]


def by_hand(
    limit: int,
    before: int | None = None,
    board_id: str | None = None,
    status: str | None = None,
    sites: list[str] | None = None,
) -> list[dict[str, Any]]:
    """What was done by hand as executions, newest first; an id is its command's `seq`."""
    query = Command.select().order_by(Command.seq.desc()).limit(limit)
    query = query.where(Command.cause == "", Command.user != SYSTEM)
    if board_id is not None:
        query = query.where(Command.board_id == board_id)
    if status is not None:
        query = query.where(Command.status << _COMMANDS[status])
    if before is not None:
        query = query.where(Command.seq < before)
    if sites is not None:
        query = query.where(Command.board_id << Board.select(Board.id).where(Board.site << sites))
    return [_manual(row) for row in as_rows(query)]


def _manual(row: dict[str, Any]) -> dict[str, Any]:
    status = status_of(row["status"])
    same = ("board_id", "priority", "message", "created_at", "updated_at")
    return {
        **{name: row[name] for name in same},
        "id": row["seq"],
        "type": MANUAL,
        "automation_id": None,
        "trigger": row["user"],
        "value": None,
        "status": status,
        "error": UNKNOWN if row["status"] == lifecycle.UNKNOWN else row["error"],
        "detail": {},
        "command_id": row["id"],
        "local_id": None,
        "until_at": row["updated_at"] if status in (COMPLETED, FAILED) else None,
    }
