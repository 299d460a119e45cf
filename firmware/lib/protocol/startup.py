"""What a startup message has; said once for each connection."""

from .fields import boolean, identifier, members, scalars, short_text
from .messages import count, epoch_or_unset


def _actuators(value):
    return members(value, scalars)


def members_of_startup():
    """As `messages` has those of other kinds."""
    return (
        ("boot", identifier),
        ("session", count),
        ("cause", identifier),
        ("firmware", short_text),
        ("board", identifier),
        ("actuators", _actuators),
        ("has", short_text),  # names with spaces between: camera, sensors, sleep
        ("slot", short_text),
        ("slot_state", short_text),
        ("latched", boolean),
        ("heap", count),
        ("timestamp", epoch_or_unset),
    )
