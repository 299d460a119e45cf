"""/camera.json: which camera hangs on this board, and how it takes pictures.

Checked at boot, where it costs nothing that lasts, and again before each picture, for a file may
be changed without a reset. What is wrong raises ValueError with the field, the reason and what to
do. Pins have the names they have on the wires; -1 where a wire is missing.
"""

import json

from protocol.fields import OneOf, boolean, reason, whole

NAME = "camera.json"
_WIRES = ("pclk", "vsync", "href", "sda", "scl", "xclk", "powerdown", "reset")


def models():
    """{model: (data pins D0 to D7, the pins of _WIRES)}; where there is none, the image knows."""
    return {
        "AI_THINKER": ((5, 18, 19, 21, 36, 39, 34, 35), (22, 25, 23, 26, 27, 0, 32, -1)),
        "built_in": (None, ()),
    }


def frame_sizes():
    """{frame size: (width, height)}: those both `camera` modules know by the same name."""
    return {
        "QQVGA": (160, 120),
        "QVGA": (320, 240),
        "CIF": (400, 296),
        "VGA": (640, 480),
        "SVGA": (800, 600),
        "XGA": (1024, 768),
        "HD": (1280, 720),
        "SXGA": (1280, 1024),
        "UXGA": (1600, 1200),
    }


def load(flash, actuators=None):
    """The camera as a dict with all fields, None where the board has none. Raises ValueError.

    `data` are its data pins, `wires` {wire: pin} the others, None and {} where the image knows
    them; `width` and `height` in pixels; `quality` in %; `flash_pin` is None where there is no
    light. `actuators` is what `settings.actuators` returned: a pin is never both theirs and the
    camera's.
    """
    data = flash.read(NAME)
    if data is None:
        return None
    try:
        values = json.loads(data.decode())
    except ValueError:
        raise _wrong("", "is not JSON")
    config = _checked(values)
    _check_free(config, actuators or {})
    return config


def _checked(values):
    """All fields, each of them right."""
    fields = {
        "model": (OneOf(sorted(models())), "AI_THINKER"),
        "pins": (lambda _: None, None),
        "frame_size": (OneOf(sorted(frame_sizes())), "VGA"),
        "quality": (whole(1, 100), 80),
        "xclk_mhz": (_one_of(10, 20), 20),
        "flash_pin": (whole(0, 48), None),
        "flash_active_low": (boolean, False),
    }
    if type(values) is not dict:
        raise _wrong("", "must be an object in braces")
    for name in values:
        if name not in fields:
            raise _wrong(str(name), "is not one of " + ", ".join(sorted(fields)))
    out = {}
    for name, (check, default) in fields.items():
        out[name] = values.get(name, default)
        why = reason(check, out[name]) if name in values else None
        if why:
            raise _wrong(name, why)
    return _resolved(out, "model" in values)


def _one_of(*numbers):
    """A check: one of these numbers."""

    def check(value):
        known = type(value) is int and value in numbers
        return None if known else "must be one of " + ", ".join(str(number) for number in numbers)

    return check


def _resolved(out, has_model):
    """With `data`, `wires`, `width` and `height` in place of what they follow from."""
    pins = out.pop("pins")
    if pins is not None and has_model:
        raise _wrong("pins", "are known from the model: leave out one of the two")
    model = out.pop("model")
    out["data"], wires = models()[model] if pins is None else _pins(pins)
    out["wires"] = dict(zip(_WIRES, wires))
    out["width"], out["height"] = frame_sizes()[out["frame_size"]]
    return out


def _pins(pins):
    """(data pins, the pins of _WIRES) from the file's `pins`."""
    if type(pins) is not dict or type(pins.get("data")) is not list or len(pins["data"]) != 8:
        raise _wrong("pins.data", "must be the list of the 8 data pins, D0 first")
    for name in pins:
        if name != "data" and name not in _WIRES:
            raise _wrong("pins." + str(name), "is not one of data, " + ", ".join(_WIRES))
    number, missing = whole(0, 48), whole(-1, 48)
    for pin in pins["data"]:
        if reason(number, pin):
            raise _wrong("pins.data", "has a pin that " + reason(number, pin))
    out = []
    for name in _WIRES:
        optional = name in ("powerdown", "reset", "xclk")
        why = reason(missing if optional else number, pins.get(name, -1))
        if why:
            raise _wrong("pins." + name, why if name in pins else "is missing")
        out.append(pins.get(name, -1))
    return tuple(pins["data"]), tuple(out)


def _check_free(config, actuators):
    """Raises ValueError where a pin is used twice."""
    taken = {}
    for name, actuator in actuators.items():
        for field in ("pin", "fill_pin", "drain_pin"):
            if field in actuator:
                taken[actuator[field]] = name
    pins = list(config["data"] or ()) + list(config["wires"].values())
    mine = [("pins", pin) for pin in pins if pin >= 0]
    if config["flash_pin"] is not None:
        mine.append(("flash_pin", config["flash_pin"]))
    for field, pin in mine:
        if pin in taken:
            raise _wrong(field, "use GPIO {}, which {} has already".format(pin, taken[pin]))
        taken[pin] = "the camera"


def _wrong(name, why):
    where = "/" + NAME + (": " + name if name else "")
    advice = "{} {}. Correct the file, copy it to the board (mpremote fs cp {} :/{}) and reset."
    return ValueError(advice.format(where, why, NAME, NAME))
