"""/sensors.json: what is measured, how often, and within which limits. Checked once, at boot.

    {"every_s": 60, "keep": 128, "sensors": {"oxygen1": {"kind": "analog", "pin": 34, ...}, ...}}

A mistake raises ValueError with the file, the field, the reason and what to do.
"""

import json

from micropython import const
from protocol.fields import Number, OneOf, identifier, short_text, text, whole
from protocol.limits import MAP_ITEMS, RUN_SECONDS_MAX, SAFE_INTEGER

from . import once

_checks = once("checks")

_FILE = const("sensors.json")
_NUMBER = Number(-SAFE_INTEGER, SAFE_INTEGER, "", True)
_LEVEL = whole(0, 1)
_OFTEN = whole(1, 86400)
_PIN = (("pin", whole(0, 48), None),)
_SHARED = ("ds18b20", "dht11", "dht22")  # several may hang on one pin


def _points(value):
    if type(value) is not list or not 2 <= len(value) <= MAP_ITEMS:
        return "must be a list of 2 to {} [raw, value]".format(MAP_ITEMS)
    last = None
    for pair in value:
        if type(pair) is not list or len(pair) != 2 or any(map(_no_number, pair)):
            return "must hold pairs of numbers: [raw, value]"
        if last is not None and pair[0] <= last:
            return "must go up from one raw to the next"
        last = pair[0]
    return None


def _no_number(value):
    return type(value) not in (int, float) or not abs(value) <= SAFE_INTEGER


def _unit(value):
    return text(value, 16)


def _rom(value):
    if type(value) is str and len(value) in (0, 16) and not value.strip("0123456789abcdef"):
        return None
    return "must be 16 digits of 0 to 9 and a to f"


def _anything(value):
    return None


_DHT = (("value", OneOf(("temperature", "humidity")), None),)
_KINDS: dict = {
    "analog": _PIN + (("atten", whole(0, 3), 3),),
    "digital": _PIN + (("pull_up", _LEVEL, 0), ("active_low", _LEVEL, 0)),
    "ds18b20": _PIN + (("rom", _rom, ""),),
    "dht11": _PIN + _DHT,
    "dht22": _PIN + _DHT,
    "module": (("module", identifier, None), ("value", short_text, ""), ("config", _anything, {})),
}


_TOP = (("every_s", _OFTEN, 60), ("keep", whole(16, 2000), 128), ("sensors", _anything, None))


def _common(kind, every_s):
    """The fields every sensor has."""
    units = {"ds18b20": "°C"}
    return (
        ("kind", identifier, None),
        ("unit", _unit, units.get(kind, "")),
        ("low", _NUMBER, -SAFE_INTEGER),
        ("high", _NUMBER, SAFE_INTEGER),
        ("decimals", whole(0, 6), 2),
        ("every_s", _OFTEN, every_s),
        ("limits", _anything, []),
    )


def sensors(data, actuators):
    """(how many readings are kept, {name: config with all fields}) of the file's bytes.

    `actuators` are the checked ones, whose pins are taken. Raises ValueError.
    """
    values = _checks.checked(_FILE, "", _TOP, _read(data))
    parts = _checks.an_object(_FILE, "sensors", values["sensors"])
    if len(parts) > MAP_ITEMS:
        raise _wrong("", "sensors", "must be {} at most".format(MAP_ITEMS))
    pins = _taken(actuators)
    out, limits = {}, 0
    for name in sorted(parts):
        why = identifier(name)
        if why:
            raise _wrong("", name, "has a name that " + why)
        out[name] = _sensor(name, parts[name], values["every_s"])
        _claim(pins, name, out[name])
        limits += len(out[name]["limits"])
    if limits > MAP_ITEMS:
        raise _wrong("", "limits", "must be {} at most, of all sensors".format(MAP_ITEMS))
    return values["keep"], out


def _sensor(name, values, every_s):
    kind = _checks.an_object(_FILE, name, values).get("kind")
    if type(kind) is not str or kind not in _KINDS:
        raise _wrong(name, "kind", "must be one of " + ", ".join(sorted(_KINDS)))
    fields = _common(kind, every_s) + _KINDS[kind]
    if kind == "analog":
        if "points" in values:
            fields += (("points", _points, None),)
        else:
            fields += (("scale", _NUMBER, 1), ("offset", _NUMBER, 0))
    config = _checks.checked(_FILE, name, fields, values)
    if config["low"] > config["high"]:
        raise _wrong(name, "low", "is above high")
    if kind[:3] == "dht" and config["every_s"] < 2:
        raise _wrong(name, "every_s", "must be 2 or more for a " + kind)
    if type(config["limits"]) is not list:
        raise _wrong(name, "limits", "must be a list")
    config["limits"] = [limit(name, one) for one in config["limits"]]
    names = [one["name"] for one in config["limits"]]
    if len(set(names)) < len(names):
        raise _wrong(name, "limits", "must have names of their own")
    return config


def limit(name, values):
    """One of a sensor's, with all fields. Raises ValueError."""
    place = name + ".limits"
    way = "above" if "above" in _checks.an_object(_FILE, place, values) else "below"
    fields = (
        ("name", identifier, None),
        (way, _NUMBER, None),
        ("hysteresis", Number(0, SAFE_INTEGER, "", True), 0),
        ("for_s", whole(0, RUN_SECONDS_MAX), 0),
    )
    return _checks.checked(_FILE, place, fields, values)


def _taken(actuators):
    pins = {}
    for name, config in actuators.items():
        for field in ("pin", "fill_pin", "drain_pin"):
            if field in config:
                pins[config[field]] = (name, "")
    return pins


def _claim(pins, name, config):
    pin, kind = config.get("pin"), config["kind"]
    if pin is None:
        return
    if pin in pins and (kind not in _SHARED or pins[pin][1] != kind):
        raise _wrong(name, "pin", "is GPIO {}, which {} has already".format(pin, pins[pin][0]))
    pins[pin] = (name, kind)


def _read(data):
    try:
        return json.loads(data.decode())
    except ValueError:
        raise _wrong("", "", "is not JSON")


def _wrong(place, name, why):
    return _checks.wrong(_FILE, place, name, why)
