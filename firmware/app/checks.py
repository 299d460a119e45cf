"""What the board's files are checked with; loaded for that, and let go afterwards."""

import json

from protocol.fields import reason


def checked(file, place, fields, values):
    """`values` with all `fields`, ((name, check, default), ...); a default of None: none there.

    Raises ValueError where `values` is no object, or a field is missing, unknown or wrong.
    """
    values = an_object(file, place, values)
    known = [field[0] for field in fields]
    for name in values:
        if name not in known:
            raise wrong(file, place, str(name), "is not one of " + ", ".join(known))
    out = {}
    for name, check, default in fields:
        if name not in values and default is None:
            raise wrong(file, place, name, "is missing")
        out[name] = values.get(name, default)
        why = reason(check, out[name])
        if why:
            raise wrong(file, place, name, why)
    return out


def an_object(file, place, value):
    """The value, where it is a dict. Raises ValueError."""
    if type(value) is not dict:
        raise wrong(file, place, "", "must be an object in braces")
    return value


def wrong(file, place, name, why):
    """A ValueError that says where the mistake is, why it is one, and what to do."""
    where = ".".join(part for part in (place, name) if part)
    where = "/" + file + (": " + where if where else "")
    advice = "{} {}. Correct the file, copy it to the board (mpremote fs cp FILE :/{}) and reset."
    return ValueError(advice.format(where, why, file))


def read(flash, name):
    """What a file on the board's flash holds. Raises ValueError."""
    data = flash.read(name)
    if data is None:
        raise wrong(name, "", "", "is missing from the board's flash")
    try:
        return json.loads(data.decode())
    except ValueError:
        raise wrong(name, "", "", "is not JSON")
