"""update_config: a change of /settings.json from afar; for its rules see config.py."""

import json

from micropython import const
from protocol import ProtocolError

from . import once

_FILE = const("settings.json")
_TRIAL_S = const(120)


def start(node, command_id, verb, parameters):
    """See `services`."""
    if any(name.split("-")[0] == "limits" for name in parameters):
        return once("pushed").start(node, parameters)
    values = json.loads(node.flash.read(_FILE))
    if node.trying:
        raise ProtocolError("busy", "command_type", "must wait: another change is on trial")
    parameters = dict(parameters)
    trial_s = parameters.pop("trial_s", _TRIAL_S)
    once("config_change").change(values, parameters)
    new = _checked(node.flash, values)
    node.trying = True
    node.spawn(once("config_trial").run(node, command_id, json.dumps(values), new, trial_s))
    return trial_s + 10


def _checked(flash, values):
    try:
        return once("settings").checked(flash, values)
    except ValueError as why:
        raise ProtocolError("bad_parameter", "parameters", str(why).split(". Correct")[0])
    except MemoryError:
        raise ProtocolError("busy", "command_type", "must wait: the memory is full")
