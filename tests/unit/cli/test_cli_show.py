"""`hosted-model show`: facts, lease, schedules, log."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hosted_model_cli import lease_view, schedules
from hosted_model_cli.lease_view import LeaseView
from hosted_model_cli.services import REGISTRY
from hosted_model_runtime.contract import Env, Rekognition, Tag
from hosted_model_runtime.decisions.marks import Mark, State, stamp
from unit.cli.conftest import LOGICAL_ID, Command, lease, schedule

FUNCTION = "Inspection-HostedModelProviderFunction"
GROUP = "/hosted/models"


def equipped(command: Command) -> None:
    """A stack with a function that logs, a function of somebody else, and schedules."""
    stack = command.stack()
    stack.resources |= {
        "Other": ("AWS::Lambda::Function", "other", "CREATE_COMPLETE"),
        "Function": ("AWS::Lambda::Function", FUNCTION, "CREATE_COMPLETE"),
        "Start": ("AWS::Scheduler::Schedule", "start", "CREATE_COMPLETE"),
        "Stop": ("AWS::Scheduler::Schedule", "stop", "CREATE_COMPLETE"),
        "Foreign": ("AWS::Scheduler::Schedule", "foreign", "CREATE_COMPLETE"),
    }
    command.aws.functions = {
        "other": {"FunctionName": "other"},
        FUNCTION: {
            "FunctionName": FUNCTION,
            "Environment": {"Variables": {Env.RULE_PREFIX: "HostedModel-"}},
            "LoggingConfig": {"LogGroup": GROUP},
        },
    }
    command.aws.schedules = {
        "start": schedule("Start", "cron(0 8 ? * MON-FRI *)"),
        "stop": schedule("Stop", "rate(3 hours)"),
        "foreign": schedule("Stop", "rate(1 hours)", LogicalResourceId="Another"),
    }
    now = int(datetime.now(UTC).timestamp() * 1000)
    command.aws.logs[GROUP] = [
        (now - 10 * 24 * 3_600_000, f"{LOGICAL_ID} of long ago"),
        (now - 3000, "Lookout for Vision model boards/1 is STARTING_HOSTING"),
        (now - 2000, "Lookout for Vision model boards/12x is HOSTED"),
        (now - 1500, json.dumps({"level": "WARNING", "message": "boards/1:\n  no capacity"})),
        (now - 1000, metric("1", 9)),
        (now - 500, metric("7", 8)),
    ]


def metric(version: str, seconds: int) -> str:
    """An entry in the embedded metric format."""
    said = {"Namespace": "HostedModel", "Metrics": [{"Name": "TimeToHosted", "Unit": "Seconds"}]}
    members = {"Service": "lookoutvision", "Project": "boards", "Version": version, "TimeToHosted": seconds}
    return json.dumps({"_aws": {"CloudWatchMetrics": [said]}, **members})


def test_all_that_is_known(command: Command) -> None:
    equipped(command)
    arn = command.model(tags=lease())
    result = command("show", arn)
    assert (result.exit_code, result.stderr) == (0, "")
    said = result.stdout
    assert "\x1b" not in said
    for expected in (
        "Model     Lookout for Vision model boards/1",
        f"ARN       {arn}",
        "Status    HOSTED, 1 unit",
        f"Owner     Inspection/{LOGICAL_ID} (declares it)",
        "request: Create, done, RequestId 5afab1c9-2848",
        f"  {Tag.LOGICAL_ID} = {LOGICAL_ID}",
        "  start next 20",
        "08:00 Europe/Berlin  cron(0 8 ? * MON-FRI *)",
        "  stop  in Europe/Berlin  rate(3 hours)",
        f"{LOGICAL_ID} of long ago",
        "boards/1 is STARTING_HOSTING",
        "WARNING boards/1: no capacity",
        "metric TimeToHosted 9 Seconds",
    ):
        assert expected in said, expected
    assert re.search(r": 2\.0\d hours, 8\.\d\d USD", said), "and what this test took"
    assert said.index("start next") < said.index("stop  in"), "the next one first"
    assert not any(word in said for word in ("rate(1 hours)", "boards/12x", "TimeToHosted 8"))


def test_a_model_of_nobody(command: Command) -> None:
    arn = command.model("labels/v1", service="rekognition")
    result = command("show", arn)
    assert result.exit_code == 0
    assert "Owner     nobody (no stack owns it)" in result.stdout
    told = "Metrics   none of its units, as it was trained before September 2022: an idle alarm is silent"
    assert (told in result.stdout) is not Rekognition.publishes_units(arn)
    assert "Lease: none" in result.stdout
    assert "Schedules" not in result.stdout


def test_a_model_that_publishes_no_units(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = command.model("labels/v1", service="rekognition")
    for publishes in (True, False):
        row = replace(REGISTRY["rekognition"], publishes_units=lambda arn, said=publishes: said)
        monkeypatch.setitem(REGISTRY, "rekognition", row)
        assert ("Metrics   none of its units" in command("show", arn).stdout) is not publishes


def test_a_model_of_a_stack_that_is_gone(command: Command) -> None:
    result = command("show", command.model(tags=lease()))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "(its stack is gone)" in result.stdout
    assert "Schedules: none" in result.stdout


@pytest.mark.parametrize(
    "denied",
    ["logs:FilterLogEvents", "scheduler:GetSchedule", "lambda:GetFunctionConfiguration",
     "cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
)  # fmt: skip
def test_what_may_not_be_asked_is_left_out(command: Command, denied: str) -> None:
    equipped(command)
    command.aws.denied.add(denied)
    result = command("show", command.model(tags=lease()))
    assert result.exit_code == 3
    assert "Status    HOSTED" in result.stdout


def test_a_function_that_never_ran(command: Command) -> None:
    equipped(command)
    command.aws.logs.clear()
    result = command("show", command.model(tags=lease()))
    assert result.exit_code == 0
    assert "Log: none" in result.stdout


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


@pytest.mark.parametrize(
    ("expression", "zone", "now", "expected"),
    [
        # 2026-11-23 is a Monday.
        ("cron(0 8 ? * MON-FRI *)", "UTC", "2026-11-23T08:00:00+00:00", "2026-11-24T08:00:00+00:00"),
        ("cron(0 8 ? * 2-6 *)", "UTC", "2026-11-20T09:00:00+00:00", "2026-11-23T08:00:00+00:00"),
        ("cron(0 8 ? * 1 *)", "UTC", "2026-11-23T09:00:00+00:00", "2026-11-29T08:00:00+00:00"),
        ("cron(0 8 ? * 2#1 *)", "UTC", "2026-11-23T09:00:00+00:00", "2026-12-07T08:00:00+00:00"),
        ("cron(0/15 8 ? * * *)", "UTC", "2026-11-23T08:16:00+00:00", "2026-11-23T08:30:00+00:00"),
        ("cron(0 8 L * ? *)", "UTC", "2026-11-23T09:00:00+00:00", "2026-11-30T08:00:00+00:00"),
        ("cron(0 8 1 1 ? 2030)", "UTC", "2026-11-23T09:00:00+00:00", "2030-01-01T08:00:00+00:00"),
        ("cron(0 8 ? * L *)", "UTC", "2026-11-23T09:00:00+00:00", "2026-11-28T08:00:00+00:00"),
        ("cron(0 8 ? * FRIL *)", "UTC", "2026-11-23T09:00:00+00:00", "2026-11-27T08:00:00+00:00"),
        ("cron(0 8 ? * mon,7 *)", "UTC", "2026-11-23T09:00:00+00:00", "2026-11-28T08:00:00+00:00"),
        ("cron(0 8 1 1 ? 2025/3)", "UTC", "2026-11-23T09:00:00+00:00", "2028-01-01T08:00:00+00:00"),
        ("cron(0 8 1 1 ? 2028-2029)", "UTC", "2026-11-23T09:00:00+00:00", "2028-01-01T08:00:00+00:00"),
        ("cron(0 8 * * ? *)", BERLIN, "2026-11-23T06:59:00+00:00", "2026-11-23T08:00:00+01:00"),
        ("cron(0 8 * * ? *)", BERLIN, "2026-07-01T05:59:00+00:00", "2026-07-01T08:00:00+02:00"),
        # In New York, 02:30 does not exist on 2026-03-08, and 01:30 comes twice on 2026-11-01.
        ("cron(30 2 * * ? *)", NEW_YORK, "2026-03-08T05:00:00+00:00", "2026-03-09T02:30:00-04:00"),
        ("cron(30 1 * * ? *)", NEW_YORK, "2026-11-01T04:00:00+00:00", "2026-11-01T01:30:00-04:00"),
        ("cron(30 1 * * ? *)", NEW_YORK, "2026-11-01T05:45:00+00:00", "2026-11-02T01:30:00-05:00"),
        ("at(2026-12-24T18:00:00)", BERLIN, "2026-11-23T09:00:00+00:00", "2026-12-24T18:00:00+01:00"),
        ("at(2026-01-01T18:00:00)", BERLIN, "2026-11-23T09:00:00+00:00", None),
        ("rate(5 minutes)", "UTC", "2026-11-23T09:00:00+00:00", None),
        ("cron(0 8 15W * ? *)", "UTC", "2026-11-23T09:00:00+00:00", None),
        ("cron(0 8 ? * MON 2020)", "UTC", "2026-11-23T09:00:00+00:00", None),
        ("cron(0 8 * * ? *)", "Mars/North", "2026-11-23T09:00:00+00:00", None),
        ("cron(0 8)", "UTC", "2026-11-23T09:00:00+00:00", None),
    ],
)
def test_the_next_time(expression: str, zone: str, now: str, expected: str | None) -> None:
    found = schedules.next_fire(expression, zone, at(now))
    # Where a time comes twice, Python compares times of two zones as unlike.
    assert (found and found.astimezone(UTC)) == (expected and at(expected).astimezone(UTC))


def test_a_disabled_schedule_has_no_next_time(command: Command) -> None:
    equipped(command)
    command.aws.schedules["start"]["State"] = "DISABLED"
    result = command("show", command.model(tags=lease()))
    assert "  start in Europe/Berlin  cron(0 8 ? * MON-FRI *), disabled" in result.stdout


def test_an_at_that_has_fired_is_past(command: Command) -> None:
    equipped(command)
    command.aws.schedules["stop"] = schedule("Stop", "at(2026-01-01T18:00:00)")
    result = command("show", command.model(tags=lease()))
    assert "  stop  past, in Europe/Berlin  at(2026-01-01T18:00:00)" in result.stdout


def scheduled(goal: str, state: State, *, under: str = "5afab1c9-2848") -> dict[str, str]:
    """The tags of a model of a request nine hours ago that a schedule started or stopped an hour ago."""
    when = LeaseView.of(lease(hours_ago=1)).hosted_at
    assert when
    mark = Mark(when, goal, "Start-20261123", state, "identity", stamp(when), "1", under=under)
    return {**lease(hours_ago=9), Tag.HOURS: str(mark)}


def test_a_schedule_that_came_after_the_request_says_since_when() -> None:
    by_request, by_schedule = (LeaseView.of(lease(hours_ago=hours)).hosted_at for hours in (9, 1))
    assert LeaseView.of(scheduled("Start", State.DONE)).hosted_at == by_schedule
    assert LeaseView.of(scheduled("Start", State.DONE, under="an earlier request")).hosted_at == by_request


def test_asleep(command: Command) -> None:
    command.stack()
    arn = command.model(status="TRAINED", tags=scheduled("Stop", State.ASLEEP))
    listed = command("ls")
    assert re.search(r"^-  boards/1 .* asleep by its hours$", listed.stdout, re.M)
    assert "0 inference units in service" in listed.stdout
    shown = command("show", arn).stdout
    assert "Status    TRAINED, asleep by its hours" in shown
    assert "schedule: Stop, asleep, RequestId Start-20261123" in shown


def test_every_tag_of_a_lease_but_the_closing_one_is_removable() -> None:
    tags = dict.fromkeys((*Tag.ALL, "team"), "x")
    assert lease_view.removable(tags) == sorted(Tag.OWNER)
