"""The tables of automations. Times are ms since 1970, spans are seconds.

The execution's lifecycle, which follows that of its command:
- PENDING: wanted, not sent; EXECUTING: sent; COMPLETED: its command is COMPLETED, and never else;
- FAILED: refused before there was a command, or its command came to another end, or nobody knows.
  Where nobody knows (the command is UNKNOWN) the board may still tell, and then so does this.
"""

from typing import Any

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    FloatField,
    IntegerField,
    TextField,
)

from backend.database.models import Base

ABOVE, BELOW = COMPARISONS = ("above", "below")
# Where a rule stands: see judging. UNHEARD: nothing was heard since it was made or changed.
UNHEARD, CLEAR, BEYOND, CROSSED = PHASES = ("unheard", "clear", "beyond", "crossed")
# What an execution is for.
ON_CROSSED, ON_CLEARED, ON_SILENT = TRIGGERS = ("crossed", "cleared", "silent")
# What a board does of a rule by itself: nothing, watch the limit, or act on it, too.
BACKEND, LIMIT, ACTION = PUSHES = ("", "limit", "action")
NOTHING, RUN_CLEAR = ON_SILENCE = ("nothing", "clear")
PENDING, EXECUTING, COMPLETED, FAILED = STATUSES = ("PENDING", "EXECUTING", "COMPLETED", "FAILED")
IS_OPEN = f"local_id IS NULL AND status IN ('{PENDING}', '{EXECUTING}')"


class Automation(Base):
    """A rule, and where it stands.

    `limit_name`: a limit that the board itself watches, in place of `at`; "": we watch.
    `push`: one of PUSHES; see pushing.
    `action`, `clear_action`: JSON {"board_id", "command_type", "target", "parameters",
    "expires_in"}, or "" for none. `repeat_s`: how often the action is done anew while it lasts,
    0: once. `manual_hold_s`: see priorities. `silent_s`: 0 for never.
    `wanted`: the trigger that is to be acted upon, from `wanted_at` on, or ""; `tries`: how often
    that failed. `acted`: the action was sent and not undone since. `started_at`: when, last.
    """

    id = AutoField()
    name = TextField()
    board_id = TextField(index=True)
    sensor = TextField()
    limit_name = TextField(default="")
    comparison = TextField(default=BELOW)
    at = FloatField(default=0.0)
    hysteresis = FloatField(default=0.0)
    for_s = IntegerField(default=0)
    cooldown_s = IntegerField(default=60)
    repeat_s = IntegerField(default=0)
    manual_hold_s = IntegerField(default=300)
    silent_s = IntegerField(default=600)
    on_silence = TextField(default=NOTHING)
    action = TextField(default="")
    clear_action = TextField(default="")
    notify = BooleanField(default=False)
    push = TextField(default="")
    priority = IntegerField(default=500)
    enabled = BooleanField(default=True)
    created_at = BigIntegerField()
    # Where it stands.
    phase = TextField(default=UNHEARD)
    since = BigIntegerField(default=0)
    silent_at = BigIntegerField(null=True)
    wanted = TextField(default="")
    wanted_at = BigIntegerField(default=0)
    tries = IntegerField(default=0)
    acted = BooleanField(default=False)
    started_at = BigIntegerField(null=True)
    pushed = TextField(default="")  # the limit that the board has taken: see pushing
    revision = IntegerField(default=1)  # goes up with each change: see pushing


_STATE = ("phase", "since", "silent_at", "wanted", "wanted_at", "tries", "acted", "started_at")


def state_of(rule: Automation) -> tuple[Any, ...]:
    """How it is with a rule, as opposed to what it says."""
    return tuple(getattr(rule, name) for name in _STATE)


def keep_state(rule: Automation) -> None:
    """Write that down."""
    state = dict(zip(_STATE, state_of(rule), strict=True))
    Automation.update(state).where(Automation.id == rule.id).execute()


class AutomationExecution(Base):
    """One time a rule acted. `value`: of the sensor then. `detail`: JSON, such as who outranked
    it. `command_id`: its command, whose `cause` is "automation/<rule>/<this>", or None.
    """

    id = AutoField()
    automation_id = IntegerField(index=True)
    board_id = TextField(index=True)  # of the command
    trigger = TextField()
    value = FloatField(null=True)
    priority = IntegerField()
    status = TextField(default=PENDING)
    error = TextField(null=True)
    message = TextField(default="")
    detail = TextField(default="{}")
    command_id = TextField(null=True)
    local_id = TextField(null=True, index=True)  # by which the board itself did it: see pushing
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    until_at = BigIntegerField(null=True)  # when it ended


AutomationExecution.add_index(
    AutomationExecution.index(
        AutomationExecution.automation_id,
        unique=True,
        where=SQL(IS_OPEN),
        name="automation_execution_open",
    )
)
