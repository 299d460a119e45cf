"""The kinds of messages that sensors need; importing this makes them known.

A board without sensors never does, and has the memory for other things.
"""

from collections import OrderedDict

from .fields import Number, OneOf, identifier, reason, short_text
from .limits import MAP_ITEMS, SAFE_INTEGER
from .messages import KINDS

# What a limit can be.
CROSSED = "crossed"
CLEARED = "cleared"

_timestamp = KINDS["ack"]["timestamp"]
_names = KINDS["heartbeat"]["running"]
_value = Number(-SAFE_INTEGER, SAFE_INTEGER, "", True)

# What one sensor read. The time is that of the reading, 0 where the board did not know it then.
_READING = (
    ("sensor", identifier),
    ("value", _value),
    ("unit", short_text),
    ("timestamp", _timestamp),
)


def _readings(value):
    if type(value) is not list or len(value) > MAP_ITEMS:
        return "must be a list of at most {}".format(MAP_ITEMS)
    for one in value:
        if type(one) is not dict or len(one) != len(_READING):
            return "must be objects of sensor, value, unit and timestamp"
        for member, check in _READING:
            why = reason(check, one.get(member))
            if why:
                return "has a {} that {}".format(member, why)
    return None


# `failed`: {sensor: why} of those whose latest reading was none.
KINDS["sensors"] = OrderedDict((("boot", identifier), ("readings", _readings), ("failed", _names)))
# A limit of a sensor was crossed, or is so no more; the first that is known after a boot, too.
KINDS["threshold"] = OrderedDict(
    (
        ("boot", identifier),
        ("sensor", identifier),
        ("limit", identifier),
        ("state", OneOf((CROSSED, CLEARED))),
        ("value", _value),
        ("unit", short_text),
        ("timestamp", _timestamp),
    )
)
