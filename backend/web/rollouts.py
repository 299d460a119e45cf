"""Rollouts over HTTP: site admins begin them, operators pause, resume and abort them.

One whose selection names a site belongs to that site; any other one is for administrators of
everything.
"""

from typing import Any
from urllib.parse import urlsplit

from protocol.fields import boolean, reason, whole

from backend.delivery.work import Task
from backend.errors import Conflict
from backend.fleet import selection
from backend.people.access import ADMIN, OPERATOR, VIEWER, may, require, require_admin
from backend.people.audit import Noted
from backend.rollouts import rows
from backend.rollouts.rows import Rollout
from backend.rollouts.wishes import Abort, Begin, Pause, Resume
from backend.service import Backend
from backend.web import render
from backend.web.http import NO_MEMBERS, Answer, Call, Check, Members, text
from backend.web.routes import API, Route
from backend.web.sites import at_site

# How a rollout goes: (least, most, where nothing is said); see backend.rollouts.rows.
NUMBERS = {
    "canary": (0, 1000, 1),
    "at_once": (1, 1000, 10),
    "per_minute": (0, 600, 0),
    "error_share": (0, 100, 20),
    "min_finished": (1, 1000, 5),
    "board_s": (60, 86_400, 3600),
    "deadline_s": (300, 30 * 86_400, 86_400),
}
_LISTED = 200
_NOWHERE = ("0.0.0.0", "::")


def _number(low: int, high: int) -> Check:
    return lambda value: reason(whole(low, high), value)


_NEW = Members(
    {"release": text(64), "selection": selection.check},
    {name: _number(low, high) for name, (low, high, _) in NUMBERS.items()}
    | {"allow_downgrade": boolean},
)
_DEFAULTS: dict[str, Any] = {
    **{name: default for name, (_, _, default) in NUMBERS.items()},
    "allow_downgrade": False,
}


class RolloutRoutes:
    """`/rollouts`. `address`: where boards reach the web side."""

    def __init__(self, backend: Backend, address: str) -> None:
        self._backend, self._address = backend, address

    def routes(self) -> list[Route]:
        """What is served."""
        one = f"{API}/rollouts/<rollout_id>"
        return [
            Route("GET", f"{API}/rollouts", self.list),
            Route("POST", f"{API}/rollouts", self.begin),
            Route("GET", one, self.show),
            Route("POST", f"{one}/pause", self.pause),
            Route("POST", f"{one}/resume", self.resume),
            Route("POST", f"{one}/abort", self.abort),
        ]

    def list(self, call: Call) -> Answer:
        """The rollouts one may see, newest first."""
        found = Rollout.select().order_by(Rollout.id.desc()).limit(_LISTED)
        mine = [_shown(rows.public(row)) for row in found if may(call.who, VIEWER, row.site)]
        return Answer({"rollouts": mine, "address": self._address})

    def show(self, call: Call, rollout_id: str) -> Answer:
        """One, with its boards."""
        row = _at(call, VIEWER, rollout_id)
        boards = [render.times(one, "sent_at", "updated_at") for one in rows.boards_of(row.id)]
        return Answer({**_shown(rows.public(row)), "boards": boards})

    def begin(self, call: Call) -> Answer:
        """201 with a new rollout, which has begun."""
        asked = call.body(_NEW)
        values = _DEFAULTS | asked
        release, wanted = values.pop("release"), values.pop("selection")
        if wanted.get("site") is None:
            require_admin(call.who)
        else:
            at_site(call, ADMIN, wanted["site"])
        self._check_address()
        wish = Begin(release, wanted, self._address, values, call.who.user)
        made = self._backend.perform(Noted(wish, call.actor, "rollout.begin", release, asked))
        return Answer(_shown(made), 201, {"Location": f"{API}/rollouts/{made['id']}"})

    def pause(self, call: Call, rollout_id: str) -> Answer:
        """Nothing more is sent for now."""
        return self._wish(call, rollout_id, "rollout.pause", Pause)

    def resume(self, call: Call, rollout_id: str) -> Answer:
        """It goes on."""
        return self._wish(call, rollout_id, "rollout.resume", Resume)

    def abort(self, call: Call, rollout_id: str) -> Answer:
        """It ends; what a board has begun is seen to its end."""
        user = call.who.user
        return self._wish(call, rollout_id, "rollout.abort", lambda found: Abort(found, user))

    def _wish(self, call: Call, rollout_id: str, action: str, wish: Any) -> Answer:
        row = _at(call, OPERATOR, rollout_id)
        call.body(NO_MEMBERS, empty=True)
        task: Task = wish(row.id)
        return Answer(_shown(self._backend.perform(Noted(task, call.actor, action, str(row.id)))))

    def _check_address(self) -> None:
        """Raises Conflict where no board could fetch from there."""
        parts = urlsplit(self._address)
        if parts.scheme != "http" or parts.hostname in _NOWHERE:
            why = (
                f"boards can't fetch from {self._address}: set FIRMWARE_URL to an address that"
                " reaches this backend by plain http (releases are signed)"
            )
            raise Conflict("address", "", why)


def _at(call: Call, role: str, rollout_id: str) -> Rollout:
    """The rollout, for somebody who has this role there. Raises NotFound, Forbidden."""
    nothing = rows.unknown(rollout_id)
    if not rollout_id.isdecimal() or len(rollout_id) > 15:
        raise nothing
    row = rows.get(int(rollout_id))
    require(call.who, role, row.site, nothing)
    return row


def _shown(row: rows.Values) -> rows.Values:
    return render.times(row, "created_at", "deadline_at", "ended_at")
