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
from .fields import Number, OneOf, digest, identifier, reason, scalar, short_text, text, whole
from .limits import COMMAND_LIFE_MAX, EPOCH_MAX, EPOCH_MIN, GRAMS_MAX, ML_MAX, RUN_SECONDS_MAX

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


def verbs():
    # What several share is there once, for each takes memory on the board.
    none: dict = {}
    seconds = whole(1, RUN_SECONDS_MAX, "s")
    speed = whole(1, 100, "%")
    amount = Number(0.1, GRAMS_MAX, "g", True)
    run = Case(DOSE, none, {"seconds": seconds, "amount": Number(1, ML_MAX, "ml", True)})
    stop = Case(STOP, none, none)
    start = Case(SET, {"speed": speed, "seconds": seconds}, none)
    light = {"on": Case(SET, none, {"seconds": seconds}), "off": stop}
    echo = Case(STOP, {"boot": identifier, "session": whole(0, 2**31)}, none)
    board_set = Verb(None, {None: Case(SET, none, none)}, None, False)
    board_stop = Verb(None, {None: stop}, None, False)
    asked = Verb(None, board_stop.cases, None, True)
    return {
        "feed": Verb("feeder", {None: Case(DOSE, {"amount": amount}, none)}, None, False),
        "water": Verb("valve", {"fill": run, "drain": run, "stop": stop}, "action", False),
        "motor": Verb(
            "motor",
            {"start": start, "speed": Case(SET, {"speed": speed}, none), "stop": stop},
            "action",
            False,
        ),
        "switch": Verb("switch", light, "state", False),
        "ping": board_set,
        "restart": board_set,
        "stop": board_stop,  # with a target: that one; without: everything
        "emergency_stop": board_stop,  # nothing moves until `clear_stop`
        "clear_stop": board_set,
        "sleep": board_set,  # there is nothing more to do until the next wake
        "get_log": board_set,  # the answer are messages of kind `log`
        "read_sensors": board_set,  # the answer are messages of kind `sensors`
        # Said by the backend itself. The command_id of `query` and `cancel` is the id asked about:
        # the answer is that command's own result, or that the board never had it and never will.
        "query": asked,
        "cancel": asked,
        # The answer to a board's startup: `timestamp` is the time now. Both members echo the
        # startup, so that a recorded answer can't set the clock back.
        "time": Verb(None, {None: echo}, None, True),
    }


def settings():
    """Those that change how a board is set up."""
    none: dict = {}
    awake = {
        "awake_s": whole(5, RUN_SECONDS_MAX, "s"),
        "quiet_s": whole(1, 600, "s"),
        "wake_at": whole(EPOCH_MIN, EPOCH_MAX),
    }
    release = {"version": short_text, "url": text, "sha256": digest}
    cases = {
        "update_firmware": Case(SET, release, none),  # to a signed release.json
        "get_config": Case(SET, none, {"section": identifier}),
        "update_config": Case(SET, none, {"trial_s": whole(5, 600, "s"), ANY: scalar}),
        # `seconds`: until the next wake, and between those after it; 0: it sleeps no more.
        # `wake_at` (Unix seconds): the next wake is then, or `seconds` later, and so on.
        "set_wake_schedule": Case(SET, {"seconds": whole(0, COMMAND_LIFE_MAX, "s")}, awake),
    }
    return {name: Verb(None, {None: cases[name]}, None, False) for name in cases}


VERBS = verbs()
VERBS.update(settings())
del verbs, settings  # it takes memory on the board


def case_of(command_type, parameters):
    """The Case that applies. Raises ProtocolError: unknown_type, or bad_parameter (choice)."""
    verb = VERBS.get(command_type)
    if verb is None:
        known = ", ".join(sorted(VERBS))
        raise ProtocolError("unknown_type", "command_type", "must be one of " + known)
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
    case = case_of(command_type, parameters)
    for name in case.required:
        if name not in parameters:
            raise _bad(name, "is missing")
    for name in parameters:
        if name == VERBS[command_type].choice:
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
    need = VERBS[command_type].actuator
    if need is None and target == "":
        return
    if need is None and command_type != "stop":
        raise ProtocolError("unknown_target", "target", "must be empty for " + command_type)
    if target not in actuators:
        known = ", ".join(sorted(actuators)) or "none"
        raise ProtocolError("unknown_target", "target", "must be one this board has: " + known)
    if need and actuators[target].get("kind") != need:
        raise ProtocolError("wrong_target", "target", "{} needs a {}".format(command_type, need))
