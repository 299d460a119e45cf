"""Messages that are said rarely, or only by some boards; see `messages`."""

from .fields import Number, OneOf, identifier, reason, short_text, text
from .limits import LOG_TEXT, MAP_ITEMS, SAFE_INTEGER
from .messages import count, epoch_or_unset, identifiers

# What a limit of a sensor can be.
CROSSED = "crossed"
CLEARED = "cleared"

_measured = Number(-SAFE_INTEGER, SAFE_INTEGER, "", True)


def _log_text(value):
    return text(value, LOG_TEXT)


# What one sensor read. The time is that of the reading, 0 where the board did not know it then.
def _reading():
    return (
        ("sensor", identifier),
        ("value", _measured),
        ("unit", short_text),
        ("timestamp", epoch_or_unset),
    )


def _readings(value):
    if type(value) is not list or len(value) > MAP_ITEMS:
        return "must be a list of at most {}".format(MAP_ITEMS)
    parts = _reading()
    for one in value:
        if type(one) is not dict or len(one) != len(parts):
            return "must be objects of sensor, value, unit and timestamp"
        for member, check in parts:
            why = reason(check, one.get(member))
            if why:
                return "has a {} that {}".format(member, why)
    return None


def _log():
    return (
        ("command_id", identifier),
        ("part", count),
        ("parts", count),
        ("text", _log_text),
    )


def _sensors():
    # `failed`: {sensor: why} of those whose latest reading was none.
    return ("boot", identifier), ("readings", _readings), ("failed", identifiers)


def _threshold():
    return (
        ("boot", identifier),
        ("sensor", identifier),
        ("limit", identifier),
        ("state", OneOf((CROSSED, CLEARED))),
        ("value", _measured),
        ("unit", short_text),
        ("timestamp", epoch_or_unset),
    )


def _startup():
    from .startup import members_of_startup  # a board has it by itself, see app/hello

    return members_of_startup()


KINDS = {"startup": _startup, "log": _log, "sensors": _sensors, "threshold": _threshold}
