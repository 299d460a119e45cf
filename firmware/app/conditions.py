"""Whether what a command depends on holds now; protocol/conditions.py says what there is.

What can't be known does not hold: a sensor without a reading, an output that is stuck.
"""

from .clock import ticks_diff


def unmet(conditions, actuators, latest, now_ms):
    """None where all hold, else a result: the `condition` (its number) that does not, and what was
    `found`: a value, "on", "off", or why there is none.

    `latest` is {sensor: (value, ticks)}.
    """
    for i in range(len(conditions)):
        one = conditions[i]
        found = _output(one, actuators) if "output" in one else _sensor(one, latest, now_ms)
        if found is not None:
            return {"condition": i, "found": found}
    return None


def _sensor(one, latest, now_ms):
    if one["sensor"] not in latest:
        return "unknown"
    value, at = latest[one["sensor"]]
    if not 0 <= ticks_diff(now_ms, at) <= one["max_age_s"] * 1000:
        return "old"
    holds = value < one["below"] if "below" in one else value > one["above"]
    return None if holds else value


def _output(one, actuators):
    actuator = actuators.get(one["output"])
    if actuator is None:
        return "unknown"
    if actuator.stuck:
        return "stuck"
    found = "on" if bool(actuator.command_id) != bool(actuator.safe) else "off"
    return None if found == one["is"] else found
