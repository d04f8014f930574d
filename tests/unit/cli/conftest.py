"""The command in this process, against both servers over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hosted_model_cli import commands, output, stopping, waking, watching
from hosted_model_local.environment import endpoint_variable
from hosted_model_local.simulator import Request, Simulator
from hosted_model_local.simulator.registry import SERVICES, by_name
from hosted_model_local.simulator.server import ThreadedServer
from hosted_model_runtime.contract import RESOURCE_TYPE, Scheduled, Tag
from hosted_model_runtime.decisions.marks import Mark, State, stamp
from hosted_model_runtime.decisions.tokens import fingerprint
from support.aws_wire import Aws, Stack

REGION, OTHER = "us-east-1", "eu-west-1"
ACCOUNT = "000000000000"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Inspection/0f0e0d0c-1111-2222-3333-444455556666"
LOGICAL_ID = "Model0301700E"
PHYSICAL_ID = "lookoutvision/boards/1"
MODEL = {"ProjectName": "boards", "ModelVersion": "1"}
PROPERTIES = {"Service": "lookoutvision", "Model": MODEL, "MinInferenceUnits": 1, "HostingHours": "true"}


@dataclass
class Command:
    """Runs the command, and sets the stage for it."""

    simulator: Simulator
    aws: Aws

    def __call__(self, *arguments: str, **more: Any) -> Result:
        return CliRunner().invoke(commands.app, list(arguments), **more)

    def model(self, name: str = "boards/1", **members: Any) -> str:
        """Make a model that runs with one unit; its ARN."""
        service = members.get("service", "lookoutvision")
        running = by_name(service).lifecycle.running
        given = {"status": running, "min_inference_units": 1, "stop_seconds": 0, **members}
        return str(self.control("PUT", f"models/{name}", given)["arn"])

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Use the simulator's control API."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.simulator.handle(Request(method, f"/_simulator/{path}", "", {}, content))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def found(self, arn: str) -> dict[str, Any]:
        """The model as the simulator's control API shows it."""
        return next(one for one in self.control("GET", "models") if one["arn"] == arn)

    def stack(self, physical_id: str = "lookoutvision/boards/1", **members: Any) -> Stack:
        """Make a stack that declares a model."""
        made = Stack(STACK_ID, **members)
        made.resources.setdefault(LOGICAL_ID, (RESOURCE_TYPE, physical_id, "CREATE_COMPLETE"))
        self.aws.stacks.append(made)
        return made


def lease(
    physical_id: str = "lookoutvision/boards/1", *, hours_ago: float = 2, stack_id: str = STACK_ID
) -> dict[str, str]:
    """The tags of a model that a stack owns."""
    then = output.now() - timedelta(hours=hours_ago)
    mark = Mark(then, "Create", "5afab1c9-2848", State.DONE, fingerprint(physical_id), stamp(then))
    return {Tag.STACK: stack_id, Tag.LOGICAL_ID: LOGICAL_ID, Tag.REQUEST: str(mark)}


def schedule(goal: str, expression: str, **more: str) -> dict[str, Any]:
    said = {
        "HostedModel": goal,
        "StackId": STACK_ID,
        "LogicalResourceId": LOGICAL_ID,
        "ResourceProperties": {},
        **more,
    }
    return {
        "Name": goal,
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "State": "ENABLED",
        "Target": {"Arn": "arn", "RoleArn": "arn", "Input": json.dumps(said)},
    }


def with_hours(tags: dict[str, str], **changed: Any) -> dict[str, str]:
    """A lease whose request has hosting hours."""
    mark = Mark.parse(tags[Tag.REQUEST])
    assert mark
    return {**tags, Tag.REQUEST: str(replace(mark, **{"has_hours": True, **changed}))}


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the command at one time: its figures are the same, however long a busy machine takes."""
    now = output.now()
    monkeypatch.setattr(output, "now", lambda: now)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """The command and its world."""
    simulator, aws = Simulator(requests_per_second=None), Aws()
    with ThreadedServer(simulator) as server, aws.listening():
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "COLUMNS", "FORCE_COLOR", "AWS_DATA_PATH"):
            monkeypatch.delenv(name, raising=False)
        settings = {
            "AWS_ENDPOINT_URL": aws.url,
            **{endpoint_variable(name): server.url for one in SERVICES for name in one.endpoint_ids},
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": "127.0.0.1",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        # The looks of a wait follow one another at once.
        monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.0)
        monkeypatch.setattr(waking, "LOOK_SECONDS", 0.0)
        monkeypatch.setattr(watching, "LOOK_SECONDS", 0.0)
        yield Command(simulator, aws)


@pytest.fixture
def hours(command: Command) -> Command:
    """A stack with a model that has hosting hours."""
    members = {Scheduled.TIME: Scheduled.TIME_ATTRIBUTE, "ResourceProperties": PROPERTIES}
    for goal in Scheduled.GOALS:
        made = schedule(goal, "cron(0 8 ? * MON-FRI *)", **members)  # type: ignore[arg-type]
        made["Target"]["Arn"] = "arn:aws:lambda:us-east-1:000000000000:function:provider"
        command.aws.schedules[goal] = made
    kind = "AWS::Scheduler::Schedule"
    resources = {goal: (kind, goal, "CREATE_COMPLETE") for goal in Scheduled.GOALS}
    command.stack(resources={LOGICAL_ID: (RESOURCE_TYPE, PHYSICAL_ID, "CREATE_COMPLETE"), **resources})
    return command


@pytest.fixture
def app(tmp_path: Path) -> Any:
    """A CDK app. The CDK takes seconds to import, for which most tests here need not wait."""
    from aws_cdk import App

    return App(outdir=str(tmp_path / "cdk.out"))
