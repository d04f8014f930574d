"""When a schedule is due, and what its function is sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hosted_model_local import schedules
from hosted_model_local.schedules import due, event


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "zone", "since", "now", "expected"),
    [
        ("cron(0 8 ? * MON-FRI *)", None, "2026-11-23T07:59:59", "2026-11-23T08:00:00", "2026-11-23T08:00"),
        ("cron(0 8 ? * MON-FRI *)", "UTC", "2026-11-23T08:00:00", "2026-11-23T08:00:01", None),
        ("cron(0 8 ? * MON-FRI *)", None, "2026-11-22T07:59:59", "2026-11-22T08:00:00", None),
        # Eight o'clock in Berlin is seven in winter, six in summer.
        (
            "cron(0 8 ? * MON-FRI *)",
            "Europe/Berlin",
            "2026-11-23T06:59:59",
            "2026-11-23T07:00:00",
            "2026-11-23T07:00",
        ),
        (
            "cron(0 8 ? * MON-FRI *)",
            "Europe/Berlin",
            "2026-07-01T05:59:59",
            "2026-07-01T06:00:00",
            "2026-07-01T06:00",
        ),
        ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin", "2026-07-01T06:59:59", "2026-07-01T07:00:00", None),
        (
            "at(2026-11-23T08:00:30)",
            None,
            "2026-11-23T08:00:29",
            "2026-11-23T08:00:31",
            "2026-11-23T08:00:30",
        ),
        ("at(2026-11-23T08:00:30)", None, "2026-11-23T08:00:30", "2026-11-23T08:00:31", None),
        (
            "at(2026-11-23T08:00:30)",
            "Asia/Tokyo",
            "2026-11-22T23:00:29",
            "2026-11-22T23:00:30",
            "2026-11-22T23:00:30",
        ),
        ("cron(no)", None, "2026-11-23T08:00:00", "2026-11-24T08:00:00", None),
    ],
)
def test_due(expression: str, zone: str | None, since: str, now: str, expected: str | None) -> None:
    assert due(expression, zone, at(since), at(now)) == (at(expected) if expected else None)


def test_the_time_at_which_it_was_due_is_in_what_is_sent() -> None:
    target = {"Input": '{"HostedModel":"Stop","ScheduledTime":"<aws.scheduler.scheduled-time>"}'}
    sent = event(target, at("2026-11-23T08:00:00"))
    assert sent == {"HostedModel": "Stop", "ScheduledTime": "2026-11-23T08:00:00Z"}


@pytest.mark.parametrize(
    ("expression", "zone"),
    [("cron(0 8 ? * MON *)", "Mars/Base"), ("at(2026-11-23T25:00:00)", "UTC"), ("hello", None)],
)
def test_a_schedule_that_makes_no_sense_keeps_no_other_from_firing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, expression: str, zone: str | None
) -> None:
    from ministack.services import scheduler

    invoked: list[str] = []
    monkeypatch.setattr(schedules, "_seen", {})
    monkeypatch.setattr(schedules, "_warned", {})
    monkeypatch.setattr(
        schedules, "_invoke", lambda target, when, account, region: invoked.append(target["Arn"])
    )
    target = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}
    good = {"ScheduleExpression": "cron(* * * * ? *)", "State": "ENABLED", "Target": target}
    bad = {**good, "Name": "bad", "ScheduleExpression": expression, "ScheduleExpressionTimezone": zone}
    records = {("000000000000", "us-east-1", f"default/{name}"): record for name, record in
               (("bad", bad), ("good", good))}  # fmt: skip
    monkeypatch.setattr(scheduler._schedules, "_data", records)
    for now in ("2026-11-23T08:00:59", "2026-11-23T08:01:00", "2026-11-23T08:02:00"):
        monkeypatch.setattr(schedules.time, "time", lambda now=now: at(now))
        schedules.tick()
    assert invoked == [target["Arn"]] * 2
    said = [one.getMessage() for one in caplog.records if "bad" in one.getMessage()]
    assert len(said) == (0 if expression == "hello" else 1), "once, not at each tick"
