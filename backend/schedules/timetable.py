"""When a schedule is due, as it is asked for, checked, kept and shown."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSimError

from backend.errors import Invalid
from backend.fleet.wakes import check_timezone
from backend.schedules.times import DAYS, When, check_cron, in_words, instant

# What a zone that is gone, or a cron that another version wrote, may raise.
BAD_TIMES = (CronSimError, KeyError, ValueError, OSError, OverflowError)
PREVIEW_MAX = 50
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)

Values = dict[str, Any]


class Once:
    """Due once."""

    def __init__(self, at: int) -> None:
        self._at = at

    def after(self, at: int) -> Iterator[int]:
        """The one due time, where it is later than `at`."""
        if self._at > at:
            yield self._at


def timetable(row: Values, site_zone: str) -> When | Once:
    """The due times of a schedule's columns. Raises one of BAD_TIMES."""
    if row["at"] is not None:
        return Once(row["at"])
    return When(row["cron"], ZoneInfo(row["timezone"] or site_zone), json.loads(row["window"]))


def checked(values: Values, site_zone: str, now: int) -> Values:
    """The columns of what is asked for: `cron` or `at`, `timezone`, `window`. Raises Invalid,
    also where it is never due.
    """
    check_timezone(values.get("timezone") or site_zone)
    zone = ZoneInfo(values.get("timezone") or site_zone)
    out = {"cron": "", "at": None, "timezone": values.get("timezone") or "", "window": "{}"}
    if bool(values.get("cron")) == (values.get("at") is not None):
        reason = "must say when: either `cron`, for again and again, or `at`, for once"
        raise Invalid("bad_parameter", "cron", reason)
    if values.get("cron"):
        check_cron(values["cron"])
        out |= {"cron": values["cron"], "window": json.dumps(_window(values.get("window") or {}))}
    else:
        out["at"] = _at(values["at"], zone)
    if next(timetable(out, site_zone).after(now), None) is None:
        field = "window" if values.get("cron") else "at"
        raise Invalid("never_due", field, "must leave a due time that is still to come")
    return out


def preview(row: Values, site_zone: str, now: int, count: int) -> Values:
    """{"zone", "words", "times": the next ones, each {"at" (ms), "local": with its offset}}."""
    zone = ZoneInfo(row["timezone"] or site_zone)
    times = timetable(row, site_zone).after(now)
    found = [at for _, at in zip(range(count), times, strict=False)]
    shown = [{"at": at, "local": local_text(at, zone)} for at in found]
    words = in_words(row["cron"]) if row["cron"] else "Once"
    return {"zone": zone.key, "words": words, "times": shown}


def local_text(at: int, zone: ZoneInfo) -> str:
    """2027-03-28T03:00:00+02:00"""
    return datetime.fromtimestamp(at // 1000, zone).isoformat()


def _at(text: Any, zone: ZoneInfo) -> int:
    """An instant (ms), of a time with an offset, or of a local one."""
    try:
        if type(text) is int:  # as it was kept
            return text
        at = datetime.fromisoformat(text)
        if not _FIRST <= at.date() <= _LAST:
            raise ValueError
    except ValueError:
        reason = "must be a time such as 2027-05-01T08:00 (local) or 2027-05-01T06:00:00Z"
        raise Invalid("bad_parameter", "at", reason) from None
    return instant(at, zone) if at.tzinfo is None else int(at.astimezone(UTC).timestamp()) * 1000


def _window(window: Values) -> Values:
    """The same window, without what says nothing. Raises Invalid."""
    out = {name: value for name, value in window.items() if value}
    for name, value in out.items():
        if name not in _CHECKS or not _CHECKS[name](value):
            hint = _HINTS.get(name, "use " + ", ".join(_HINTS))
            raise Invalid("bad_parameter", "window", f"has a wrong {name[:32]!r}: {hint}")
    if "last_date" in out and out.get("first_date", "") > out["last_date"]:
        raise Invalid("bad_parameter", "window", "must not end before it begins")
    return out


def _is_day(text: Any) -> bool:
    try:
        day = date.fromisoformat(text) if type(text) is str and len(text) == 10 else None
    except ValueError:
        return False
    return day is not None and _FIRST <= day <= _LAST


def _is_time(text: Any) -> bool:
    parts = text.split(":") if type(text) is str and text.isascii() and len(text) == 5 else []
    good = len(parts) == 2 and all(len(part) == 2 and part.isdigit() for part in parts)
    return good and int(parts[0]) < 24 and int(parts[1]) < 60


def _are_days(days: Any) -> bool:
    return type(days) is list and all(day in DAYS for day in days)


_CHECKS = {
    "days": _are_days,
    "from": _is_time,
    "until": _is_time,
    "first_date": _is_day,
    "last_date": _is_day,
}
_HINTS = {
    "days": "use a list of " + ", ".join(DAYS),
    "from": "use a time such as 08:00",
    "until": "use a time such as 18:00",
    "first_date": "use a day such as 2027-05-01",
    "last_date": "use a day such as 2027-09-30",
}
