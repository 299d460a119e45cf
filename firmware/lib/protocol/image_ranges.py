"""Which chunks of a picture are missing, as a command can carry it: "0-3,7,9-12"."""

from .errors import ProtocolError
from .limits import TEXT_LENGTH


def ranges(numbers, limit=TEXT_LENGTH):
    """Rising numbers as text; those that do not fit into `limit` characters are left out."""
    out, first, last = "", None, None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        longer = _added(out, first, last)
        if len(longer) > limit:
            return out
        out, first, last = longer, number, number
    longer = _added(out, first, last)
    return out if len(longer) > limit else longer


def parse_ranges(text, count):
    """[(first, last)], rising and below `count`. Raises ProtocolError (bad_parameter)."""
    out: list = []
    for part in text.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(_is_number(end) for end in ends):
            raise _wrong("must be ranges such as 0-3,7,9-12")
        first, last = int(ends[0]), int(ends[-1])
        if first > last or last >= count or out and first <= out[-1][1]:
            raise _wrong("must rise, and stay below {}".format(count))
        out.append((first, last))
    return out


def _added(out, first, last):
    if first is None:
        return out
    part = str(first) if first == last else "{}-{}".format(first, last)
    return out + "," + part if out else part


def _is_number(text):
    return 0 < len(text) <= 5 and not text.strip("0123456789")


def _wrong(why):
    return ProtocolError("bad_parameter", "parameters.missing", why)
