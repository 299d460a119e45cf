"""Checks for one value each: `reason(check, value)` is None, or the reason why not.

JSON parsers differ in what they let pass (MicroPython's takes `{"a":1,}` and `01`), so types and
ranges are looked at here, after parsing, on both sides alike. A check is a Number, a OneOf, or a
function of the value that returns the reason itself. The members of the first two are what forms
and API descriptions are made from. They are tuples, for these take the least memory on a board.
"""

from collections import namedtuple

from .limits import MAP_ITEMS, SAFE_INTEGER, TEXT_LENGTH
from .topics import ID_RULE, is_id

# A number from `low` to `high`; a whole one unless `fraction`. `unit` is for people, or "".
Number = namedtuple("Number", ["low", "high", "unit", "fraction"])

# One of a few texts.
OneOf = namedtuple("OneOf", ["choices"])


def whole(low, high, unit=""):
    """A whole number from `low` to `high`."""
    return Number(low, high, unit, False)


def reason(check, value):
    """None where `value` passes the check, else why it does not."""
    if isinstance(check, Number):
        return number(check, value)
    if isinstance(check, OneOf):
        known = type(value) is str and value in check.choices
        return None if known else "must be one of " + ", ".join(check.choices)
    return check(value)


def text(value, limit=TEXT_LENGTH):
    """A str of at most `limit` characters."""
    if type(value) is not str:
        return "must be text"
    if len(value) > limit:
        return "must be at most {} characters".format(limit)
    return None if _encodable(value) else "holds characters UTF-8 can't carry"


def short_text(value):
    """A str of at most 64 characters."""
    return text(value, 64)


def digest(value):
    """A SHA-256: 64 hexadecimal digits, in lower case."""
    good = type(value) is str and len(value) == 64 and not value.strip("0123456789abcdef")
    return None if good else "must be 64 hexadecimal digits"


def identifier(value):
    """1 to 64 of A-Z a-z 0-9 _ -"""
    return None if is_id(value) else ID_RULE


def identifier_or_empty(value):
    """An identifier, or "" for 'the board as a whole'."""
    return None if type(value) is str and value == "" else identifier(value)


def boolean(value):
    """True or False."""
    return None if type(value) is bool else "must be true or false"


def scalar(value):
    """A text, a number, true or false: what parameters and results are made of."""
    kind = type(value)
    if kind is str:
        return text(value)
    if kind is bool or kind is int and -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return None
    if kind is float and abs(value) <= 1e38:  # an ESP32 has 32-bit floats
        return None
    return "must be text, a number, true or false"


def scalars(value):
    """An object of scalars."""
    return members(value, scalar)


def members(value, check):
    """An object of a few members that have identifiers for names and all pass `check`."""
    if type(value) is not dict:
        return "must be an object"
    if len(value) > MAP_ITEMS:
        return "must have at most {} members".format(MAP_ITEMS)
    for key in value:
        if not is_id(key):
            return "has a member whose name " + ID_RULE
        why = reason(check, value[key])
        if why:
            return "has a member {} that {}".format(key, why)
    return None


def number(check, value):
    """A number in the range of a Number."""
    kind = type(value)
    if kind is not int and not (check.fraction and kind is float):
        return "must be a number" if check.fraction else "must be a whole number"
    if check.low <= value <= check.high:
        return None
    return "must be from {} to {}".format(check.low, check.high)


def _encodable(value):
    """False for a lone surrogate, which JSON can smuggle in and UTF-8 has no bytes for.

    MicroPython also takes characters written in too many bytes, or beyond Unicode, as they come.
    """
    try:
        if len(value.encode()) == len(value):
            return True
        rewritten = "".join(chr(ord(ch)) for ch in value)
    except ValueError:
        return False
    return rewritten == value and not any("\ud7ff" < ch < "\ue000" for ch in value)
