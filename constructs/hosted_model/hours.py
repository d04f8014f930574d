"""Hosting hours: EventBridge Scheduler starts and stops a model between deploys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, CfnResource, Stack
from constructs import Construct

from hosted_model_runtime.contract import Scheduled

from . import cron, hour_checks
from .checks import Checks, is_token

if TYPE_CHECKING:
    # Loaded where it is used: most apps have no hours, and synth should not wait for it.
    from aws_cdk import aws_scheduler as scheduler

#: Silence it with ``Annotations.of(model).acknowledge_warning(HOURS)``.
HOURS = "cdk-hosted-model:hosting-hours"
_GUIDE = '"Schedule types in EventBridge Scheduler", Amazon EventBridge Scheduler User Guide'
#: Seconds for which EventBridge Scheduler tries to deliver what the function could not take.
_DELIVERED_WITHIN = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class HostingHours:
    """One window of time in which a model is hosted; outside it the model sleeps, and is not billed.

    Follows "Schedule types in EventBridge Scheduler", Amazon EventBridge Scheduler User Guide: a schedule has
    a time zone, UTC unless it says otherwise, and follows its daylight saving time. It is on time within a
    minute.

    Parameters
    ----------
    start, stop
        When the model is started and stopped: ``aws_scheduler.ScheduleExpression.cron(…)``, or ``.at(…)`` for
        once. A model with several windows starts and stops at each of their times.
    """

    start: scheduler.ScheduleExpression
    stop: scheduler.ScheduleExpression


def windows(checks: Checks, hours: HostingHours | Sequence[HostingHours] | None) -> list[HostingHours]:
    """Return the windows, or say what is wrong with them."""
    if hours is None:
        return []
    if not isinstance(hours, HostingHours | Sequence) or isinstance(hours, str):
        checks.fail(f"hosting_hours must be HostingHours, or a list of them, but it is {hours!r}")
    found = [hours] if isinstance(hours, HostingHours) else list(hours)
    if not found:
        checks.fail("hosting_hours must have at least one window, but it is empty; leave it out for always")
    times: dict[tuple[str, str | None], str] = {}
    for number, window in enumerate(found):
        checks.one_of(f"hosting_hours[{number}]", window, HostingHours)
        for name in ("start", "stop"):
            _check(checks, f"hosting_hours[{number}].{name}", getattr(window, name), times)
        wrong = hour_checks.wrong(_read(window.start), _read(window.stop))
        if wrong:
            checks.fail(f"hosting_hours[{number}]: {wrong}")
    return found


def warn(construct: Construct, found: Sequence[HostingHours]) -> None:
    """Say at synth what is odd about windows, each with its next start and stop."""
    read = [(_read(window.start), _read(window.stop)) for window in found]
    for said in hour_checks.odd(read):
        Annotations.of(construct).add_warning_v2(HOURS, said)


def _check(checks: Checks, name: str, schedule: object, times: dict[tuple[str, str | None], str]) -> None:
    from aws_cdk import aws_scheduler as scheduler

    if not isinstance(schedule, scheduler.ScheduleExpression):
        checks.fail(f"{name} must be an aws_scheduler.ScheduleExpression, but it is {schedule!r}")
    text = schedule.expression_string
    if text.startswith("rate("):
        checks.fail(f"{name} must be a time of day, cron or at, but it is {text}")
    zone = schedule.time_zone.timezone_name if schedule.time_zone else None
    if (text, zone) in times:
        checks.fail(f"{name} must be another time than {times[text, zone]}, but both are {text}")
    times[text, zone] = name
    if zone is not None and not is_token(zone) and not cron.zone_is_known(zone):
        checks.fail(f"{name} must be in a time zone of the IANA database, but it is in {zone!r}")
    try:
        _read(schedule)
    except cron.WrongExpressionError as error:
        checks.fail(f"{name} {error}, in {text} ({_GUIDE})")


def _read(schedule: scheduler.ScheduleExpression) -> cron.Schedule | None:
    """Return the schedule, or None where it is known at deploy only."""
    zone = schedule.time_zone.timezone_name if schedule.time_zone else "UTC"
    if is_token(schedule.expression_string) or is_token(zone):
        return None
    return cron.read(schedule.expression_string, zone)


def schedule(
    scope: Construct,
    found: Sequence[HostingHours],
    resource: CfnResource,
    function_arn: str,
    role_arn: str,
    dead_letter_arn: str | None,
    properties: Mapping[str, Any],
) -> None:
    """Make two schedules for each window.

    They are made once the model is hosted and end before it is stopped for good. What they carry names the
    model; its units are those that the last deploy wrote into the model's lease.
    """
    from aws_cdk import aws_scheduler as scheduler

    stack = Stack.of(scope)
    for number, window in enumerate(found, 1):
        for goal, expression in ((Scheduled.START, window.start), (Scheduled.STOP, window.stop)):
            event = {
                Scheduled.GOAL: goal,
                Scheduled.TIME: Scheduled.TIME_ATTRIBUTE,
                "StackId": stack.stack_id,
                "LogicalResourceId": resource.logical_id,
                "ResourceProperties": dict(properties),
            }
            made = scheduler.CfnSchedule(
                scope,
                f"{goal}{number if number > 1 else ''}",
                description=f"{goal}s a hosted model at its hours",
                schedule_expression=expression.expression_string,
                schedule_expression_timezone=(
                    expression.time_zone.timezone_name if expression.time_zone else None
                ),
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=function_arn,
                    role_arn=role_arn,
                    input=stack.to_json_string(event),
                    dead_letter_config=(
                        scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letter_arn)
                        if dead_letter_arn
                        else None
                    ),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=_DELIVERED_WITHIN
                    ),
                ),
            )
            made.node.add_dependency(resource)
