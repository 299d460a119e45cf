"""Checks for one value each: call a check with a value, get None or the reason why not.

JSON parsers differ in what they let pass (MicroPython's takes `{"a":1,}` and `01`), so types and
ranges are looked at here, after parsing, on both sides alike. The attributes of a check (`low`,
`high`, `unit`, `choices`) are what forms and API descriptions are made from.
"""

from .limits import MAP_ITEMS, SAFE_INTEGER, TEXT_LENGTH
from .topics import is_id

_FLOAT_MAX = 1e38  # an ESP32 has 32-bit floats


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


class Text:
    """A str of at most `limit` characters."""

    def __init__(self, limit=TEXT_LENGTH):
        self.limit = limit

    def __call__(self, value):
        if type(value) is not str:
            return "must be text"
        if len(value) > self.limit:
            return "must be at most {} characters".format(self.limit)
        return None if _encodable(value) else "holds characters UTF-8 can't carry"


class Number:
    """A number from `low` to `high`; a whole one unless `fraction`. `unit` is for people."""

    def __init__(self, low, high, unit="", fraction=False):
        self.low, self.high, self.unit, self.fraction = low, high, unit, fraction

    def __call__(self, value):
        kind = type(value)
        if kind is not int and not (self.fraction and kind is float):
            return "must be a number" if self.fraction else "must be a whole number"
        if self.low <= value <= self.high:
            return None
        return "must be from {} to {}".format(self.low, self.high)


class OneOf:
    """One of a few texts."""

    def __init__(self, *choices):
        self.choices = choices

    def __call__(self, value):
        if type(value) is str and value in self.choices:
            return None
        return "must be one of " + ", ".join(self.choices)


class Mapping:
    """An object of at most `items` members whose names and values pass their checks."""

    def __init__(self, check_name, check_value, items=MAP_ITEMS):
        self.check_name, self.check_value, self.items = check_name, check_value, items

    def __call__(self, value):
        if type(value) is not dict:
            return "must be an object"
        if len(value) > self.items:
            return "must have at most {} members".format(self.items)
        for name in value:
            if self.check_name(name):
                return "has a member whose name " + self.check_name(name)
            if self.check_value(value[name]):
                return "has a member {} that {}".format(name, self.check_value(value[name]))
        return None


def identifier(value):
    """1 to 64 of A-Z a-z 0-9 _ -"""
    return None if is_id(value) else "must be 1 to 64 of A-Z a-z 0-9 _ -"


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
        return _text(value)
    if kind is bool or kind is int and -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return None
    if kind is float and -_FLOAT_MAX <= value <= _FLOAT_MAX:
        return None
    return "must be text, a number, true or false"


_text = Text()
scalars = Mapping(identifier, scalar)
