"""When an expression of EventBridge Scheduler fires: read strictly, and reckoned in its time zone.

Follows "Schedule types in EventBridge Scheduler", Amazon EventBridge Scheduler User Guide. Standard library
only, because it runs at synth.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\((.*)\)")
_FIELDS = 6
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
#: Scheduler counts Sunday as 1.
_WEEK_DAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)
}
_SATURDAY = 7
#: A time that is further away than this many days is not looked for.
_HORIZON_DAYS = 5 * 366


class WrongExpressionError(ValueError):
    """The expression breaks a rule; the text names field, rule and value."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """An expression that has been read.

    Attributes
    ----------
    text, zone
        As the schedule has them.
    once
        The local time of an ``at()``; None for a ``cron()``.
    """

    text: str
    zone: str
    once: datetime | None
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    fires_on: Callable[[date], bool] = lambda day: False

    def after(self, now: datetime) -> Iterator[datetime]:
        """Yield the times after ``now``, in the schedule's zone, for some years.

        A local time that a change to daylight saving time leaves out is skipped, one that comes twice counts
        once.
        """
        here = ZoneInfo(self.zone)
        for local in self._local(now.astimezone(here).date()):
            when = local.replace(tzinfo=here)
            if when.astimezone(UTC).astimezone(here).replace(tzinfo=None) == local and when > now:
                yield when

    def _local(self, first: date) -> Iterator[datetime]:
        if self.once is not None:
            yield self.once
            return
        for number in range(_HORIZON_DAYS):
            day = first + timedelta(days=number)
            if self.fires_on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        yield datetime(day.year, day.month, day.day, hour, minute)


def zone_is_known(zone: str) -> bool:
    """Say whether there is a time zone of this name; where this machine has no list of them, any may be."""
    known = available_timezones()
    return zone in known or not known


def can_reckon(zone: str) -> bool:
    """Say whether this machine knows what the time is there."""
    return zone in available_timezones()


def read(text: str, zone: str) -> Schedule:
    """Return the schedule that an expression is.

    Raises
    ------
    WrongExpressionError
        When it is no ``at()`` or ``cron()``, or breaks a rule of these.
    """
    if at := _AT.fullmatch(text):
        try:
            return Schedule(text, zone, datetime.fromisoformat(at[1]))
        except ValueError as error:
            raise WrongExpressionError(f"is no time: {error}") from None
    cron = _CRON.fullmatch(text)
    if cron is None:
        raise WrongExpressionError("must be at(yyyy-mm-ddThh:mm:ss) or cron(…)")
    fields = cron[1].split()
    if len(fields) != _FIELDS:
        raise WrongExpressionError(
            f"must have six fields, minutes hours day-of-month month day-of-week year, but has {len(fields)}"
        )
    minute, hour, day, month, week_day, year = fields
    if (day == "?") == (week_day == "?"):
        raise WrongExpressionError("must have ? for either day-of-month or day-of-week, and not for both")
    months, years = _numbers("month", month, 1, 12, _MONTHS), _numbers("year", year, 1970, 2199)
    on_day = _days(day) if week_day == "?" else _week_days(week_day)
    in_months, in_years = set(months), set(years)
    return Schedule(
        text,
        zone,
        None,
        _numbers("minutes", minute, 0, 59),
        _numbers("hours", hour, 0, 23),
        lambda when: when.year in in_years and when.month in in_months and on_day(when),
    )


def _numbers(
    name: str, field: str, lowest: int, highest: int, names: dict[str, int] | None = None
) -> tuple[int, ...]:
    found: set[int] = set()
    for item in field.split(","):
        whole, slash, step = item.partition("/")
        first, dash, last = whole.partition("-")
        if whole == "*":
            begin, end = lowest, highest
        else:
            begin = _number(name, first, lowest, highest, names, field)
            end = _number(name, last, lowest, highest, names, field) if dash else begin
            if slash and not dash:
                end = highest
        if slash and not (step.isdecimal() and int(step) > 0):
            raise WrongExpressionError(f"{name} has a step that is no whole number of at least 1: {field!r}")
        if begin > end:
            raise WrongExpressionError(f"{name} must not run backwards, but it is {field!r}")
        found.update(range(begin, end + 1, int(step) if slash else 1))
    return tuple(sorted(found))


def _number(name: str, text: str, lowest: int, highest: int, names: dict[str, int] | None, field: str) -> int:
    number = (names or {}).get(text.upper(), int(text) if re.fullmatch(r"\d{1,4}", text) else -1)
    if not lowest <= number <= highest:
        also = f" or {'-'.join((*(names or {}),)[:: len(names or {}) - 1])}" if names else ""
        raise WrongExpressionError(f"{name} must be from {lowest} to {highest}{also}, but it is {field!r}")
    return number


def _days(field: str) -> Callable[[date], bool]:
    """Read day-of-month: also ``L``, the last, and ``15W``, the weekday nearest to the 15th."""
    if field == "L":
        return lambda when: when.day == calendar.monthrange(when.year, when.month)[1]
    if nearest := re.fullmatch(r"(\d{1,2})W", field):
        wanted = _number("day-of-month", nearest[1], 1, 31, None, field)
        return lambda when: when.day == _nearest_weekday(when, wanted)
    days = set(_numbers("day-of-month", field, 1, 31))
    return lambda when: when.day in days


def _nearest_weekday(when: date, wanted: int) -> int:
    last = calendar.monthrange(when.year, when.month)[1]
    if wanted > last:
        return 0
    week_day = date(when.year, when.month, wanted).weekday()
    if week_day == calendar.SATURDAY:
        return wanted - 1 if wanted > 1 else wanted + 2
    if week_day == calendar.SUNDAY:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _week_days(field: str) -> Callable[[date], bool]:
    """Read day-of-week: also ``L``, Saturday, ``6L``, the last Friday, and ``3#2``, the second Tuesday."""
    name = "day-of-week"
    if field == "L":
        return lambda when: _week_day(when) == _SATURDAY
    if last := re.fullmatch(r"(\w+)L", field):
        wanted = _number(name, last[1], 1, 7, _WEEK_DAYS, field)
        return lambda when: _week_day(when) == wanted and (when + timedelta(days=7)).month != when.month
    if nth := re.fullmatch(r"(\w+)#(\d)", field):
        wanted, number = _number(name, nth[1], 1, 7, _WEEK_DAYS, field), int(nth[2])
        if not 1 <= number <= 5:
            raise WrongExpressionError(f"{name} must have 1 to 5 behind #, but it is {field!r}")
        return lambda when: _week_day(when) == wanted and (when.day - 1) // 7 + 1 == number
    days = set(_numbers(name, field, 1, 7, _WEEK_DAYS))
    return lambda when: _week_day(when) in days


def _week_day(when: date) -> int:
    return when.isoweekday() % 7 + 1


def first(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the next time, if there is one in the coming years."""
    return next(schedule.after(now), None)


def some(schedule: Schedule, now: datetime, until: datetime, most: int) -> list[datetime]:
    """Return the times up to ``until``, at most so many."""
    found = []
    for when in islice(schedule.after(now), most):
        if when > until:
            break
        found.append(when)
    return found
