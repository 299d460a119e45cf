"""A board's way into the fleet, through it, and out: enrolled, mapped, moved, retired.

Rules of this file:
- each step is a task, done whole in one transaction: the board's row, its lineage, what it is to
  be told first, and the record of who did it. What was committed happens, whoever dies then;
- the first commands are ordinary ones of the user `system`: they wait for the board for a day;
- doing the same twice is doing it once;
- sites and boards are looked up inside the transaction, so none is mapped to a site that is gone.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from peewee import AutoField, BigIntegerField, TextField

from backend.database import store
from backend.database.models import ACTIVE, PENDING_MAPPING, RETIRED, Base, Board, Site
from backend.delivery.queueing import call_off, queue, take_back, waiting, wanted
from backend.delivery.wishes import NewCommand
from backend.delivery.work import Task, Work
from backend.dialects.registry import DIALECTS
from backend.errors import Conflict
from backend.fleet import boards, sites, wakes
from backend.fleet.newcomers import Announcement as Announcement  # what dialects hand over


class BoardMove(Base):
    """A board was mapped, moved, retired or brought back; by whom, and from where to where."""

    id = AutoField()
    board_id = TextField(index=True)
    at = BigIntegerField()
    user = TextField()
    site_from = TextField(null=True)
    site_to = TextField(null=True)
    state = TextField()  # of the board, from then on


@dataclass(frozen=True, slots=True)
class Mapping:
    """The wish that a board belong to a site. `name`, `sleeps`: None leaves them as they are."""

    board_id: str
    site: str
    user: str
    name: str | None = None
    sleeps: bool | None = None

    def __call__(self, work: Work) -> dict[str, Any]:
        """{"board_id", "queued": [command id]}. Raises NotFound."""
        row, site = boards.get(self.board_id), sites.get(self.site)
        sleeps = row.sleeps if self.sleeps is None else self.sleeps
        if (row.state, row.site, row.sleeps) == (ACTIVE, site.id, sleeps):
            if self.name:
                boards.change(row.id, name=self.name)
            return {"board_id": row.id, "queued": []}
        _record(work, row, self.user, site.id, ACTIVE)
        take_back(work, row.id)  # what it was to be told where it was before
        boards.change(row.id, **_lineage(site), **self._columns(row, site, sleeps, work.now))
        queued = queue(work, _welcome(row, site, sleeps, work.now))
        return {"board_id": row.id, "queued": [one["id"] for one in queued]}

    def _columns(self, row: Board, site: Site, sleeps: bool, now: int) -> dict[str, Any]:
        return {
            "name": self.name or row.name,
            "state": ACTIVE,
            "sleeps": sleeps,
            "mapped_at": now,
            "next_wake_at": wakes.next_wake(site, sleeps, now),
            # One that only announced itself may use the broker from now on.
            "password": row.password or boards.secrets_of_a_board()["password"],
        }


@dataclass(frozen=True, slots=True)
class Retirement:
    """The wish that a board take no more part. Commands that were sent stay what they are."""

    board_id: str
    user: str

    def __call__(self, work: Work) -> dict[str, Any]:
        """{"board_id", "cancelled": [command id]}. Raises NotFound."""
        row = boards.get(self.board_id)
        open_ones = waiting(work, row.id)
        if row.state != RETIRED:
            _record(work, row, self.user, row.site, RETIRED)
            boards.change(row.id, state=RETIRED, next_wake_at=None)
        for one in open_ones:
            call_off(work, one, self.user)
        return {"board_id": row.id, "cancelled": [one["id"] for one in open_ones]}


@dataclass(frozen=True, slots=True)
class Return:
    """The wish that a board that was retired take part again, where it did before."""

    board_id: str
    user: str

    def __call__(self, work: Work) -> dict[str, Any]:
        """As a Mapping. Raises NotFound; Conflict where it is not retired."""
        row = boards.get(self.board_id)
        if row.state != RETIRED:
            raise Conflict("not_retired", "board_id", f"is {row.state}: nothing has to be undone")
        if row.site is not None:
            return Mapping(row.id, row.site, self.user)(work)
        _record(work, row, self.user, None, ACTIVE)
        boards.change(row.id, state=ACTIVE)
        return {"board_id": row.id, "queued": []}


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The wish that a board be known: at a site, at none, or (`pending`) not to be used yet."""

    board_id: str
    user: str
    name: str = ""
    site: str | None = None
    pending: bool = False
    sleeps: bool = False

    def __call__(self, work: Work) -> dict[str, str]:
        """What the board must be told, see `boards.enroll`. Raises Invalid, Conflict, NotFound."""
        boards.check_id(self.board_id)
        site = sites.get(self.site) if self.site is not None else None
        known = Board.get_or_none(Board.id == self.board_id)
        pending = self.pending or site is not None
        if known and not known.password:  # it has announced itself: now it gets its key
            state = PENDING_MAPPING if pending else ACTIVE
            boards.change(self.board_id, state=state, **boards.secrets_of_a_board())
        else:
            boards.enroll(self.board_id, work.now, self.name, pending)
        if site is not None:
            Mapping(self.board_id, site.id, self.user, self.name or None, self.sleeps)(work)
        return boards.credentials(self.board_id)


def alone(task: Task, now: int) -> Any:
    """Do a task in this process, whether a backend runs or not: one that does takes it over
    within a second. Raises what the task does, and store.Locked.
    """
    with store.transaction():
        work = Work(now, Counter())
        answer = task(work)
        work.finish()
    return answer


def moves(board_id: str) -> list[dict[str, Any]]:
    """How a board came to where it is, oldest first; `at` is ms."""
    names = ("at", "user", "site_from", "site_to", "state")
    rows = BoardMove.select().where(BoardMove.board_id == board_id).order_by(BoardMove.id)
    return [{name: getattr(row, name) for name in names} for row in rows]


def _lineage(site: Site) -> dict[str, Any]:
    return {"site": site.id, "owner": site.owner, "programme": site.programme}


def _record(work: Work, row: Board, user: str, site: str | None, state: str) -> None:
    about = {"board_id": row.id, "at": work.now, "user": user, "state": state}
    BoardMove.insert(site_from=row.site, site_to=site, **about).execute()


def _welcome(row: Board, site: Site, sleeps: bool, now: int) -> list[NewCommand]:
    """What a board of this site is to be told first. It gets the clock at every start anyway.

    Nothing where it is of another dialect: a site's settings are those of our own boards, and
    when to wake it is told whenever it goes to sleep.
    """
    if not DIALECTS[row.dialect].exact:
        return []
    orders = {"update_config": json.loads(site.settings)}
    if sleeps:
        orders[wakes.SCHEDULE] = wakes.schedule(site, now)
    elif row.sleeps:
        orders[wakes.SCHEDULE] = {"seconds": 0}  # it stays awake
    mapping = f"{row.id}-{boards.revision()}"  # the change that has just been made
    return [
        wanted(row.id, kind, parameters, f"map-{mapping}-{kind}")
        for kind, parameters in orders.items()
        if parameters
    ]
