"""Which of two versions is the later one: numbers with dots, then what comes before a release."""

import re

_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,9})*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")

Key = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


def is_later(new: str, old: str) -> bool:
    """Whether `new` is later than `old`, or as late; False where nobody can say.

    0.10 is later than 0.9, and 1.0 than 1.0-rc2; what stands after a + does not count.
    """
    one, other = _key(new), _key(old)
    return one is not None and other is not None and one >= other


def _key(version: str) -> Key | None:
    found = _FORM.fullmatch(version)
    if not found:
        return None
    numbers = [int(number) for number in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    before = tuple(_part(part) for part in found[2].split(".")) if found[2] else ()
    return tuple(numbers), 0 if before else 1, before


def _part(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isdigit() and len(part) < 10 else (1, 0, part)
