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
Each step is a module of its own, for together with `settings` they take much memory.
"""

import json

from protocol.limits import MAP_ITEMS


def start(node, command_id, verb, parameters):
    """get_config; see `services`."""
    return shown(json.loads(node.flash.read("settings.json")), parameters.get("section", ""))


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
