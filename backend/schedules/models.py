"""What is to be done at which times, and what was done: schedules, runs, and the boards of each.

A run is the same command to some boards: what a schedule does at one due time, or what somebody
asked for at once ("bulk"). That a schedule and a due time have one run at most, and a run each
board once, is what makes each of them happen once: see the two unique keys.
Times are ms since 1970 (UTC); columns that hold JSON hold it as text.
"""

from peewee import SQL, AutoField, BigIntegerField, BooleanField, IntegerField, TextField
from peewee import CompositeKey as Key

from backend.database.models import Base

# What becomes of what was missed.
CATCH_UPS = SKIP, ONCE, ALL = ("skip", "once", "all")
# Why there is a run. PASSED: there was none, and this says which due times were passed over.
HOWS = DUE, CAUGHT_UP, PASSED, BY_HAND = ("due", "caught_up", "passed_over", "by_hand")
# Of runs. One is DONE when each of its commands has ended, or stays an open question.
STATES = RUNNING, PAUSED, CANCELLED, DONE = ("running", "paused", "cancelled", "done")
# Of the boards of a run. Of those POSTED the command tells the rest.
WAITING, POSTED, REFUSED, CALLED_OFF = ("WAITING", "POSTED", "REFUSED", "CALLED_OFF")


class Action(Base):
    """What is done: which command to which boards of which site, how fast and how important."""

    site = TextField(null=True, index=True)
    selection = TextField()  # JSON: see backend.fleet.selection
    command_type = TextField()
    target = TextField(default="")
    parameters = TextField(default="{}")
    expires_in = IntegerField(null=True)  # seconds; None: see actions.life
    priority = IntegerField()
    per_minute = IntegerField(null=True)  # boards, evenly; None: as fast as it goes


ACTION = tuple(name for name in Action._meta.fields if name != "id")


class Schedule(Action):
    """A rule: by `cron`, or once, at `at`. `window` is JSON: see `times.When`."""

    id = AutoField()
    name = TextField()
    enabled = BooleanField(default=True)
    cron = TextField(default="")
    at = BigIntegerField(null=True)
    timezone = TextField(default="")  # "": its site's
    window = TextField(default="{}")
    catch_up = TextField(default=SKIP)
    catch_up_s = IntegerField(default=3600)  # what is older is passed over
    next_at = BigIntegerField(null=True, index=True)  # the due time that is to come
    created_at = BigIntegerField()
    created_by = TextField()


class Run(Action):
    """A command to boards. `due_at` is by the clock; `missed_from`: the first of the due times
    before it that were passed over.
    """

    id = AutoField()
    schedule = IntegerField(null=True)
    due_at = BigIntegerField()
    at = BigIntegerField()
    how = TextField()
    missed_from = BigIntegerField(null=True)
    state = TextField(default=RUNNING)
    user = TextField()
    via = TextField(default="")
    source = TextField(default="")
    reason = TextField(default="")
    key = TextField(null=True)
    next_at = BigIntegerField(null=True)  # when the next board has its turn; None: none has
    ended_at = BigIntegerField(null=True)

    class Meta:
        indexes = ((("schedule", "due_at"), True), (("user", "key"), True))


Run.add_index(Run.index(Run.id, where=SQL("ended_at IS NULL"), name="run_open"))


class RunBoard(Base):
    """A board of a run, in the order of `number`. `error`: why it was REFUSED, or waits."""

    run_id = IntegerField()
    number = IntegerField()
    board_id = TextField()
    state = TextField(default=WAITING)
    command_id = TextField(null=True)
    error = TextField(default="")
    held_at = BigIntegerField(null=True)  # since when it waits for its target

    class Meta:
        primary_key = Key("run_id", "board_id")
        indexes = ((("run_id", "state", "number"), False),)
