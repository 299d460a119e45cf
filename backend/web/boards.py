"""Boards, what can be asked of them, and how the backend is."""

from typing import Any

from protocol.catalogue import VERBS
from protocol.fields import Number, OneOf, boolean, digest, identifier, short_text, text
from protocol.limits import TEXT_LENGTH
from protocol.verbs import ANY, DOSE, Case, Verb

from backend.delivery.lifecycle import STATUSES
from backend.delivery.lives import life_of
from backend.delivery.texts import FOREIGN_TEXTS, TEXTS
from backend.dialects.esp32cam import NAME_MAX, file_name
from backend.dialects.registry import DIALECTS
from backend.errors import no_board
from backend.people.access import VIEWER, may, require
from backend.service import Backend
from backend.web import connections, render
from backend.web.http import Answer, Call, Check
from backend.web.routes import API, Route


class BoardRoutes:
    """`/boards`, `/verbs`, and `/health` with and without details."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("GET", f"{API}/boards", self.list),
            Route("GET", f"{API}/boards/<board_id>", self.show),
            Route("GET", f"{API}/verbs", self.verbs),
            Route("GET", f"{API}/health", self.health_in_full),
            Route("GET", "/health", self.health, public=True),
        ]

    def list(self, call: Call) -> Answer:
        """Every board of the sites that whoever asks belongs to."""
        rows = self._backend.boards()
        mine = [render.board(row) for row in rows if may(call.who, VIEWER, row["site"])]
        return Answer({"boards": mine})

    def show(self, call: Call, board_id: str) -> Answer:
        """One board."""
        require(call.who, VIEWER, self._backend.site_of(board_id), no_board(board_id))
        return Answer(render.board(self._backend.board(board_id)))

    def verbs(self, call: Call) -> Answer:
        """What can be asked of boards, and the words for what comes back; forms use it."""
        said = {"statuses": STATUSES, "errors": {**TEXTS, **FOREIGN_TEXTS}}
        return Answer({"verbs": CATALOGUE, "dialects": FOREIGN, **said})

    def health_in_full(self, call: Call) -> Answer:
        """200 with how all parts are, and how much is under way."""
        return Answer(connections.visible(call.who, self._backend.health()))

    def health(self, call: Call) -> Answer:
        """200 where all parts work, else 503. Open to anybody, so it says little more."""
        said = self._backend.health_in_short()
        return Answer(said, 200 if said["status"] == "healthy" else 503)


# The schemas of the checks that are functions.
_SCHEMAS: dict[Any, dict[str, Any]] = {
    boolean: {"type": "boolean"},
    identifier: {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    text: {"type": "string", "maxLength": TEXT_LENGTH},
    short_text: {"type": "string", "maxLength": 64},
    digest: {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}


def schema(check: Check) -> dict[str, Any]:
    """A check of the protocol as a JSON schema; a `Number` has its unit as `x-unit`."""
    if isinstance(check, Number):
        kind = "number" if check.fraction else "integer"
        out = {"type": kind, "minimum": check.low, "maximum": check.high}
        return {**out, "x-unit": check.unit} if check.unit else out
    if isinstance(check, OneOf):
        return {"type": "string", "enum": list(check.choices)}
    if check in _SCHEMAS:
        return dict(_SCHEMAS[check])
    if check is file_name:
        return {"type": "string", "minLength": 1, "maxLength": NAME_MAX}
    raise TypeError(f"no schema is known for {check!r}")


def _case(value: str | None, case: Case) -> dict[str, Any]:
    return {
        "value": value,
        "kind": case.kind,
        "required": {name: schema(check) for name, check in case.required.items()},
        "optional": {n: schema(check) for n, check in case.optional.items() if n != ANY},
        "open": ANY in case.optional,
        "one_of": sorted(case.optional) if case.kind == DOSE else [],
    }


def _verb(name: str, verb: Verb) -> dict[str, Any]:
    cases = [_case(value, case) for value, case in verb.cases.items()]
    return {
        "actuator": verb.actuator,
        "choice": verb.choice,
        "cases": cases,
        "life": life_of(name),
    }


# {command type: {"actuator", "choice", "cases": [{"value", "kind", "required", "optional", ...}],
# "life": how many seconds it may wait where nothing else was asked for}}
CATALOGUE = {name: _verb(name, verb) for name, verb in VERBS.items() if not verb.internal}

# The same for boards of other dialects: {its name: {"verbs", "limits": what it can't promise}}
FOREIGN = {
    one.name: {
        "verbs": {name: _verb(name, verb) for name, verb in one.verbs.items()},
        "limits": list(one.limits),
    }
    for one in DIALECTS.values()
    if not one.exact
}
