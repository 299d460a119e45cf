"""Puts what update_config says into the settings; for the names see config.py."""

from protocol import ProtocolError
from protocol.limits import MAP_ITEMS

_FIXED = ("board_id", "key")


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
