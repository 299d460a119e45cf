"""/settings.json and /actuators.json: what this board is, and what hangs on its pins.

Every value is checked at boot. What is wrong raises ValueError with the file, the field, the
reason and what to do, for that text is all a person at the serial console gets to see.
"""

import json

from micropython import const
from protocol import ProtocolError
from protocol.fields import Number, boolean, identifier, short_text, text, whole
from protocol.limits import GRAMS_MAX, MAP_ITEMS, ML_MAX, RUN_SECONDS_MAX
from protocol.signature import key_from_hex

from . import once

_checks = once("checks")
_checked, _object, _wrong = _checks.checked, _checks.an_object, _checks.wrong

_SETTINGS = const("settings.json")
_ACTUATORS = const("actuators.json")


def settings(values):
    """What /settings.json holds, as a dict with all fields; `key` as bytes. Raises ValueError."""
    hold = whole(1, 3600)
    fields: tuple = (
        ("board_id", identifier, None),
        ("key", text, None),
        ("hold_s", hold, 30),
        ("health_s", whole(1, 180), 90),
        ("broker", lambda _: None, None),
        ("wifi", lambda _: None, []),
        ("ntp", text, ""),
    )
    out = _checked(_SETTINGS, "", fields, values)
    try:
        out["key"] = key_from_hex(out["key"])
    except ProtocolError as error:
        raise _wrong(_SETTINGS, "", "key", error.reason)
    out["broker"] = broker(out["broker"])
    if type(out["wifi"]) is not list:
        raise _wrong(_SETTINGS, "", "wifi", "must be a list")
    out["wifi"] = [network(one) for one in out["wifi"]]
    out["addresses"] = _addresses(out["broker"])
    return out


def _addresses(broker):
    both = [broker, broker["fallback"]] if broker["fallback"] else [broker]
    return [(one["host"], one["port"]) for one in both]


def broker(values):
    """The part of /settings.json about the broker."""
    port = 8883 if type(values) is dict and values.get("tls") else 1883
    host = (("host", lambda value: text(value, 253), None), ("port", whole(1, 65535), port))
    fields: tuple = host + (
        ("user", short_text, ""),
        ("password", short_text, ""),
        ("tls", boolean, False),
        ("ca", short_text, ""),
        ("fallback", lambda _: None, {}),
    )
    out = _checked(_SETTINGS, "broker", fields, values)
    if out["fallback"]:
        out["fallback"] = _checked(_SETTINGS, "broker.fallback", host, out["fallback"])
    if out["tls"] and not out["ca"]:
        raise _wrong(_SETTINGS, "broker", "ca", "is missing: the name of a file on the board")
    return out


def network(values):
    """One Wi-Fi network of /settings.json."""
    fields = (("ssid", lambda value: text(value, 32), None), ("password", short_text, ""))
    return _checked(_SETTINGS, "wifi", fields, values)


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


def load(flash):
    """(settings, actuators) from the files on `flash`. Raises ValueError, OSError."""
    loaded = checked(flash, _read(flash, _SETTINGS)), actuators(_read(flash, _ACTUATORS))
    if flash.read("camera.json") is not None:
        once("camera_settings").load(flash, loaded[1])
        once("camera").add_verbs()
    return loaded


def checked(flash, values):
    """As `settings`, with `tls`: the context where TLS is asked for, or None."""
    out = settings(values)
    out["tls"] = _tls(flash, out["broker"]["ca"]) if out["broker"]["tls"] else None
    return out


def _tls(flash, name):
    """The context of connections to a broker that this authority vouches for."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]
    try:
        context.load_verify_locations(cadata=flash.read(name) or b"")
    except ValueError:
        why = "must name a certificate in DER on the board (openssl x509 -outform der)"
        raise _wrong(_SETTINGS, "broker", "ca", why)
    return context


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


def _read(flash, name):
    data = flash.read(name)
    if data is None:
        raise _wrong(name, "", "", "is missing from the board's flash")
    try:
        return json.loads(data.decode())
    except ValueError:
        raise _wrong(name, "", "", "is not JSON")
