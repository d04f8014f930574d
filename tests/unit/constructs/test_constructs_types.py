"""Whatever is given to whatever parameter: the error names the construct's path, the value and the rule.

The parameters are read from the signatures, so that a new one is in the table on the day it is made.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs

from hosted_model import (
    UNITS,
    AlarmOptions,
    HostedModelProvider,
    HostingHours,
    LookoutVisionModel,
    MetricOptions,
    RekognitionCustomLabelsModel,
)
from unit.constructs.conftest import PROJECT_ARN, VERSION_ARN, messages

VISION_ARN = "arn:aws:lookoutvision:eu-west-1:111122223333:model/boards/3"
OPTIONS: Mapping[str, Any] = {"metric": MetricOptions, "alarm": AlarmOptions}
#: What a call needs beside the argument that is wrong.
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "LookoutVisionModel": {"project_name": "boards", "model_version": "3"},
    "RekognitionCustomLabelsModel": {"project_version_arn": VERSION_ARN},
    "RekognitionCustomLabelsModel project": {"project_arn": PROJECT_ARN, "version_name": "v1"},
    "metric": {"metric_name": "Any"},
    "metric_detect_custom_labels": {"metric_name": "ResponseTime"},
}


class Wrong:
    """Of no type that anything takes."""

    def __repr__(self) -> str:
        return "<something else>"


class World:
    """One app for all: what is refused leaves nothing in it."""

    def __init__(self) -> None:
        self.stack = Stack(App(), "S")
        self.vision = LookoutVisionModel.from_model_arn(self.stack, "Vision", VISION_ARN)
        self.labels = RekognitionCustomLabelsModel.from_model_arn(self.stack, "Labels", VERSION_ARN)
        self.user = iam.User(self.stack, "User")
        self.provider = HostedModelProvider(Stack(App(), "P"), "Provider")


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def methods(kind: type) -> Iterator[str]:
    for name in dir(kind):
        if name.startswith(("metric", "grant", "add_")) and callable(getattr(kind, name)):
            yield name


def parameters(function: Callable[..., Any], kind: str) -> Iterator[str]:
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            yield from OPTIONS[kind].__annotations__
        elif name != "self":
            yield name


def cases() -> Iterator[tuple[str, str, str]]:
    for made, kind in (("vision", LookoutVisionModel), ("labels", RekognitionCustomLabelsModel)):
        for name in methods(kind):
            options = "alarm" if name.startswith("add_") else "metric"
            for parameter in parameters(getattr(kind, name), options):
                yield made, name, parameter
        for name in ("from_model_arn", "from_model_attributes"):
            for parameter in parameters(getattr(kind, name), ""):
                yield kind.__name__, name, parameter
        for parameter in parameters(kind.__init__, ""):
            yield kind.__name__, "", parameter
    for parameter in parameters(HostedModelProvider.__init__, ""):
        yield "HostedModelProvider", "", parameter
    for parameter in parameters(HostedModelProvider.add_dropped_request_alarm, "alarm"):
        yield "provider", "add_dropped_request_alarm", parameter
    yield "HostedModelProvider", "of", "scope"


CLASSES: Mapping[str, Any] = {
    kind.__name__: kind for kind in (LookoutVisionModel, RekognitionCustomLabelsModel, HostedModelProvider)
}


@pytest.mark.parametrize(("owner", "name", "parameter"), [*cases()], ids=lambda each: each or "made")
def test_something_of_another_type(world: World, owner: str, name: str, parameter: str) -> None:
    given = dict(_needed(world, owner, name, parameter))
    # `*actions` are no keyword.
    actions = (Wrong(),) if parameter == "actions" else ()
    if parameter != "actions":
        given[parameter] = Wrong()
    grantee = (given.pop("grantee"),) if "grantee" in given else ()
    with pytest.raises(ValueError, match="<something else>") as raised:
        _callable(world, owner, name)(*grantee, *actions, **given)
    said = str(raised.value)
    assert parameter in said
    # Where the scope or the ID is wrong there is no path.
    assert parameter in ("scope", "construct_id") or said.startswith(("S/", "P/")), said
    assert " must " in said


def _callable(world: World, owner: str, name: str) -> Callable[..., Any]:
    thing = CLASSES.get(owner) or getattr(world, owner)
    return getattr(thing, name) if name else thing


def _needed(world: World, owner: str, name: str, parameter: str) -> Mapping[str, Any]:
    if owner in ("vision", "labels", "provider"):
        if name.startswith("grant"):
            return {"grantee": world.user}
        return NEEDED.get(name, {})
    if name == "of":
        return {}
    fresh = {"scope": world.stack, "construct_id": "Model"}
    if name == "from_model_arn":
        return {**fresh, "model_arn": VERSION_ARN if owner.startswith("Rek") else VISION_ARN}
    if name == "from_model_attributes":
        if owner.startswith("Rek"):
            return {**fresh, "model_arn": VERSION_ARN, "project_arn": PROJECT_ARN}
        return {**fresh, **NEEDED[owner]}
    if parameter in ("project_arn", "version_name"):
        return {**fresh, **NEEDED["RekognitionCustomLabelsModel project"]}
    if parameter in ("vpc_subnets", "security_groups"):
        return fresh
    return {**fresh, **NEEDED.get(owner, {})}


def vision(world: World, **given: Any) -> Any:
    return LookoutVisionModel(world.stack, "M", project_name="boards", model_version="3", **given)


def provider(world: World, **given: Any) -> Any:
    return HostedModelProvider(world.stack, "M", **given)


NAN, INFINITE = float("nan"), float("inf")
LIKELY: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (vision, {"hosting_timeout": 30}, "must be a Duration, such as Duration.minutes(30), but it is 30"),
    (vision, {"hosting_timeout": "30m"}, "must be a Duration"),
    (vision, {"hosting_hours": "9-17"}, "must be HostingHours, or a list of them, but it is '9-17'"),
    (vision, {"min_inference_units": NAN}, "must be a whole number, but it is nan"),
    (vision, {"min_inference_units": INFINITE}, "must be a whole number, but it is inf"),
    (vision, {"max_inference_units": -INFINITE}, "must be a whole number, but it is -inf"),
    (vision, {"min_inference_units": False}, "must be a whole number, but it is False"),
    (vision, {"removal_policy": True}, "must be a member of RemovalPolicy, but it is True"),
    (provider, {"memory_size": "512"}, "must be a whole number from 128 to 10240, but it is '512'"),
    (provider, {"memory_size": 127}, "must be a whole number from 128 to 10240, but it is 127"),
    (provider, {"memory_size": 10241}, "but it is 10241"),
    (provider, {"memory_size": True}, "but it is True"),
    (provider, {"memory_size": NAN}, "but it is nan"),
    (provider, {"log_retention": 7}, "must be a member of RetentionDays, but it is 7"),
    (provider, {"tracing": "Active"}, "must be a member of Tracing, but it is 'Active'"),
    (provider, {"reserved_concurrent_executions": 0}, "must be a whole number of at least 1, but it is 0"),
    (provider, {"dead_letter_queue": "arn:aws:sqs:x"}, "must be an aws_sqs.IQueue"),
    (provider, {"security_groups": "sg-1"}, "must be a list of aws_ec2.ISecurityGroup"),
    (provider, {"runtime": "python3.14"}, "must be an aws_lambda.Runtime, of Python 3.11 or later"),
    (lambda w, **g: w.labels.add_idle_alarm(**g), {"idle_for": 2}, "must be a Duration"),
    (lambda w, **g: w.labels.add_idle_alarm(**g), {"idle_for": 0}, "must be a Duration"),
    (lambda w, **g: w.labels.add_idle_alarm(**g), {"alarm_names": "x"}, "there is no argument alarm_names"),
    (lambda w, **g: w.labels.add_hosting_failure_alarm(**g), {"threshold": True}, "of at least 1"),
    (lambda w, **g: w.labels.metric("X", **g), {"periods": 1}, "there is no argument periods"),
    (lambda w, **g: w.labels.grant_describe(**g), {"grantee": "x"}, "must be an IGrantable"),
    (lambda w: w.labels.grant(w.user), {}, "actions must be at least one"),
]


@pytest.mark.parametrize(("make", "given", "said"), LIKELY, ids=range(len(LIKELY)))
def test_what_a_user_is_likely_to_write(
    world: World, make: Callable[..., Any], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=r"^S/") as raised:
        make(world, **given)
    assert said in str(raised.value)


def test_a_runtime_that_is_too_old_or_none_of_python(world: World) -> None:
    from aws_cdk import aws_lambda as lambda_

    for runtime in (lambda_.Runtime.PYTHON_3_10, lambda_.Runtime.NODEJS_22_X):
        with pytest.raises(ValueError, match=rf"Python 3.11 or later, but it is {runtime.name}$"):
            provider(world, runtime=runtime)


def test_what_is_right_is_let_through(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1)
    HostedModelProvider(
        stack,
        "Provider",
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=vpc.private_subnets),
        security_groups=[ec2.SecurityGroup(stack, "Group", vpc=vpc)],
        log_retention=logs.RetentionDays.ONE_DAY,
    )
    cron = scheduler.ScheduleExpression.cron
    model = RekognitionCustomLabelsModel(
        stack,
        "Labels",
        project_version_arn=VERSION_ARN,
        hosting_hours=(HostingHours(start=cron(minute="0", hour="8"), stop=cron(minute="0", hour="18")),),
    )
    model.grant(iam.User(stack, "User"), "rekognition:DetectCustomLabels")
    model.add_idle_alarm(requests=model.metric("X").with_(period=Duration.minutes(5)))


def test_what_is_imported_is_let_through(stack: Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/1")
    HostedModelProvider(
        stack,
        "Provider",
        log_group=logs.LogGroup.from_log_group_name(stack, "Logs", "mine"),
        vpc=ec2.Vpc.from_vpc_attributes(
            stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"], private_subnet_ids=["subnet-1"]
        ),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")],
        dead_letter_queue=sqs.Queue.from_queue_arn(stack, "Queue", "arn:aws:sqs:eu-west-1:111122223333:q"),
        environment_encryption=key,
    )
    model = LookoutVisionModel.from_model_arn(stack, "Model", VISION_ARN)
    model.grant_describe(iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/r"))
    errors = cloudwatch.MathExpression(expression="a", using_metrics={"a": model.metric("A")})
    model.add_idle_alarm(requests=errors)


@pytest.mark.parametrize(
    ("minimum", "maximum", "said"),
    [
        (5, None, None),
        (1, 5, None),
        (6, None, "min_inference_units is 6, and 5 is the most"),
        (1, 6, "max_inference_units is 6, and 5 is the most"),
        (10**9, None, "min_inference_units is 1,000,000,000"),
    ],
)
def test_more_units_than_an_account_may_give(
    stack: Stack, minimum: int, maximum: int | None, said: str | None
) -> None:
    RekognitionCustomLabelsModel(
        stack,
        "Labels",
        project_version_arn=VERSION_ARN,
        min_inference_units=minimum,
        max_inference_units=maximum,
    )
    found = messages(stack)
    assert len(found) == bool(said)
    if said:
        assert said in found[0]
        assert f"[ack: {UNITS}]" in found[0]
