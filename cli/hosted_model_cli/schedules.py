"""When the schedules that a stack declares start and stop a model next."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from .aws import Cloud, Kind, ServiceError
from .lease_view import LeaseView
from .stacks import Stack

RESOURCE_TYPE = "AWS::Scheduler::Schedule"
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_AT = re.compile(r"at\((\S+)\)")
_YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?(?:/([1-9]\d*))?")
_LAST_YEAR = 2199
_WEEK_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
#: Fires of an expression that the year or a change to daylight saving time may skip, one after the other.
_TRIES = 5_000


@dataclass(frozen=True)
class Scheduled:
    """One schedule for a model: what it does, when it says so, and when that is next, where that is known.

    ``event`` is what it sends to ``function``, and says at which place the time is to stand.
    """

    goal: str
    expression: str
    zone: str
    next: datetime | None
    past: bool = False
    event: str = field(default="", repr=False)
    function: str = ""


def of_model(cloud: Cloud, stack: Stack, lease: LeaseView, now: datetime) -> list[Scheduled]:
    """Return the schedules of the owning stack that name the model's resource; raises ServiceError."""
    found = []
    for name in stack.ids(RESOURCE_TYPE):
        try:
            schedule = cloud.call(lease.stack_region, "scheduler", "GetSchedule", Name=name)
        except ServiceError as error:
            if error.kind is not Kind.ABSENT:
                raise
            # Not ours: those are in the default group. Or somebody has deleted it.
            continue
        goal = _goal(schedule, lease)
        if goal is None:
            continue
        expression, zone = schedule["ScheduleExpression"], schedule.get("ScheduleExpressionTimezone", "UTC")
        enabled = schedule.get("State", "ENABLED") == "ENABLED"
        when = next_fire(expression, zone, now) if enabled else None
        said = expression if enabled else f"{expression}, disabled"
        target, past = schedule["Target"], is_past(expression, zone, now)
        found.append(Scheduled(goal, said, zone, when, past, target["Input"], target["Arn"]))
    # Those whose time can't be worked out come last.
    return sorted(found, key=lambda one: (one.next is None, one.next or now, one.goal))


def _goal(schedule: dict[str, Any], lease: LeaseView) -> str | None:
    """What the schedule's input asks for this model; None where it is for something else."""
    try:
        said = json.loads(schedule["Target"].get("Input") or "{}")
    except ValueError:
        return None
    if not isinstance(said, dict) or "HostedModel" not in said:
        return None
    mine = (said.get("StackId"), said.get("LogicalResourceId")) == (lease.stack_id, lease.logical_id)
    return str(said["HostedModel"]).lower() if mine else None


def next_fire(expression: str, zone: str, now: datetime) -> datetime | None:
    """Return when an expression of EventBridge Scheduler fires next, in its zone; None if that can't be said.

    Follows "Schedule types in EventBridge Scheduler": six fields, the year last; ``?``; Sunday is 1. A time
    that a change to daylight saving time leaves out is skipped, one that comes twice counts once. A
    ``rate()`` counts from a beginning that nobody tells.
    """
    try:
        here = ZoneInfo(zone)
        if at := _AT.fullmatch(expression):
            when = datetime.fromisoformat(at[1]).replace(tzinfo=here)
            return when if when > now else None
        cron = _CRON.fullmatch(expression)
        return _next_of_cron(cron.groups(), here, now) if cron else None
    except (ValueError, KeyError, OSError, CronSimError):
        return None


def is_past(expression: str, zone: str, now: datetime) -> bool:
    """Say whether it is an ``at()`` whose time is over."""
    try:
        at = _AT.fullmatch(expression)
        return at is not None and datetime.fromisoformat(at[1]).replace(tzinfo=ZoneInfo(zone)) <= now
    except (ValueError, KeyError, OSError):
        return False


def _next_of_cron(fields: tuple[str | Any, ...], here: ZoneInfo, now: datetime) -> datetime | None:
    minute, hour, day, month, weekday, year = fields
    said = f"{minute} {hour} {_any(day)} {month} {_weekdays(_any(weekday))}"
    # Without a zone: cron's own way with daylight saving time is another one.
    times = CronSim(said, now.astimezone(here).replace(tzinfo=None, microsecond=0))
    for _, local in zip(range(_TRIES), times, strict=False):
        when = local.replace(tzinfo=here)
        if local.year > _LAST_YEAR:
            return None
        exists = when.astimezone(UTC).astimezone(here).replace(tzinfo=None) == local
        if exists and when > now and _in_years(local.year, year):
            return when
    return None


def _any(field: str) -> str:
    return "*" if field == "?" else field


def _weekdays(field: str) -> str:
    """AWS counts Sunday as 1, cron as 0, and says ``L`` for Saturday.

    The number behind ``#`` or ``/`` is no weekday.
    """
    for number, name in enumerate(_WEEK_DAYS, 1):
        field = field.upper().replace(name, str(number))
    field = str(len(_WEEK_DAYS)) if field == "L" else field
    return re.sub(r"(?<![#/\d])[1-7]", lambda match: str(int(match[0]) - 1), field)


def _in_years(year: int, field: str) -> bool:
    if field == "*":
        return True
    return any(year in _years(part) for part in field.split(","))


def _years(part: str) -> range:
    if not (found := _YEARS.fullmatch(part)):
        raise ValueError(part)
    first, last, step = found.groups()
    return range(int(first), int(last or (_LAST_YEAR if step else first)) + 1, int(step or 1))
