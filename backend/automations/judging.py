"""Where a rule stands, by what its sensor says. Pure: times are arguments, in ms.

Rules of this file:
- a value beyond the limit, for `for_s` from one reading to another without one that is not, has
  crossed it; time alone crosses nothing, for a silent sensor says nothing;
- what was crossed is clear once a value is back by the hysteresis;
- a break longer than the rule's `silent_s` begins that time anew.
"""

from backend.automations.models import (
    ABOVE,
    BEYOND,
    CLEAR,
    CROSSED,
    ON_CLEARED,
    ON_CROSSED,
    Automation,
)


def judge(rule: Automation, value: float, at: int, gap: int) -> str:
    """Move the rule by a reading of the time `at`, `gap` after the one before. Returns the trigger
    that follows from it, or "".
    """
    if rule.phase == CROSSED:
        return _move(rule, CLEAR, at, ON_CLEARED) if _is_back(rule, value) else ""
    if not _is_beyond(rule, value):
        return _move(rule, CLEAR, at, "") if rule.phase != CLEAR else ""
    if rule.phase != BEYOND or (rule.silent_s and gap > rule.silent_s * 1000):
        _move(rule, BEYOND, at, "")
    if at - rule.since >= rule.for_s * 1000:
        return _move(rule, CROSSED, at, ON_CROSSED)
    return ""


def told(rule: Automation, crossed: bool, at: int) -> str:
    """The same, where the board itself watches the limit and says how it is."""
    if crossed:
        return "" if rule.phase == CROSSED else _move(rule, CROSSED, at, ON_CROSSED)
    was = rule.phase
    if was != CLEAR:
        _move(rule, CLEAR, at, "")
    return ON_CLEARED if was == CROSSED else ""


def _move(rule: Automation, phase: str, at: int, trigger: str) -> str:
    rule.phase, rule.since = phase, at
    return trigger


def _is_beyond(rule: Automation, value: float) -> bool:
    return bool(value > rule.at if rule.comparison == ABOVE else value < rule.at)


def _is_back(rule: Automation, value: float) -> bool:
    if rule.comparison == ABOVE:
        return bool(value <= rule.at - rule.hysteresis)
    return bool(value >= rule.at + rule.hysteresis)
