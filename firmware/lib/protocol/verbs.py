"""The command types, what each takes, and what repeating it would do.

One table serves the backend's validation, the board's, the API description and the page's forms.
A verb is one of three kinds:
- DOSE: doing it twice does harm (100 g of feed); it runs to its end and then reports;
- SET: doing it twice is harmless (light on); it reports at once, and a dead-man timer on the board
  ends what it switched on after `seconds`;
- STOP: ends something; it overtakes everything, and is obeyed even before the clock is set.
Of the `optional` parameters of a dose exactly one is given: for how long, or how much.
A Case takes parameters of any other name where `optional` has ANY: the board knows which.
A verb with a `choice` parameter has one case for each value of it.
"""

from collections import namedtuple

from .errors import ProtocolError
from .fields import (
    Number,
    OneOf,
    boolean,
    digest,
    identifier,
    reason,
    scalar,
    short_text,
    text,
    whole,
)
from .limits import COMMAND_LIFE_MAX, EPOCH_MAX, EPOCH_MIN, GRAMS_MAX, ML_MAX, RUN_SECONDS_MAX
from .topics import is_id

DOSE = "dose"
SET = "set"
STOP = "stop"
ANY = "*"

# One form of a verb: its kind, and its parameters as {name: check}.
Case = namedtuple("Case", ["kind", "required", "optional"])

# One command type. `actuator` is the kind of target it needs, or None for the board.
# `cases` is {value of the parameter `choice`: Case}, or {None: Case} where there is none.
# `internal` verbs are said by the backend itself and can't be posted by a user.
Verb = namedtuple("Verb", ["actuator", "cases", "choice", "internal"])

# The command_id of `query` and `cancel` is the id asked about: the answer is that command's own
# result, or that the board never had it and never will.
# `stop` is for its target, or without one for everything; after an `emergency_stop` nothing moves
# until `clear_stop`. `get_log` and `read_sensors` are answered by messages of the kinds `log` and
# `sensors`. `sleep`: there is nothing more to do until the next wake.
_WITHOUT_PARAMETERS = (
    " ping restart stop emergency_stop clear_stop sleep get_log read_sensors list_images"
    " query cancel "
)


def verb(name):
    """The Verb of that name, or None. Made anew each time: all of them at once, as `catalogue`
    has them, would take 5 KB of a board's memory.
    """
    none: dict = {}
    seconds = whole(1, RUN_SECONDS_MAX, "s")
    stop = Case(STOP, none, none)
    if name == "feed":
        amount = Number(0.1, GRAMS_MAX, "g", True)
        return Verb("feeder", {None: Case(DOSE, {"amount": amount}, none)}, None, False)
    if name == "water":
        run = Case(DOSE, none, {"seconds": seconds, "amount": Number(1, ML_MAX, "ml", True)})
        return Verb("valve", {"fill": run, "drain": run, "stop": stop}, "action", False)
    if name == "motor":
        speed = whole(1, 100, "%")
        start = Case(SET, {"speed": speed, "seconds": seconds}, none)
        cases = {"start": start, "speed": Case(SET, {"speed": speed}, none), "stop": stop}
        return Verb("motor", cases, "action", False)
    if name == "switch":
        cases = {"on": Case(SET, none, {"seconds": seconds}), "off": stop}
        return Verb("switch", cases, "state", False)
    both = _for_the_board(name)
    if both is None:
        return None
    internal = name in ("query", "cancel", "time")
    kind = STOP if internal or name in ("stop", "emergency_stop") else SET
    return Verb(None, {None: Case(kind, *both)}, None, internal)


def _for_the_board(name):
    """(required, optional) of a verb that needs no actuator, or None."""
    required: dict = {}
    optional: dict = {}
    if name == "time":
        # The answer to a board's startup: `timestamp` is the time now. Both members echo the
        # startup, so that a recorded answer can't set the clock back.
        required = {"boot": identifier, "session": whole(0, 2**31)}
    elif name == "update_firmware":  # to a signed release.json
        required = {"version": short_text, "url": text, "sha256": digest}
    elif name == "get_config":
        optional = {"section": identifier}
    elif name == "update_config":
        optional = {"trial_s": whole(5, 600, "s"), ANY: scalar}
    elif name == "set_wake_schedule":
        # `seconds`: until the next wake, and between those after it; 0: it sleeps no more.
        required = {"seconds": whole(0, COMMAND_LIFE_MAX, "s")}
        # `wake_at` (Unix seconds): the next wake is then, or `seconds` later, and so on.
        optional = {"awake_s": whole(5, RUN_SECONDS_MAX, "s"), "quiet_s": whole(1, 600, "s")}
        optional["wake_at"] = whole(EPOCH_MIN, EPOCH_MAX)
    elif name == "capture_image":  # it is sent by itself unless `send` is false
        optional = {"quality": whole(1, 100, "%"), "flash": boolean, "send": boolean}
    elif name == "send_image":
        # Without an id all that were not sent whole; `missing`: the chunks, such as "0-3,7".
        optional = {"image_id": identifier, "missing": text}
    elif name == "delete_image":
        required = {"image_id": identifier}
    elif " " + name + " " not in _WITHOUT_PARAMETERS:
        return None
    return required, optional


def case_of(command_type, parameters):
    """The Case that applies. Raises ProtocolError: unknown_type, or bad_parameter (choice)."""
    return _case(_known(command_type), parameters)


def _known(command_type):
    found = verb(command_type) if is_id(command_type) else None
    if found is None:
        raise ProtocolError("unknown_type", "command_type", "is no command a board knows")
    return found


def _case(verb, parameters):
    if verb.choice is None:
        return verb.cases[None]
    why = reason(OneOf(sorted(verb.cases)), parameters.get(verb.choice))
    if why:
        raise _bad(verb.choice, why)
    return verb.cases[parameters[verb.choice]]


def check_parameters(command_type, parameters):
    """The Case of a command whose parameters are all there, known and in range.

    Raises ProtocolError (unknown_type, bad_parameter) that names the member.
    """
    verb = _known(command_type)
    case = _case(verb, parameters)
    for name in case.required:
        if name not in parameters:
            raise _bad(name, "is missing")
    for name in parameters:
        if name == verb.choice:
            continue
        check = case.required.get(name) or case.optional.get(name) or case.optional.get(ANY)
        why = reason(check, parameters[name]) if check else "is no parameter of this command"
        if why:
            raise _bad(name, why)
    if case.kind == DOSE and case.optional:
        names = sorted(case.optional)
        if len([name for name in names if name in parameters]) != 1:
            raise _bad(names[-1], "or another must be given, just one of " + ", ".join(names))
    return case


def _bad(name, why):
    return ProtocolError("bad_parameter", "parameters." + name, why)


def check_target(command_type, target, actuators):
    """Raises ProtocolError where `target` does not fit `actuators` ({name: {"kind": ...}}).

    A verb that needs an actuator needs a known one of its kind; `stop` may name any; the other
    verbs name none.
    """
    need = _known(command_type).actuator
    if need is None and target == "":
        return
    if need is None and command_type != "stop":
        raise ProtocolError("unknown_target", "target", "must be empty for " + command_type)
    if target not in actuators:
        known = ", ".join(sorted(actuators)) or "none"
        raise ProtocolError("unknown_target", "target", "must be one this board has: " + known)
    if need and actuators[target].get("kind") != need:
        raise ProtocolError("wrong_target", "target", "{} needs a {}".format(command_type, need))
