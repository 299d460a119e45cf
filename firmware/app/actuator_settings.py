"""/actuators.json: what hangs on this board's pins; checked at boot as `settings` is."""

from micropython import const
from protocol.fields import Number, identifier, whole
from protocol.limits import GRAMS_MAX, MAP_ITEMS, ML_MAX, RUN_SECONDS_MAX

from . import once

_checks = once("checks")
_checked, _object, _wrong = _checks.checked, _checks.an_object, _checks.wrong

_ACTUATORS = const("actuators.json")


def load(flash):
    """As `actuators`, from the file. Raises ValueError."""
    return actuators(_checks.read(flash, _ACTUATORS))


def actuators(values):
    """What /actuators.json holds, as {name: config with all fields}. Raises ValueError."""
    values = _object(_ACTUATORS, "", values).get("actuators")
    values = _object(_ACTUATORS, "actuators", values)
    if len(values) > MAP_ITEMS:
        raise _wrong(_ACTUATORS, "", "actuators", "must be {} at most".format(MAP_ITEMS))
    out = {}
    pins: dict = {}  # GPIO: who has it
    for name in sorted(values):
        why = identifier(name)
        if why:
            raise _wrong(_ACTUATORS, "", name, "has a name that " + why)
        out[name] = actuator(name, values[name])
        _claim_pins(pins, name, out[name])
    return out


def actuator(name, values):
    """One of /actuators.json, with all fields."""
    kinds = _kinds()
    kind = _object(_ACTUATORS, name, values).get("kind")
    if type(kind) is not str or kind not in kinds:
        raise _wrong(_ACTUATORS, name, "kind", "must be one of " + ", ".join(sorted(kinds)))
    config = _checked(_ACTUATORS, name, kinds[kind], values)
    if config["safe"] and kind != "switch":
        raise _wrong(_ACTUATORS, name, "safe", "must be 0: only a switch may be safe while on")
    if config["active_low"] and kind == "motor":
        raise _wrong(_ACTUATORS, name, "active_low", "is not possible for a motor")
    return config


def _kinds():
    """{kind: ((field, check, default), ...)}; a default of None means there is none."""
    number, grams = whole(0, 48), Number(0.01, GRAMS_MAX, "", True)
    kind, pin = (("kind", identifier, None),), (("pin", number, None),)
    ml = Number(0, ML_MAX, "", True)
    valve = (("fill_pin", number, None), ("drain_pin", number, None), ("ml_per_second", ml, 0))
    longest = whole(1, RUN_SECONDS_MAX)
    all_have = (
        ("longest_s", longest, None),
        ("safe", _level, 0),
        ("active_low", _level, 0),
        ("hold_s", whole(0, RUN_SECONDS_MAX), 0),
    )
    return {
        "feeder": kind + pin + (("grams_per_second", grams, None),) + all_have,
        "valve": kind + valve + all_have,
        "motor": kind + pin + (("pwm_hz", whole(1, 40000), 1000),) + all_have,
        "switch": kind + pin + all_have,
    }


def _level(value):
    return None if value in (0, 1) else "must be 0 or 1"


def _claim_pins(pins, name, config):
    for field in ("pin", "fill_pin", "drain_pin"):
        if field in config:
            number = config[field]
            if number in pins:
                why = "is GPIO {}, which {} has already".format(number, pins[number])
                raise _wrong(_ACTUATORS, name, field, why)
            pins[number] = name + "." + field
