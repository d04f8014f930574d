"""`hosted-model estimate`: an app's month before it is deployed, and a stack's by its template."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, NestedStack, Stack, Stage, TimeZone
from aws_cdk.aws_scheduler import ScheduleExpression

from hosted_model import HostingHours, LookoutVisionModel, RekognitionCustomLabelsModel
from hosted_model_cli import estimating
from hosted_model_cli.estimating import hours_a_month
from hosted_model_cli.templates import Timed
from unit.cli.conftest import Command

ACCOUNT, REGION = "111122223333", "us-east-1"
HERE = Environment(account=ACCOUNT, region=REGION)
VERSION = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/labels/version/v1/1600000000001"
OFFICE = round(52 * 5 * 10 / 12, 2)


def at(hour: int) -> ScheduleExpression:
    return ScheduleExpression.cron(
        minute="0", hour=str(hour), week_day="MON-FRI", time_zone=TimeZone.EUROPE_BERLIN
    )


def boards(scope: Any, version: str = "3", **more: Any) -> None:
    LookoutVisionModel(scope, f"Model{version}", project_name="boards", model_version=version, **more)


def estimated(command: Command, app: App, *options: str, code: int = 0) -> dict[str, Any]:
    result = command("estimate", app.synth().directory, "--json", *options)
    assert result.exit_code == code, result.output
    return dict(json.loads(result.stdout))


def test_an_app_with_hours_and_scaling(command: Command, app: App) -> None:
    stack = Stack(app, "Inspection", env=HERE)
    boards(stack, hosting_hours=HostingHours(start=at(8), stop=at(18)))
    RekognitionCustomLabelsModel(
        stack, "Labels", project_version_arn=VERSION, min_inference_units=1, max_inference_units=3
    )
    document = estimated(command, app)
    assert command.aws.actions == set(), "nobody is asked"
    assert not command.simulator.calls
    found = {one["project"]: one for one in document["models"]}
    vision, labels = found["boards"], found["labels"]
    assert (vision["hours_a_month"], labels["hours_a_month"]) == (OFFICE, 728.0)
    zone = "Europe/Berlin"
    assert [(one["goal"], one["time_zone"]) for one in vision["schedules"]] == [
        ("start", zone),
        ("stop", zone),
    ]
    assert (vision["cost_a_month"], vision["max_cost_a_month"]) == (866.67, 866.67)
    assert (labels["cost_a_month"], labels["max_cost_a_month"]) == (2912.0, 8736.0)
    assert (labels["price_per_unit_hour"], labels["price_dated"]) == (4.0, "2026-11")
    assert (document["cost_a_month"], document["max_cost_a_month"]) == (3778.67, 9602.67)
    assert document["version"] == estimating.JSON_VERSION == 1

    lines = command("estimate", str(app.outdir)).stdout.splitlines()
    assert lines[0].split() == list(estimating.COLUMNS)
    assert lines[1].split()[2:9] == ["boards/3", "lookoutvision", REGION, "1", "216.7", "866.67", "866.67"]
    assert "start cron(0 8 ? * MON-FRI *) Europe/Berlin, stop cron(0 18 ? *" in lines[1]
    assert lines[2].split()[2:] == [
        "labels/v1",
        "rekognition",
        REGION,
        "1-3",
        "728.0",
        "2912.00",
        "8736.00",
        "always",
    ]
    assert lines[4] == "A month: 3778.67 USD, at most 9602.67 USD with every model scaled up"
    assert lines[6] == (
        "rekognition in us-east-1: 4.00 USD for an inference unit and hour "
        "(Amazon Rekognition pricing, Custom Labels, 2026-11)"
    )


def test_stages_and_nested_stacks(command: Command, app: App) -> None:
    stage = Stage(app, "Prod", env=HERE)
    outer = Stack(stage, "Outer")
    boards(outer, "1")
    boards(NestedStack(outer, "Inner"), "2")
    found = estimated(command, app)["models"]
    assert {(one["stack_name"], one["model_version"]) for one in found} == {
        ("Prod-Outer", "1"),
        ("Prod-Outer", "2"),
    }


def test_a_stack_without_a_region(command: Command, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    boards(Stack(app, "Anywhere"))
    assert estimated(command, app)["cost_a_month"] == 2912.0, "the environment's"
    assert estimated(command, app, "--region", "eu-west-1", code=3)["models"][0]["cost_a_month"] is None
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    result = command("estimate", str(app.outdir))
    assert result.exit_code == 3
    assert "no price is known for lookoutvision in an unknown region (--region names it)" in result.stderr
    document = estimated(command, app, "--price-per-unit-hour", "2")
    assert (document["cost_a_month"], document["without_a_price"]) == (1456.0, 0)
    assert document["models"][0]["price_dated"] is None


def test_names_that_only_cloudformation_knows(command: Command, app: App) -> None:
    stack = Stack(app, "Inspection", env=HERE)
    name = CfnParameter(stack, "Project").value_as_string
    LookoutVisionModel(stack, "Model", project_name=name, model_version="1")
    (one,) = estimated(command, app)["models"]
    assert (one["project"], one["cost_a_month"]) == (None, 2912.0)


def test_no_app_and_no_models(command: Command, app: App, tmp_path: Path) -> None:
    result = command("estimate", str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "manifest.json: No such file or directory: run `cdk synth` first" in result.stderr
    Stack(app, "Empty")
    result = command("estimate", app.synth().directory)
    assert (result.exit_code, result.stdout) == (0, "No hosted model is declared.\n")


def test_a_stack_by_its_template(command: Command, app: App) -> None:
    boards(Stack(app, "Inspection", env=HERE), hosting_hours=HostingHours(start=at(8), stop=at(18)))
    template = app.synth().get_stack_by_name("Inspection").template
    command.stack(template=template)
    assert command("estimate", "--stack", "Inspection").stdout == command("estimate", str(app.outdir)).stdout
    assert "GetTemplate" in " ".join(command.aws.actions)
    assert command("estimate", "--stack", "Nobody").exit_code == 1


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALWAYS = 728.0


@pytest.mark.parametrize(
    ("times", "hours"),
    [
        ([], ALWAYS),
        ([("Start", "cron(0 8 * * ? *)"), ("Stop", "cron(0 18 * * ? *)")], 364 * 10 / 12),
        # Over midnight, and two windows a day.
        ([("Start", "cron(0 22 * * ? *)"), ("Stop", "cron(0 6 * * ? *)")], 364 * 8 / 12),
        (
            [
                ("Start", "cron(0 8 * * ? *)"),
                ("Stop", "cron(0 12 * * ? *)"),
                ("Start", "cron(0 14 * * ? *)"),
                ("Stop", "cron(0 18 * * ? *)"),
            ],
            364 * 8 / 12,
        ),
        # A start while it runs, and a stop while it sleeps, change nothing.
        (
            [("Start", "cron(0 8,9 * * ? *)"), ("Stop", "cron(0 18,19 * * ? *)")],
            364 * 10 / 12,
        ),
        # Once: from now to the stop, and from the start on.
        ([("Stop", "at(2026-11-23T18:00:00)"), ("Start", "at(2027-11-22T11:00:00)")], 7 / 12),
        # What is past, and what comes later, stops nothing.
        ([("Stop", "at(2026-01-01T00:00:00)")], ALWAYS),
        ([("Stop", "at(2028-01-01T00:00:00)")], ALWAYS),
        # What cannot be worked out is not left out.
        ([("Stop", "rate(5 minutes)")], None),
        ([("Start", "cron(0 8 1W * ? *)"), ("Stop", "cron(0 8 ? * L *)")], None),
        ([("Start", "cron(* 8 ? * * *)"), ("Stop", "cron(0 18 ? * * *)")], None),
    ],
)
def test_hours_a_month(times: list[tuple[str, str]], hours: float | None) -> None:
    schedules = [Timed(goal, expression, "UTC") for goal, expression in times]
    assert hours_a_month(schedules, NOW) == pytest.approx(hours, abs=0.01)


def test_hours_that_cannot_be_worked_out_are_told(command: Command, app: App) -> None:
    stack, cron = Stack(app, "Inspection", env=HERE), ScheduleExpression.expression
    boards(stack, hosting_hours=HostingHours(start=cron("cron(0 8 1W * ? *)"), stop=at(18)))
    (model,) = estimated(command, app, code=3)["models"]
    assert model["hours_a_month"] == ALWAYS
    said = command("estimate", str(app.outdir)).stderr
    assert "warning: the hosting hours of Inspection/Model3" in said
    assert "cannot be worked out: it counts as hosted always" in said


def test_daylight_saving_time_does_not_change_office_hours() -> None:
    times = [("Start", "cron(0 8 ? * MON-FRI *)"), ("Stop", "cron(0 18 ? * MON-FRI *)")]
    schedules = [Timed(goal, expression, "Europe/Berlin") for goal, expression in times]
    assert hours_a_month(schedules, NOW) == pytest.approx(OFFICE, abs=0.01)
