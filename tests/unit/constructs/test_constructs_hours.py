"""Hosting hours: two schedules a window, made once the model is hosted, with a role of their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from aws_cdk import Duration, TimeZone
from aws_cdk.aws_scheduler import ScheduleExpression as At

from hosted_model import HostingHours, LookoutVisionModel, RekognitionCustomLabelsModel
from hosted_model_runtime.cloudformation.events import from_schedule, parse
from hosted_model_runtime.contract import Scheduled
from unit.constructs.conftest import VERSION_ARN, models, only, resources, text


def time(hour: int, zone: TimeZone | None = None, week_day: str = "MON-FRI") -> At:
    return At.cron(minute="0", hour=str(hour), week_day=week_day, time_zone=zone or TimeZone.EUROPE_BERLIN)


OFFICE = HostingHours(start=time(8), stop=time(18))
SATURDAY = HostingHours(start=time(9, week_day="SAT"), stop=time(12, week_day="SAT"))


def vision(scope, construct_id="Model", **more):
    return LookoutVisionModel(scope, construct_id, project_name="boards", model_version="3", **more)


def schedules(stack):
    return [one["Properties"] for one in resources(stack, "AWS::Scheduler::Schedule").values()]


def test_without_hours_there_is_no_schedule(stack):
    vision(stack)
    assert schedules(stack) == []
    assert "HostingHours" not in only(models(stack))["Properties"]


def test_a_window_is_two_schedules_in_their_time_zone(stack):
    vision(stack, hosting_hours=OFFICE)
    found = {one["ScheduleExpression"]: one for one in schedules(stack)}
    assert set(found) == {"cron(0 8 ? * MON-FRI *)", "cron(0 18 ? * MON-FRI *)"}
    for one in found.values():
        assert one["ScheduleExpressionTimezone"] == "Europe/Berlin"
        assert one["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert one["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600}
    assert only(models(stack))["Properties"]["HostingHours"] == "true"


def test_several_windows(stack):
    vision(stack, hosting_hours=[OFFICE, SATURDAY])
    assert len(schedules(stack)) == 4


def test_schedules_come_after_the_model_and_go_before_it(stack):
    vision(stack, hosting_hours=OFFICE)
    (model,) = models(stack)
    for one in resources(stack, "AWS::Scheduler::Schedule").values():
        assert one["DependsOn"] == [model]


@pytest.mark.parametrize("goal", Scheduled.GOALS)
def test_what_is_sent_is_what_the_function_reads(stack, goal):
    RekognitionCustomLabelsModel(
        stack,
        "Model",
        project_version_arn=VERSION_ARN,
        min_inference_units=2,
        max_inference_units=3,
        hosting_timeout=Duration.minutes(20),
        hosting_hours=OFFICE,
    )
    (logical_id,) = models(stack)
    sent = [json.loads(text(one["Target"]["Input"])) for one in schedules(stack)]
    event = next(one for one in sent if one["HostedModel"] == goal)
    assert event["ScheduledTime"] == "<aws.scheduler.scheduled-time>"
    deployed = {"StackId": VERSION_ARN.partition(":project/")[0].replace("rekognition", "cloudformation")}
    made = parse(from_schedule(event | deployed | {"ScheduledTime": "2026-03-04T08:00:00Z"}), now=0)
    assert (made.type, made.logical_id, made.service) == (goal, logical_id, "rekognition")
    assert made.model == {"ProjectVersionArn": VERSION_ARN}
    assert str(made.units) == "2-3"
    assert made.has_hours
    assert made.timeout == 3 * 1200


def test_one_role_for_all_that_may_do_nothing_but_invoke_the_function(stack):
    vision(stack, "One", hosting_hours=OFFICE)
    LookoutVisionModel(stack, "Two", project_name="boards", model_version="4", hosting_hours=OFFICE)
    roles = {
        name: one["Properties"]
        for name, one in resources(stack, "AWS::IAM::Role").items()
        if "scheduler.amazonaws.com" in json.dumps(one)
    }
    ((name, role),) = roles.items()
    (function,) = resources(stack, "AWS::Lambda::Function")
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": {"Fn::GetAtt": [function, "Arn"]}}
    ]
    trust = only({"": role})["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
    assert text(trust["aws:SourceArn"]).endswith(":schedule-group/default")
    assert trust["aws:SourceAccount"]
    assert {one["Target"]["RoleArn"]["Fn::GetAtt"][0] for one in schedules(stack)} == {name}


@pytest.mark.parametrize(
    ("hours", "named"),
    [
        ([], r"hosting_hours must have at least one window"),
        ([OFFICE, "8-18"], r"hosting_hours\[1\] must be a member of HostingHours, but it is '8-18'"),
        (
            HostingHours(start="8:00", stop=time(18)),
            r"hosting_hours\[0\].start must be an aws_scheduler.ScheduleExpression, but it is '8:00'",
        ),
        (
            HostingHours(start=time(8), stop=At.rate(Duration.hours(9))),
            r"hosting_hours\[0\].stop must be a time of day, cron or at, but it is rate\(9 hours\)",
        ),
        (
            HostingHours(start=time(8), stop=time(8)),
            r"hosting_hours\[0\].stop must be another time than hosting_hours\[0\].start",
        ),
        (
            [OFFICE, HostingHours(start=time(18), stop=time(20))],
            r"hosting_hours\[1\].start must be another time than hosting_hours\[0\].stop",
        ),
    ],
)
def test_bad_hours_name_the_construct_and_the_window(stack, hours, named):
    with pytest.raises(ValueError, match=f"^S/Model: {named}"):
        vision(stack, hosting_hours=hours)


def test_the_same_time_in_two_zones_is_two_times(stack):
    zones = HostingHours(start=time(8, TimeZone.ASIA_TOKYO), stop=time(8, TimeZone.EUROPE_BERLIN))
    vision(stack, hosting_hours=zones)
    assert len(schedules(stack)) == 2


def test_once(stack):
    fair = HostingHours(
        start=At.at(datetime(2027, 3, 1, 8, tzinfo=UTC)), stop=At.at(datetime(2027, 3, 5, 18, tzinfo=UTC))
    )
    vision(stack, hosting_hours=fair)
    assert {one["ScheduleExpression"] for one in schedules(stack)} == {
        "at(2027-03-01T08:00:00)",
        "at(2027-03-05T18:00:00)",
    }
