"""get_config and update_config: /settings.json, read and changed from afar.

Rules of this file:
- names are flat: `hold_s`, `broker-host`, `wifi-0-ssid`. An empty text takes a member away, and a
  network without `ssid` or a fallback without `host` with it;
- who the board is can't be changed, and neither key nor passwords are ever told;
- a change is checked as at boot; one that is wrong is refused whole, and nothing has changed;
- it is tried first, in memory: only once the broker was reached by it, at the broker's own
  address and not at the fallback, it is written, in one piece. Until then the old one is on
  flash, so a power cut or a restart goes back to it; after `trial_s` seconds the board does so
  by itself, and the command has FAILED with `reverted`.
"""

import asyncio
import json

from micropython import const
from protocol import ProtocolError
from protocol.limits import MAP_ITEMS
from protocol.messages import COMPLETED, FAILED

from . import once

_FILE = const("settings.json")
_TRIAL_S = const(120)
_LOOK_MS = const(100)
_SAID_MS = const(2000)
_FIXED = ("board_id", "key")


def start(node, command_id, verb, parameters):
    """See `services`."""
    values = json.loads(node.flash.read(_FILE))
    if verb == "get_config":
        return shown(values, parameters.get("section", ""))
    if node.trying:
        raise ProtocolError("busy", "command_type", "must wait: another change is on trial")
    parameters = dict(parameters)
    trial_s = parameters.pop("trial_s", _TRIAL_S)
    change(values, parameters)
    new = _checked(node.flash, values)
    node.trying = True
    node.spawn(_try(node, command_id, values, new, trial_s))
    return trial_s + 10


def shown(values, section=""):
    """{name: value} of settings without the secrets; `more`: how many found no room."""
    pairs = sorted(pair for pair in _flat(values, ()) if pair[0].startswith(section))
    out = dict(pairs[: MAP_ITEMS - 1])
    if len(pairs) > len(out):
        out["more"] = len(pairs) - len(out)
    return out


def _flat(value, path):
    if type(value) is list:
        value = {str(i): value[i] for i in range(len(value))}
    if type(value) is not dict:
        return [("-".join(path), value)]
    out = []
    for name in value:
        if name != "key" and not name.endswith("password"):
            out += _flat(value[name], path + (name,))
    return out


def change(values, parameters):
    """Changes settings. Raises ProtocolError where there is no such place."""
    if not parameters:
        raise ProtocolError("bad_parameter", "parameters", "must name what is to be changed")
    for name in sorted(parameters):
        path = name.split("-")
        if path[0] in _FIXED:
            raise _bad(name, "can't be changed from afar")
        try:
            _put(values, path, parameters[name])
        except (AttributeError, IndexError, TypeError, ValueError):
            raise _bad(name, "is no place in the settings")
    values["wifi"] = [one for one in values.get("wifi", []) if "ssid" in one]
    if "host" not in values["broker"].get("fallback", ()):
        values["broker"].pop("fallback", None)


def _put(values, path, value):
    for i in range(len(path) - 1):
        values = _inside(values, path[i], [] if path[i + 1].isdigit() else {})
    if type(values) is not dict:
        raise TypeError
    if value == "" and type(value) is str:
        values.pop(path[-1], None)
    else:
        values[path[-1]] = value


def _inside(values, name, empty):
    if type(values) is not list:
        return values.setdefault(name, empty)
    number = int(name)
    if number == len(values) and number < MAP_ITEMS:
        values.append({})
    return values[number]


def _bad(name, why):
    return ProtocolError("bad_parameter", "parameters." + name, why)


def _checked(flash, values):
    try:
        return once("settings").checked(flash, values)
    except ValueError as why:
        raise ProtocolError("bad_parameter", "parameters", str(why).split(". Correct")[0])
    except MemoryError:
        raise ProtocolError("busy", "command_type", "must wait: the memory is full")


async def _try(node, command_id, values, new, trial_s):
    await _wait(lambda: not node.unconfirmed(), _SAID_MS)  # that it was accepted
    addresses, new["addresses"] = new["addresses"], new["addresses"][:1]
    node.configure(new)
    number = node.link.number
    error = "reverted"
    if await _wait(
        lambda: node.link.number > number and node.link.down_since is None, trial_s * 1000
    ):
        error = _write(node.flash, values)
    if error:
        print("answerback: the settings on trial were no good:", error)
        node.configure(once("settings").load(node.flash)[0])
    else:
        node.link.addresses = addresses
    node.trying = False
    state = FAILED if error else COMPLETED
    node.finish(command_id, state, error, {} if error else shown(values))


def _write(flash, values):
    try:
        flash.replace(_FILE, json.dumps(values).encode())
    except OSError:
        return "storage"
    return None


async def _wait(done, ms):
    """Whether `done()` within so long."""
    while not done() and ms > 0:
        await asyncio.sleep_ms(_LOOK_MS)
        ms -= _LOOK_MS
    return done()
