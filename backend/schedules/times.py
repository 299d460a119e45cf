"""Due times: a cron expression in a time zone, within a window.

Rules of this file, where clocks are changed, as cron has them:
- a fixed time of day (neither the minute nor the hour begins with *) that does not exist on a day
  is due at the end of the gap, once, however many fall into it; one that exists twice is due at
  the first of the two;
- what goes by the minute or the hour (* or */n) goes on evenly: what falls into a gap is not due,
  and in an hour that exists twice it is due in both;
- two due times are never the same instant, and each is later than the one before.
Times are ms since 1970 (UTC), or local ones (datetimes that know no zone). cronsim reckons with
the latter only; zones are reckoned with here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from backend.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LAST = "2199-12-31"
_TRIES = 1_000  # due times in a row that the window may rule out
_ONE = timedelta(seconds=1)
_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_HINTS = (
    "use 0 to 59, such as 30, */10 or 0,30",
    "use 0 to 23, such as 8, */2 or 8-18",
    "use 1 to 31, such as 1, */2 or L for the last one, and a day that the month has",
    "use 1 to 12, such as 4-9, or JAN to DEC",
    "use 0 (Sunday) to 6, such as 1-5, or SUN to SAT",
)


@dataclass(frozen=True)
class When:
    """When something is due. `window`: {"days": some of DAYS, "from", "until": "HH:MM" (both
    included; over midnight where it ends before it begins), "first_date", "last_date":
    "YYYY-MM-DD"}, all of them optional, all of them local.
    """

    cron: str
    zone: ZoneInfo
    window: dict[str, Any]

    def after(self, at: int) -> Iterator[int]:
        """The due times later than `at`, one by one; endless, or until there are no more."""
        first = self.window.get("first_date")
        if first:
            begin = datetime.combine(date.fromisoformat(first), time())
            at = max(at, _instant(begin, self.zone) - 1000)
        ruled_out, times = 0, self._all(at)
        while ruled_out < _TRIES and (due := next(times, None)) is not None:
            local = local_of(due, self.zone)
            if local.date().isoformat() > self.window.get("last_date", _LAST):
                return
            if self._open(local):
                ruled_out = 0
                yield due
            else:
                ruled_out += 1
                times = self._all(max(due, _instant(self._opens(local), self.zone) - 1000))

    def next(self, at: int) -> int | None:
        """The first due time later than `at`, or None."""
        return next(self.after(at), None)

    def _open(self, local: datetime) -> bool:
        begin, end = self.window.get("from", "00:00"), self.window.get("until", "23:59")
        now, days = f"{local:%H:%M}", self.window.get("days") or DAYS
        inside = begin <= now <= end if begin <= end else now >= begin or now <= end
        return inside and DAYS[local.weekday()] in days

    def _opens(self, local: datetime) -> datetime:
        """When the window may be open again, at the earliest, after a time at which it is not."""
        begin = time.fromisoformat(self.window.get("from", "00:00"))
        today = DAYS[local.weekday()] in (self.window.get("days") or DAYS)
        if today and local.time() < begin:
            return datetime.combine(local.date(), begin)
        return datetime.combine(local.date() + timedelta(days=1), time())

    def _all(self, at: int) -> Iterator[int]:
        minute, hour = self.cron.split()[:2]
        even = minute.startswith("*") or hour.startswith("*")
        return _even(self.cron, self.zone, at) if even else _fixed(self.cron, self.zone, at)


def local_of(at: int, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show."""
    return datetime.fromtimestamp(at // 1000, zone).replace(tzinfo=None, fold=0)


def instant(local: datetime, zone: ZoneInfo) -> int:
    """When the clocks of a zone show this; by the first rule of this file where that is never,
    or twice.
    """
    shown = local
    while local_of(_instant(shown, zone), zone) != shown:  # in a gap
        shown = shown.replace(second=0) + timedelta(minutes=1)
    return _instant(shown, zone)


def _instant(local: datetime, zone: ZoneInfo) -> int:
    return int(local.replace(tzinfo=zone).timestamp()) * 1000


def _fixed(cron: str, zone: ZoneInfo, at: int) -> Iterator[int]:
    for local in CronSim(cron, local_of(at, zone)):
        due = instant(local, zone)
        if due > at:
            yield due
            at = due


def _even(cron: str, zone: ZoneInfo, at: int) -> Iterator[int]:
    """From one change of the clocks to the next, each with the offset that holds meanwhile."""
    offset, times = _offset(at, zone), CronSim(cron, local_of(at, zone))
    while (local := next(times, None)) is not None:
        due = int((local - offset).replace(tzinfo=UTC).timestamp()) * 1000
        if _offset(due, zone) == offset:
            yield due
            at = due
        else:
            at = _change(at, due, zone)
            offset, times = _offset(at, zone), CronSim(cron, local_of(at, zone) - _ONE)


def _offset(at: int, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(at // 1000, zone).utcoffset() or timedelta()


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """The first second with another offset than `before`, where `after` has another one."""
    offset, low, high = _offset(before, zone), before // 1000, after // 1000
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle * 1000, zone) == offset:
            low = middle
        else:
            high = middle
    return high * 1000


def check_cron(text: str) -> None:
    """Raises Invalid that says which field of a cron expression is wrong, and how."""
    if len(fields := text.split()) != 5:
        reason = "must have five fields: minute, hour, day, month, weekday, such as 0 8 * * *"
        raise Invalid("bad_cron", "cron", reason)
    try:
        next(CronSim(text, datetime(2028, 1, 1)))
    except CronSimError as why:
        name = str(why).removeprefix("Bad ")
        number = _FIELDS.index(name) if name in _FIELDS else 0
        reason = f"has a wrong {name}, {fields[number]!r}: {_HINTS[number]}"
        raise Invalid("bad_cron", "cron", reason) from None
    except StopIteration:
        reason = "is never due: there is no such day; use one like 0 8 * * *"
        raise Invalid("bad_cron", "cron", reason) from None


def in_words(cron: str) -> str:
    """A cron expression in English."""
    return CronSim(cron, datetime(2028, 1, 1)).explain()
