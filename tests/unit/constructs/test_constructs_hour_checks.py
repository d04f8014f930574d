"""Hosting hours are checked at synth: what cannot be is refused, what may not be meant is warned of."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from aws_cdk import TimeZone
from aws_cdk.aws_scheduler import ScheduleExpression as At

from hosted_model import HOURS, HostingHours, RekognitionCustomLabelsModel, cron, hour_checks
from unit.constructs.conftest import VERSION_ARN, messages

#: A Wednesday.
NOW = datetime(2026, 11, 25, 19, 0, tzinfo=UTC)
BERLIN = TimeZone.EUROPE_BERLIN


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hour_checks, "now", lambda: NOW)


def said(text: str, zone: TimeZone | None = BERLIN) -> At:
    return At.expression(text, zone)


def declare(stack, *hours):
    return RekognitionCustomLabelsModel(
        stack, "Model", project_version_arn=VERSION_ARN, hosting_hours=list(hours)
    )


STOP = "cron(0 18 ? * MON-FRI *)"


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("cron(0 25 ? * MON-FRI *)", "start hours must be from 0 to 23, but it is '25', in cron(0 25 ?"),
        ("cron(60 8 ? * * *)", "minutes must be from 0 to 59, but it is '60'"),
        ("hello", "must be at(yyyy-mm-ddThh:mm:ss) or cron(…), in hello"),
        ("cron(0 8 * * *)", "must have six fields, minutes hours day-of-month month day-of-week year"),
        ("cron(0 8 * * * *)", "must have ? for either day-of-month or day-of-week, and not for both"),
        ("cron(0 8 ? * ? *)", "must have ? for either day-of-month or day-of-week"),
        ("cron(0 8 ? 13 MON *)", "month must be from 1 to 12 or JAN-DEC, but it is '13'"),
        ("cron(0 8 ? * MOO *)", "day-of-week must be from 1 to 7 or SUN-SAT, but it is 'MOO'"),
        ("cron(0 8 ? * 0 *)", "day-of-week must be from 1 to 7"),
        ("cron(0 8 32 * ? *)", "day-of-month must be from 1 to 31"),
        ("cron(0 8 ? * FRI-MON *)", "day-of-week must not run backwards"),
        ("cron(0/0 8 ? * MON *)", "minutes has a step that is no whole number of at least 1: '0/0'"),
        ("cron(0 8 ? * MON#6 *)", "must have 1 to 5 behind #"),
        ("cron(0 8 ? * MON 1969)", "year must be from 1970 to 2199"),
        ("cron(0 -1 ? * MON *)", "hours must be from 0 to 23"),
        ("at(2026-13-01T08:00:00)", "is no time: month must be in 1..12"),
        ("at(2026-12-01 08:00)", "must be at(yyyy-mm-ddThh:mm:ss) or cron(…)"),
    ],
)
def test_an_expression_that_is_none(stack, start, rule):
    with pytest.raises(ValueError, match=r"^S/Model: hosting_hours\[0\]\.start ") as raised:
        declare(stack, HostingHours(start=said(start), stop=said(STOP)))
    assert rule in str(raised.value)
    assert start in str(raised.value)


def test_a_time_zone_that_there_is_not(stack):
    with pytest.raises(
        ValueError, match=r"^S/Model: hosting_hours\[0\]\.stop must be in a time zone"
    ) as raised:
        declare(
            stack, HostingHours(start=said("cron(0 8 ? * * *)"), stop=said(STOP, TimeZone.of("Mars/Base")))
        )
    assert "'Mars/Base'" in str(raised.value)


@pytest.mark.parametrize(
    ("start", "stop"),
    [("cron(0 8 ? * MON-FRI *)", "cron(00 08 ? * 2-6 *)"), ("cron(0 8 ? * * *)", "cron(0 8 * * ? *)")],
)
def test_a_start_that_is_the_stop_in_other_words(stack, start, stop):
    with pytest.raises(ValueError, match=r"^S/Model: hosting_hours\[0\]: start must be another") as raised:
        declare(stack, HostingHours(start=said(start), stop=said(stop)))
    assert "next start 2026-11-26 08:00 Europe/Berlin, next stop 2026-11-26 08:00" in str(raised.value)


def test_a_time_that_never_comes(stack):
    with pytest.raises(ValueError, match=r"start must have a time in the coming five years"):
        declare(stack, HostingHours(start=said("cron(0 8 31 2 ? *)"), stop=said(STOP)))
    with pytest.raises(ValueError, match=r"stop must have a time in the coming five years"):
        declare(stack, HostingHours(start=said(STOP), stop=said("cron(0 8 1 1 ? 2020)")))


NEXT = "next start 2026-11-26 08:00 Europe/Berlin, next stop 2026-11-26 18:00 Europe/Berlin"
OFFICE = HostingHours(start=said("cron(0 8 ? * MON-FRI *)"), stop=said(STOP))


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (
            [HostingHours(start=said("cron(0 8 ? * * *)"), stop=said(STOP, TimeZone.ASIA_TOKYO))],
            "starts in Europe/Berlin and stops in Asia/Tokyo: name one time zone for both unless",
        ),
        (
            [HostingHours(start=said("at(2026-11-20T08:00:00)"), stop=said("at(2026-11-27T18:00:00)"))],
            "its start, at(2026-11-20T08:00:00) in Europe/Berlin, is past; next start never, next stop "
            "2026-11-27 18:00 Europe/Berlin",
        ),
        (
            [HostingHours(start=said("at(2026-12-02T08:00:00)"), stop=said("at(2026-12-01T08:00:00)"))],
            "hosting_hours[0] stops before it starts: next start 2026-12-02 08:00",
        ),
        (
            [OFFICE, HostingHours(start=said("cron(0 12 ? * WED *)"), stop=said("cron(0 20 ? * WED *)"))],
            "hosting_hours[0] and hosting_hours[1] overlap, at 2026-12-02 11:00 UTC: the first stop of the "
            f"two ends both. hosting_hours[0]: {NEXT}; hosting_hours[1]: next start 2026-12-02 12:00",
        ),
        (
            # Of one second the stop wins.
            [OFFICE, HostingHours(start=said("cron(00 18 ? * FRI *)"), stop=said("cron(0 20 ? * FRI *)"))],
            "hosting_hours[0] and hosting_hours[1] overlap, at 2026-11-27 17:00 UTC",
        ),
        (
            [HostingHours(start=said("cron(56 17 ? * * *)"), stop=said(STOP))],
            "hosting_hours[0] starts at 2026-11-26 16:56 UTC, and it stops 4 min later: leave at least 5 min",
        ),
        (
            [OFFICE, HostingHours(start=said("cron(1 18 ? * FRI *)"), stop=said("cron(0 20 ? * FRI *)"))],
            "hosting_hours[0] stops at 2026-11-27 17:00 UTC, and hosting_hours[1] starts 1 min later",
        ),
        (
            [HostingHours(start=At.cron(hour="8", week_day="MON-FRI", time_zone=BERLIN), stop=said(STOP))],
            "its start, cron(* 8 ? * MON-FRI *), comes in every minute of its hours, and so undoes what is",
        ),
    ],
)
def test_what_may_not_be_meant(stack, hours, words):
    declare(stack, *hours)
    (found,) = messages(stack)
    assert words in found
    assert f"[ack: {HOURS}]" in found


@pytest.mark.parametrize(
    "hours",
    [
        [OFFICE],
        [OFFICE, HostingHours(start=said("cron(0 9 ? * SAT *)"), stop=said("cron(0 12 ? * SAT *)"))],
        [HostingHours(start=said("cron(0 22 ? * * *)"), stop=said("cron(0 6 ? * * *)"))],
        [HostingHours(start=said("cron(55 17 ? * * *)"), stop=said(STOP))],
        [HostingHours(start=said("at(2026-12-01T08:00:00)"), stop=said("at(2026-12-05T08:00:00)"))],
        [HostingHours(start=said("cron(0 8 ? * * *)", None), stop=said("cron(0 9 ? * * *)", None))],
    ],
)
def test_nothing_is_odd(stack, hours):
    declare(stack, *hours)
    assert messages(stack) == []


@pytest.mark.parametrize(
    ("text", "zone", "times"),
    [
        ("cron(0 8 ? * MON-FRI *)", "UTC", ["2026-11-26T08:00", "2026-11-27T08:00", "2026-11-30T08:00"]),
        ("cron(0/30 23 25 * ? *)", "UTC", ["2026-11-25T23:00", "2026-11-25T23:30", "2026-12-25T23:00"]),
        ("cron(0 8 L * ? *)", "UTC", ["2026-11-30T08:00", "2026-12-31T08:00", "2027-01-31T08:00"]),
        ("cron(0 8 ? * 6L *)", "UTC", ["2026-11-27T08:00", "2026-12-25T08:00", "2027-01-29T08:00"]),
        ("cron(0 8 ? * L *)", "UTC", ["2026-11-28T08:00", "2026-12-05T08:00"]),
        ("cron(0 8 ? * TUE#1 *)", "UTC", ["2026-12-01T08:00", "2027-01-05T08:00"]),
        ("cron(0 8 29W * ? *)", "UTC", ["2026-11-30T08:00", "2026-12-29T08:00"]),
        ("cron(0 8 1W * ? 2027)", "UTC", ["2027-01-01T08:00", "2027-02-01T08:00"]),
        ("cron(0 8 ? JAN,MAR SUN 2027-2028)", "UTC", ["2027-01-03T08:00", "2027-01-10T08:00"]),
        # The hour that a change to daylight saving time leaves out.
        ("cron(30 2 28-29 3 ? 2027)", "Europe/Berlin", ["2027-03-29T02:30"]),
        ("at(2026-11-25T20:00:00)", "Europe/Berlin", []),
    ],
)
def test_when_an_expression_fires(text, zone, times):
    found = islice(cron.read(text, zone).after(NOW), max(1, len(times)))
    assert [when.replace(tzinfo=None).isoformat(timespec="minutes") for when in found] == times


def test_a_machine_without_time_zones_lets_any_pass(stack, monkeypatch):
    monkeypatch.setattr(cron, "available_timezones", set)
    declare(stack, HostingHours(start=said("cron(0 8 ? * * *)", TimeZone.of("Mars/Base")), stop=said(STOP)))
    assert messages(stack) == []
    assert ZoneInfo("UTC")
