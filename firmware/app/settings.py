"""/settings.json: what this board is, and where its broker is; see actuator_settings, too.

Every value is checked at boot. What is wrong raises ValueError with the file, the field, the
reason and what to do, for that text is all a person at the serial console gets to see.
"""

from micropython import const
from protocol import ProtocolError
from protocol.fields import boolean, identifier, short_text, text, whole
from protocol.signature import key_from_hex

from . import once

_checks = once("checks")
_checked, _wrong = _checks.checked, _checks.wrong

_SETTINGS = const("settings.json")


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


def load(flash):
    """(settings, actuators) from the files on `flash`. Raises ValueError, OSError."""
    mine = again(flash)
    actuators = once("actuator_settings").load(flash)
    if flash.read("camera.json") is not None:
        once("camera_settings").load(flash, actuators)
    return mine, actuators


def again(flash):
    """The settings alone, once more."""
    return checked(flash, _checks.read(flash, _SETTINGS))


def checked(flash, values):
    """As `settings`, with `tls`: the context where TLS is asked for, or None."""
    out = settings(values)
    out["tls"] = None
    if out["broker"]["tls"]:
        try:
            out["tls"] = once("authority").context(flash.read(out["broker"]["ca"]))
        except ValueError as why:
            raise _wrong(_SETTINGS, "broker", "ca", why)
    return out
