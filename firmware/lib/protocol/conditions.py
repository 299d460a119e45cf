"""Conditions: what must hold on the board at the moment a command begins, or it does nothing.

Rules of this file:
- a command has CONDITIONS_MAX of them at most, and begins only where each holds;
- a stop has none, for nothing may hold it up;
- on the wire, the type of a command with conditions ends in SUFFIX. A board too old to know of
  conditions would leave them out and obey: so it gets a type that it refuses.
A condition is one of these. A sensor's newest reading counts, and none that is older.
    {"sensor": name, "below": number, "max_age_s": seconds}
    {"sensor": name, "above": number, "max_age_s": seconds}
    {"output": name, "is": "on" or "off"}
"""

from .errors import ProtocolError
from .fields import Number, OneOf, identifier, reason, whole
from .limits import SAFE_INTEGER
from .messages import conditions as listed
from .verbs import STOP, case_of

SUFFIX = "_if"
STATES = ("on", "off")
AGE_MAX = 86400


def wrap(message, conditions):
    """The message of a command that has these, or the one given where there are none."""
    if not conditions:
        return message
    return dict(
        message, command_type=message["command_type"] + SUFFIX, conditions=list(conditions)
    )


def unwrap(message):
    """Give a command off the wire the type it is meant to have. Raises ProtocolError."""
    name = message["command_type"]
    if not name.endswith(SUFFIX):
        raise _bad("conditions", "must not be there without a type that ends in " + SUFFIX)
    message["command_type"] = name = name[: -len(SUFFIX)]
    check(message["conditions"], name, message["parameters"])


def check(conditions, command_type, parameters):
    """Raises ProtocolError (unknown_type, bad_parameter) that names what is wrong."""
    why = listed(conditions)
    if why:
        raise _bad("conditions", why)
    if case_of(command_type, parameters).kind == STOP:
        raise _bad("conditions", "must not be there: a stop depends on nothing")
    for i in range(len(conditions)):
        _check_one("conditions[{}]".format(i), conditions[i])


def fields(one):
    """{member: check} of a condition, by what it seems to be."""
    if "output" in one:
        return {"output": identifier, "is": OneOf(STATES)}
    limit = "above" if "above" in one else "below"
    number = Number(-SAFE_INTEGER, SAFE_INTEGER, "", True)
    return {"sensor": identifier, limit: number, "max_age_s": whole(1, AGE_MAX, "s")}


def _check_one(place, one):
    known = fields(one)
    for name in sorted(known):
        why = reason(known[name], one[name]) if name in one else "is missing"
        if why:
            raise _bad(place + "." + name, why)
    for name in one:
        if name not in known:
            why = "is not one of " + ", ".join(sorted(known))
            raise _bad(place + "." + name, why)


def _bad(field, why):
    return ProtocolError("bad_parameter", field, why)
