"""Limits that the backend has given to the board: /limits.json, in place of a file by hand.

    {"a7_1": {"sensor": "oxygen1", "below": 4, "hysteresis": 1, "for_s": 10, "every_s": 0,
              "do": "{\"command_type\": ...}", "undo": "..."}, ...}

Rules of this file:
- update_config changes them, by names such as `limits-a7_1-below`, and by nothing else at once;
  an empty text takes a member away, or the whole limit: `limits-a7_1`;
- a name is never used for another limit; a limit that keeps its name keeps where it stands;
- `do` is a command of an actuator, in JSON, which the board gives itself when the limit is
  crossed, every `every_s` seconds while it is (0: once), and `undo` when it is back: see reflex;
- a change that is wrong changes nothing; what was right once and can't be any more (its sensor is
  gone) is left out.
"""

import json

from micropython import const
from protocol import ProtocolError
from protocol.fields import identifier
from protocol.limits import MAP_ITEMS
from protocol.verbs import check_parameters, check_target, verb

from . import once
from .actuators import describe

FILE = const("limits.json")
_OURS = ("sensor", "every_s", "do", "undo")


def start(node, parameters):
    """Of update_config; returns its result, the settings as they are. Raises ProtocolError, and
    then nothing has changed.
    """
    values = _read(node)
    try:
        for name in sorted(parameters):
            _put(values, name.split("-"), parameters[name])
        limits = _made(node, values, [name.split("-")[1] for name in parameters])
    except MemoryError:
        raise ProtocolError("busy", "command_type", "must wait: the memory is full")
    except (AttributeError, KeyError, TypeError, ValueError) as why:
        raise _bad(str(why).split(". Correct")[0])
    room = MAP_ITEMS - len([one for one in node.sensors.limits if one.reflex is None])
    if len(limits) > room:
        raise _bad("must be {} at most, beside those of sensors.json".format(room))
    try:
        node.flash.replace(FILE, json.dumps(values).encode())
    except OSError:
        raise ProtocolError("storage", "command_type", "could not be written")
    _use(node.sensors.limits, limits)
    return once("config").shown(json.loads(node.flash.read("settings.json")))


def load(node):
    """After a boot."""
    try:
        _use(node.sensors.limits, _made(node, _read(node)))
    except MemoryError:  # the rest of the board is worth more
        node.commands.drop("limits_memory")


def _read(node):
    if not node.sensors:
        raise _bad("must be of a sensor, and this board has none")
    try:
        values = json.loads((node.flash.read(FILE) or b"{}").decode())
    except ValueError:
        values = None
    return values if type(values) is dict else {}


def _put(values, path, value):
    if len(path) not in (2, 3) or path[0] != "limits" or identifier(path[1]):
        raise ValueError("has a name that is no place in the limits")
    if len(path) == 3:
        values = values.setdefault(path[1], {})
    if value == "" and type(value) is str:
        values.pop(path[-1], None)
    else:
        values[path[-1]] = value


def _made(node, values, strict=()):
    """The Limits of these values, without what can't be right. Raises ValueError for `strict`."""
    limits, make = [], _maker(node)
    for name in sorted(values):
        try:
            limits.append(make(name, values[name]))
        except (AttributeError, KeyError, TypeError, ValueError) as why:
            if name in strict:
                raise
            print("answerback: limit", name, "is left out:", why)
    return limits


def _maker(node):
    """What makes a Limit of its name and values. Loads its helpers once."""
    checked, made = once("sensor_settings").limit, once("sensor_setup").limit_of
    return lambda name, values: _limit(node, name, values, checked, made)


def _limit(node, name, values, checked, made):
    """The Limit of these values. Raises ValueError, ProtocolError."""
    names = [sensor.name for sensor in node.sensors.sensors]
    if values.get("sensor") not in names:
        raise ValueError("{} must be of a sensor of this board".format(name))
    rest = {one: values[one] for one in values if one not in _OURS}
    rest["name"] = name
    limit = made(names.index(values["sensor"]), checked(name, rest))
    for one in ("do", "undo"):
        if one in values:
            _check(node, json.loads(values[one]))
    every_s = values.get("every_s", 0)
    if type(every_s) is not int or not 0 <= every_s <= 86400:
        raise ValueError("{}.every_s must be from 0 to 86400".format(name))
    limit.reflex = [every_s * 1000, None] if "do" in values else ()
    return limit


def _check(node, command):
    """Only what an actuator of this board can do."""
    known = verb(command["command_type"])
    if known is None or known.actuator is None:
        raise ValueError("do and undo must be commands of an actuator")
    check_parameters(command["command_type"], command["parameters"])
    check_target(command["command_type"], command["target"], describe(node.actuators))


def _use(limits, made):
    """Put these in the place of those pushed before, in the same list."""
    known = {one.name: one for one in limits if one.reflex is not None}
    limits[:] = [one for one in limits if one.reflex is None] + [
        known.get(one.name, one) for one in made
    ]


def _bad(why):
    return ProtocolError("bad_parameter", "parameters.limits", why)
