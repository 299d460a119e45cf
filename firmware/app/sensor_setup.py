"""Sensors made ready at boot, out of /sensors.json; this code is not needed any more then.

What reads a kind of sensor is the class `Reader` of a module of its own, which is loaded only
where there is one: `Reader(config)`, `begin()` returns in how many ms the value can be read, and
`read(part)` returns it: a number; `part` says which one where there are several.
"""

import json

from . import once
from .sampling import Sensor
from .thresholds import Limit

_ALL = 65535  # of an ADC


def setup(data, actuators):
    """(readings kept, [Sensor], [Limit]) out of the file's bytes; () where something is wrong,
    which was said on the console then.
    """
    settings = once("sensor_settings")
    try:
        keep, configs = settings.sensors(data, actuators)
        return (keep,) + _made(configs)
    except ValueError as why:
        print("answerback: no sensors:", why)
        return ()


def _made(configs):
    sensors: list = []
    limits: list = []
    modules: dict = {}  # {kind: what reads it}
    sources: dict = {}
    for name in sorted(configs):
        config = configs[name]
        source = _source(name, config, modules, sources)
        for one in config["limits"]:
            limits.append(limit_of(len(sensors), one))
        part = config.get("rom") or config.get("value") or ""
        sensors.append(
            Sensor(
                name, config["unit"], config["low"], config["high"], _points(config),
                config["decimals"], config["every_s"] * 1000, source, part,
            )
        )  # fmt: skip
    return sensors, limits


def _source(name, config, modules, sources):
    """What reads it, shared by those that hang on the same pin or are told by the same module."""
    kind = "dht" if config["kind"][:3] == "dht" else config["kind"]
    shared = kind, config.get("pin"), config.get("module"), json.dumps(config.get("config"))
    if shared not in sources:
        if kind not in modules:
            modules[kind] = once("read_" + kind)
        try:
            sources[shared] = modules[kind].Reader(config)
        except Exception as why:  # a module of the user's own, or a pin that can't be an input
            raise ValueError("/sensors.json: {} can't be set up: {!r}".format(name, why))
    return sources[shared]


def _points(config):
    """How a raw value becomes one that counts: ((raw, value), ...), or () where it does."""
    if "points" in config:
        return tuple((raw, value) for raw, value in config["points"])
    scale, offset = config.get("scale", 1), config.get("offset", 0)
    if (scale, offset) == (1, 0):
        return ()
    return ((0, offset), (_ALL, _ALL * scale + offset))


def limit_of(place, one):
    """The Limit of the sensor of that number, of what was checked."""
    above = "above" in one
    at = one["above" if above else "below"]
    return Limit(place, one["name"], above, at, one["hysteresis"], one["for_s"] * 1000)
